"""Window/level and overlay colors, the same on screen and in pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.volume import LIVER, TUMOR

LABEL_COLORS = {LIVER: (0, 158, 115), TUMOR: (230, 159, 0)}
"""Bluish green and orange of the color-blind safe palette of Okabe and Ito (2008)."""

LABEL_NAMES = {LIVER: "Liver", TUMOR: "Tumor"}


@dataclass(frozen=True)
class LabelStyle:
    """How a label is drawn: color, opacity 0 to 1, and whether at all."""

    rgb: tuple[int, int, int]
    opacity: float = 1.0
    visible: bool = True


DEFAULT_STYLES: dict[int, LabelStyle] = {
    label: LabelStyle(rgb) for label, rgb in LABEL_COLORS.items()
}


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


def grey(hu: NDArray[np.int16], window: Window) -> NDArray[np.uint8]:
    """`hu` through `window` as 8-bit grey."""
    scaled = (hu.astype(np.float32) - window.low) * (255.0 / window.width)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def overlay(
    shade: NDArray[np.uint8], labels: NDArray[np.uint8], opacity: float
) -> NDArray[np.uint8]:
    """A grey image (rows, columns) with its labels in color: uint8, (rows, columns, 3)."""
    color = np.repeat(shade[..., None], 3, axis=2).astype(np.float32)
    for label, rgb in LABEL_COLORS.items():
        here = labels == label
        color[here] += opacity * (np.array(rgb, np.float32) - color[here])
    return color.astype(np.uint8)
