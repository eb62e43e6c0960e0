"""Plausibility of a mask as a liver: a network also marks something in a head or a chest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.geometry import bounding_box
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.components import largest_component

SMALLEST_LIVER_ML = 100.0
"""Less than this is no adult's liver,"""
SMALLEST_LIVER_ML_PER_MM = 0.7
"""nor is less than this for each millimetre of a scan that is too short to hold it all."""
LEAST_OF_BODY = 0.005
"""The part of the body in the scan that a liver fills at least, for scans whose mm are not known:
100 ml of a trunk of 20 liters; 0.15 to 0.33 in the CT of the abdomen at hand."""
LARGEST_SHARE = 0.5
"""The part of a body's section that a liver fills: 0.35 at most in the CT at hand, a brain 0.6."""
LEAST_OFFSET = 0.1
"""How far right of the middle a liver lies, of half the body's width: 0.28 to 0.49 in the CT at
hand; a heart lies left of it."""
LARGEST_LIVER_ML = 3500.0
"""More than this is a very large liver: true of few patients, and of many masks that spill over."""
MOST_MIRRORED = 1.1
"""So much more of an organ in the mirror image than in the scan tells that right and left may be
swapped: 0.1 to 0.84 in 30 patients of the LiTS challenge and 0.02 to 0.4 in the CT at hand, but 2.9
in a patient whose right lobe was taken out."""
_LUNG_HU, _LUNG_SHARE, _LEAST_LUNG_MM = -600, 0.15, 25.0
"""A section of which so much is air shows lungs; fewer mm of such sections may show bowel."""
_METAL_HU, _METAL_ML, _METAL_MM = 2500, 0.1, 20.0
"""So much above any bone, so near to the organ, is metal whose streaks may look like lesions."""
_GRID_MM, _LEAST_GRID = 6.0, 48
_BODY_HU = -300


@dataclass(frozen=True)
class OrganPosition:
    """Where an organ sits in the body: its largest share of a section, and how far its middle lies
    towards the patient's right, -1 to 1 of half the body's width. Both mean little where the scan
    is `cut`: the body goes on beyond two sides that face each other."""

    share: float
    offset: float
    cut: bool = False


def organ_position(labels: NDArray[np.uint8], volume: Volume) -> OrganPosition:
    """The position of what `labels` (i, j, k) of `volume` mark."""
    thin = _thin(volume)
    marked = labels[thin] > 0
    area = marked.sum((0, 1))
    if not area.any():
        return OrganPosition(0.0, 1.0)
    at = area > 0.3 * area.max()
    marked, body = marked[:, :, at], _body(volume.hu[thin][:, :, at] > _BODY_HU)
    share = float((area[at] / np.maximum(body.sum((0, 1)), 1)).max())
    low, high = np.percentile(np.nonzero(body)[0], (1, 99)) if body.any() else (0, len(body) - 1)
    middle = float(np.nonzero(marked)[0].mean())
    cut = any(body.take((0, -1), axis).any((axis ^ 1, 2)).all() for axis in (0, 1))
    return OrganPosition(share, (2 * middle - low - high) / max(high - low, 1.0), cut)


