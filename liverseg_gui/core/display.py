"""Window/level and overlay colors, the same on screen and in pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.window_level import Window

LABEL_COLORS = {LIVER: (0, 158, 115), TUMOR: (230, 159, 0)}
"""Bluish green and orange of the color-blind safe palette of Okabe and Ito (2008)."""


@dataclass(frozen=True)
class LabelStyle:
    """How a label is drawn: color, opacity 0 to 1, and whether at all."""

    rgb: tuple[int, int, int]
    opacity: float = 1.0
    visible: bool = True


DEFAULT_STYLES: dict[int, LabelStyle] = {
    label: LabelStyle(rgb) for label, rgb in LABEL_COLORS.items()
}


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
