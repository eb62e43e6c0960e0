"""Anatomy the network does not know: one liver, without holes, and no specks of tumor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.geometry import bounding_box
from liverseg_gui.core.volume import LIVER, TUMOR

SMALLEST_TUMOR_ML = 0.05
"""A sphere of 4.6 mm: smaller candidates are noise at the spacing of abdominal CT."""

SMALLEST_LIVER_ML = 100.0
"""Less than this is no adult liver: the reader is told."""

_CONNECT_26 = np.ones((3, 3, 3), bool)


def clean(labels: NDArray[np.uint8], voxel_ml: float) -> NDArray[np.uint8]:
    """Keep the largest connected organ (6-neighbours), fill its holes, drop tumor specks.

    Takes and returns uint8 labels of shape (i, j, k); the input is left as it was.
    """
    out = np.zeros_like(labels, order="K")
    box = bounding_box(labels)
    if box is None:
        return out
    part = labels[box]
    organ = _largest_component(part > 0)
    organ = ndimage.binary_fill_holes(organ)
    tumor = _without_specks((part == TUMOR) & organ, SMALLEST_TUMOR_ML / voxel_ml)
    out[box] = np.where(tumor, TUMOR, np.where(organ, LIVER, 0)).astype(np.uint8)
    return out


def _largest_component(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(parts.ravel())[1:]
    return np.asarray(parts == 1 + int(sizes.argmax()), np.bool_)


def _without_specks(mask: NDArray[np.bool_], voxels: float) -> NDArray[np.bool_]:
    parts, _ = ndimage.label(mask, _CONNECT_26)
    large = np.bincount(parts.ravel()) >= voxels
    large[0] = False
    return np.asarray(large[parts], np.bool_)
