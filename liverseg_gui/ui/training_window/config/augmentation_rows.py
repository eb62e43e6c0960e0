"""The table of the random changes: what each is called, explained and bounded by."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from training.config.augmentation_config import Augmentation
from training.config.synthetic import SyntheticTumors


@dataclass(frozen=True)
class ChangeRow:
    """A field of `Augmentation` (or, `painted`, of `SyntheticTumors`), and for a pair `at` which of
    it; from `low` to `high` in `step`s, said in `unit` after times `scale`."""

    key: str
    label: str
    tip: str
    high: float
    step: float = 0.01
    low: float = 0.0
    unit: str = " %"
    scale: float = 100.0
    at: int | None = None
    painted: bool = False

    def of(self, values: Augmentation | SyntheticTumors) -> float:
        """The number in `values`."""
        value = getattr(values, self.key)
        return float(value if self.at is None else value[self.at])

    def words(self, value: float) -> str:
        """A number as it is shown."""
        return f"{value * self.scale:.3g}{self.unit}"


def with_change(
    values: Augmentation | SyntheticTumors, row: ChangeRow, value: float
) -> Augmentation | SyntheticTumors:
    """`values` with another number in the place of `row`."""
    new: Any = value
    if row.at is not None:
        pair = list(getattr(values, row.key))
        pair[row.at] = value
        new = tuple(pair)
    changed = {**asdict(values), row.key: new}
    return type(values)(**changed)


def _radius(label: str, at: int, low: float, high: float, step: float) -> ChangeRow:
    tip = "Of painted tumors, in the patient"
    return ChangeRow("radius_mm", label, tip, high, step, low, " mm", 1, at, True)


CHANGES = (
    ChangeRow(
        "rotation_degrees",
        "Rotation",
        "Turned by up to so much, as patients lie",
        45,
        1,
        unit="°",
        scale=1,
    ),
    ChangeRow("scale", "Size", "Larger or smaller by up to so much, as patients are", 0.5),
    ChangeRow("shift", "Shift", "Moved by up to so much of the trunk", 0.3),
    ChangeRow("elastic", "Bending", "Bent softly, as organs differ in form", 0.1, 0.002),
    ChangeRow(
        "flip_probability",
        "Left and right changed",
        "How often mirrored. The liver's side is anatomy: leave it at 0 for CT of people",
        1,
    ),
    ChangeRow("brightness", "Brightness", "Darker or brighter by up to so much of the window", 0.5),
    ChangeRow("contrast", "Contrast", "Flatter or steeper, as contrast phases are", 1),
    ChangeRow("gamma", "Gamma", "Dark or bright tissue spread apart, as windows do", 1),
    ChangeRow("noise", "Noise", "As much noise as low doses have, of the window", 0.3),
    ChangeRow(
        "degrade", "Blur, JPEG, low resolution", "How often each of the three spoils a picture", 1
    ),
    ChangeRow("tone_chance", "Liver alone changed", "How often the liver alone is changed", 1),
    ChangeRow("tone", "Liver darker", "By up to so much, as fatty livers are", 0, low=-0.6, at=0),
    ChangeRow("tone", "Liver brighter", "By up to so much, as phases make it", 0.6, at=1),
)
PAINTED = (
    ChangeRow("chance", "Tumors", "How often tumors are painted into the liver", 1, painted=True),
    ChangeRow(
        "bright_chance",
        "Bright ones",
        "How many of them are brighter than the liver",
        1,
        painted=True,
    ),
    ChangeRow(
        "mass_chance",
        "Masses beside the liver",
        "How often one is painted that is no liver tumor, so that not every mass is taken for one",
        1,
        painted=True,
    ),
    _radius("Smallest radius", 0, 1, 20, 0.5),
    _radius("Largest radius", 1, 5, 80, 1),
)