def _thin(volume: Volume) -> tuple[slice, ...]:
    """A coarse grid; not coarser than the scan has voxels for, whatever its spacing says."""
    steps = (
        max(1, min(round(_GRID_MM / mm), n // _LEAST_GRID))
        for mm, n in zip(volume.affine.spacing_mm, volume.shape, strict=True)
    )
    return tuple(slice(None, None, step) for step in steps)


def _body(solid: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The patient without the table: the largest part, each section filled."""
    filled = [
        ndimage.binary_fill_holes(ndimage.binary_opening(section, np.ones((3, 3))))
        for section in np.moveaxis(solid, 2, 0)
    ]
    return largest_component(np.stack(filled, 2))


def check_plausibility(
    labels: NDArray[np.uint8], volume: Volume, mirrored_share: float = 0.0
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """`labels` (i, j, k) of `volume`, none where they can be no liver's, and what is doubtful.

    `mirrored_share` is the organ's size in the mirror image, of its size in the scan.
    """
    ml = float(np.count_nonzero(labels)) * volume.affine.voxel_ml
    doubts = []
    if mirrored_share > MOST_MIRRORED:
        doubts.append(
            "The model sees more of a liver in the mirror image: right and left may be swapped in "
            "the scan, or the anatomy is unusual (situs inversus, a resected lobe). Check the "
            "letters at the edges, and the mask."
        )
    if _too_small(ml, labels, volume):
        warning = f"No liver found ({ml:.0f} ml after clean-up): is this an abdominal CT?"
        return np.zeros_like(labels), (warning, *doubts)
    position = organ_position(labels, volume)
    if position.share > LARGEST_SHARE and not position.cut:
        warning = (
            f"No liver found: what the model marked ({ml:.0f} ml) fills {position.share:.0%} of "
            "the body's section, which no liver does. Is this an abdominal CT?"
        )
        return np.zeros_like(labels), (warning, *doubts)
    if position.cut and (position.share > LARGEST_SHARE or position.offset < LEAST_OFFSET):
        doubts.append(
            "The scan shows a part of the body's section only, and the model knows whole ones. "
            "Check that the marked organ is the liver."
        )
    elif position.offset < LEAST_OFFSET and not doubts:
        doubts.append(
            "The marked organ does not lie on the patient's right. Check that it is the liver, "
            "and that the scan is not mirrored."
        )
    if volume.mm_reliable and ml > LARGEST_LIVER_ML:
        doubts.append(
            f"The marked organ has {ml:.0f} ml, more than nearly all livers have. Check that the "
            "mask does not spill over, and that the scan's values and spacing are right."
        )
    if _metal_ml(labels, volume) > _METAL_ML:
        doubts.append(
            "Metal lies in or beside the marked organ: its streaks may hide lesions, or be taken "
            "for some. Check each."
        )
    if _upside_down(labels, volume):
        doubts.append(
            "The lungs lie below the marked organ: the scan's slices may be in the wrong order, "
            "head and feet, and right and left, swapped. Check the letters at the edges."
        )
    return labels, tuple(doubts)


def _metal_ml(labels: NDArray[np.uint8], volume: Volume) -> float:
    """The volume of metal in the box around what is marked and a little beyond, in ml."""
    box = bounding_box(labels)
    assert box is not None  # something is marked
    near = tuple(
        slice(max(side.start - round(_METAL_MM / mm), 0), side.stop + round(_METAL_MM / mm))
        for side, mm in zip(box, volume.affine.spacing_mm, strict=True)
    )
    return np.count_nonzero(volume.hu[near] > _METAL_HU) * volume.affine.voxel_ml


def _upside_down(labels: NDArray[np.uint8], volume: Volume) -> bool:
    """Whether sections of lung lie below the middle of what is marked, and none above it."""
    thin = _thin(volume)
    hu = volume.hu[thin]
    body = _body(hu > _BODY_HU)
    air = np.count_nonzero((hu < _LUNG_HU) & body, (0, 1))
    lung = np.flatnonzero(air > _LUNG_SHARE * np.maximum(np.count_nonzero(body, (0, 1)), 1))
    if len(lung) * volume.affine.spacing_mm[2] * (thin[2].step or 1) < _LEAST_LUNG_MM:
        return False
    middle = float(np.nonzero(labels[thin])[2].mean())
    return bool(lung.max() < middle)


def _too_small(ml: float, labels: NDArray[np.uint8], volume: Volume) -> bool:
    if not volume.mm_reliable:
        thin = _thin(volume)
        body = np.count_nonzero(_body(volume.hu[thin] > _BODY_HU))
        return bool(np.count_nonzero(labels[thin]) < max(LEAST_OF_BODY * body, 1))
    length_mm = volume.shape[2] * volume.affine.spacing_mm[2]
    return ml < min(SMALLEST_LIVER_ML, SMALLEST_LIVER_ML_PER_MM * length_mm)
