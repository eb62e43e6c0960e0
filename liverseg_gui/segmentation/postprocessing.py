"""Postprocessing of a network's labels: one liver, without holes, and tumors that are no specks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.geometry import bounding_box
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.components import largest_component

_CONNECT_26 = np.ones((3, 3, 3), bool)


@dataclass(frozen=True)
class CleanUp:
    """What is done to the labels of a network; each step can be left out (docs/model.md)."""

    bridge_gaps: bool = True
    """Slices in which a part of the liver was lost get it back (`gap_filling`)."""
    one_organ: bool = True
    """Only the largest connected organ is kept (6 neighbours)."""
    fill_holes: bool = True
    """Holes that the organ encloses belong to it."""
    smallest_tumor_ml: float = 0.05
    """A sphere of 4.6 mm: smaller candidates are noise at the spacing of abdominal CT."""
    least_chance: float = 0.7
    """The mean chance of tumor (0..1) that a candidate below `plain_ml` needs."""
    plain_ml: float = 1.0
    """Candidates of this volume (12 mm) are shown even where the network is unsure."""
    least_contact: float = 0.2
    """The part of a candidate's surface that has to lie on liver: a mass that hangs on the organ
    by less lies outside it."""


CLEAN_UP = CleanUp()


def clean(
    labels: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    tumor_chance: NDArray[np.uint8] | None = None,
    *,
    steps: CleanUp = CLEAN_UP,
    progress: Progress | None = None,
) -> NDArray[np.uint8]:
    """Apply `steps` to `labels`, a 3D uint8 array whose axes have `spacing_mm`.

    `tumor_chance` (0..255) has their shape. Returns new labels; the input is left as it was.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    out = np.zeros_like(labels, order="K")
    box = bounding_box(labels)
    if box is None:
        return out
    part = labels[box]  # in the box of the organ alone, components take a fraction of the time
    organ = part > 0
    progress.update(0.0, "Cleaning up")
    if steps.one_organ:
        organ = largest_component(organ)
    progress.update(0.3, "Cleaning up")
    chance = None if tumor_chance is None else tumor_chance[box]
    parts, tumors = candidates((part == TUMOR) & organ, organ, spacing_mm, chance)
    whole_ml = float(np.count_nonzero(organ)) * math.prod(spacing_mm) / 1000
    outside = [c.lies_outside(steps, whole_ml) for c in tumors]
    stays = [c.passes(steps) and not out for c, out in zip(tumors, outside, strict=True)]
    organ &= ~np.array([False, *outside])[parts]
    progress.update(0.7, "Cleaning up")
    if steps.fill_holes:
        organ = filled(organ)
    result = out[box]
    result[organ] = LIVER
    result[np.array([False, *stays])[parts]] = TUMOR
    return out


@dataclass(frozen=True)
class Candidate:
    """What could be a tumor: its volume, its mean chance (0..1, 1 where none was given) and the
    part of its surface that lies on liver (1 where there is no surface)."""

    volume_ml: float
    chance: float
    contact: float

    def passes(self, steps: CleanUp) -> bool:
        """Whether it stays."""
        return self.volume_ml >= steps.smallest_tumor_ml and (
            self.chance >= steps.least_chance or self.volume_ml >= steps.plain_ml
        )

    def lies_outside(self, steps: CleanUp, whole_ml: float) -> bool:
        """Whether it only hangs on the organ, of `whole_ml` with all candidates: what is the
        greater part of it does not."""
        return self.contact < steps.least_contact and self.volume_ml < whole_ml / 2


def candidates(
    tumor: NDArray[np.bool_],
    organ: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
    tumor_chance: NDArray[np.uint8] | None = None,
) -> tuple[NDArray[np.int32], list[Candidate]]:
    """The connected parts (26 neighbours) of `tumor`, a part of `organ`.

    Returns the number of the part at each voxel, 0 for none, and what each is, from 1 on.
    """
    parts, count = ndimage.label(tumor, _CONNECT_26)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    chance = np.full(count + 1, 1.0)
    if tumor_chance is not None:
        sums = np.bincount(parts[tumor], tumor_chance[tumor].astype(np.float64), count + 1)
        chance = sums / np.maximum(sizes, 1) / 255
    contact = _contact(parts, count, organ, spacing_mm)
    voxel_ml = math.prod(spacing_mm) / 1000
    tumors = [
        Candidate(float(sizes[n]) * voxel_ml, float(chance[n]), float(contact[n]))
        for n in range(1, count + 1)
    ]
    return parts, tumors


def _contact(
    parts: NDArray[np.int32],
    count: int,
    organ: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> NDArray[np.float64]:
    """For 0 to `count`, the part of the surface of `parts` that lies on `organ`."""
    box = bounding_box(parts)
    if box is None:
        return np.ones(1)
    wide = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    parts, organ = np.pad(parts[wide], 1), np.pad(organ[wide], 1)
    on_organ, surface = np.zeros(count + 1), np.zeros(count + 1)
    for axis in range(3):
        face_mm2 = math.prod(spacing_mm) / spacing_mm[axis]
        for ahead in (False, True):
            here, there = _neighbours(axis, ahead)
            edge = (parts[here] > 0) & (parts[there] == 0)
            beside, numbers = organ[there][edge], parts[here][edge]
            surface += np.bincount(numbers, minlength=count + 1) * face_mm2
            on_organ += np.bincount(numbers[beside], minlength=count + 1) * face_mm2
    return np.where(surface > 0, on_organ / np.maximum(surface, 1e-9), 1.0)


def _neighbours(axis: int, ahead: bool) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where the voxels with a neighbour along `axis` are, and where those neighbours are."""
    every = [slice(None)] * 3
    low, high = list(every), list(every)
    low[axis], high[axis] = slice(None, -1), slice(1, None)
    return (tuple(low), tuple(high)) if ahead else (tuple(high), tuple(low))


def filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`mask` and the holes that it encloses on all sides."""
    parts, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    outside = parts[0, 0, 0]
    return np.asarray(parts[1:-1, 1:-1, 1:-1] != outside, np.bool_)
