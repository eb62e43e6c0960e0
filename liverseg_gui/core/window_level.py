"""Display windows (window and level): the part of the HU scale that is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass

NARROWEST, WIDEST = 1.0, 8000.0
LOWEST_CENTER, HIGHEST_CENTER = -2000.0, 4000.0


@dataclass(frozen=True)
class Window:
    """A display window: `width` and `center` (level) in HU."""

    width: float
    center: float

    @property
    def low(self) -> float:
        """HU shown black."""
        return self.center - self.width / 2

    @property
    def high(self) -> float:
        """HU shown white."""
        return self.center + self.width / 2

    def clamped(self) -> Window:
        """The nearest window a CT can need: 1 to 8000 HU wide, center within -2000 to 4000."""
        width = min(max(self.width, NARROWEST), WIDEST)
        return Window(width, min(max(self.center, LOWEST_CENTER), HIGHEST_CENTER))


@dataclass(frozen=True)
class NamedWindow:
    """A window that a file states, and what the file calls it, which may be nothing."""

    name: str
    window: Window


def stated_window(name: str, width: float, center: float) -> NamedWindow | None:
    """A window as a file states it, in HU; None where no CT can need it or it is no number."""
    numbers = math.isfinite(width) and math.isfinite(center)
    if not numbers or not 0 < width <= WIDEST or not LOWEST_CENTER <= center <= HIGHEST_CENTER:
        return None
    return NamedWindow(name, Window(width, center).clamped())


PRESETS: dict[str, Window] = {
    "Abdomen": Window(400, 40),
    "Liver": Window(150, 90),
    "Liver unenhanced": Window(150, 30),
    "Lung": Window(1500, -600),
    "Bone": Window(2000, 400),
    "Brain": Window(80, 40),
}
"""In the order of keys 1 to 6. Sources: docs/user-guide.md."""
