"""Predictor: labels of a scan's slices by a network, a few slices at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.components import largest_component
from liverseg_gui.segmentation.gap_filling import bridge_gaps
from liverseg_gui.segmentation.postprocessing import CLEAN_UP, CleanUp, clean
from liverseg_gui.segmentation.preprocessing import (
    Region,
    Slices,
    TrunkBox,
    Where,
    box_on,
    enlarged,
    find_liver,
    from_input,
    on_slice,
    to_input,
    touched_sides,
)
from liverseg_gui.segmentation.runtime.base import Runtime

BATCH = 4
"""Slices whose scores are held at once: on the scan's own pixels these are what takes memory."""
FEWEST = 12
"""So many slices the first look sees at least, where there are as many."""
ENLARGED = 4
"""How often the region of the second look is enlarged at most."""

FAST = ((1.0, False),)
BEST = ((1.0, False), (1.0, True), (1.2, False), (1.2, True))
"""Test-time augmentations, whose mean gives the labels: the input's scale, and whether the order of
the slices is reversed."""

FINDING_LIVER, SEGMENTING = "Finding the liver", "Segmenting"
"""The phases of the two looks."""

Augmentations = tuple[tuple[float, bool], ...]


@dataclass(frozen=True, eq=False)
class Prediction:
    """Labels, and the chance of tumor (0..255), both uint8 on the part `where` of the slices."""

    labels: NDArray[np.uint8]
    tumor: NDArray[np.uint8]
    where: Where

    def finished(
        self,
        slices: Slices,
        spacing_mm: tuple[float, float, float],
        progress: Progress,
        steps: CleanUp = CLEAN_UP,
    ) -> NDArray[np.uint8]:
        """The labels after `steps`: uint8 on the part `where` of `slices`, whose distance, rows
        and columns have `spacing_mm`.

        Raises:
            Cancelled: `progress` was cancelled.
        """
        progress.update(0.0, "Cleaning up")
        labels = self.labels
        if steps.bridge_gaps:
            labels = bridge_gaps(labels, slices[self.where], spacing_mm)
        part = progress.part(0.3, 1.0)
        return clean(labels, spacing_mm, self.tumor, steps=steps, progress=part)


class Predictor:
    """Labels slices with a network."""

    def __init__(
        self,
        runtime: Runtime,
        size: tuple[int, int],
        liver_view_size: tuple[int, int] | None = None,
    ) -> None:
        """Let `runtime` compute a network that takes the trunk at `size`.

        With `liver_view_size` it looks a second time, at the liver that it found, at the scale at
        which the whole trunk has that size.
        """
        self.runtime = runtime
        self._size, self._liver_view_size = size, liver_view_size

    def predict(
        self,
        slices: Slices,
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
        augmentations: Augmentations = FAST,
        *,
        step: int = 1,
        crop: bool = True,
    ) -> Prediction | None:
        """Label axial `slices` (n, rows, columns) whose neighbours are `context` (n, c).

        The first of two looks sees every `step`-th slice. Where the liver reaches an edge of the
        region of the second one, the region is enlarged and looked at again. The labels are those
        of the mean of `augmentations`. None where no liver is seen.

        Raises:
            SegmentationError: the network gave numbers that are none.
            Cancelled: asked for between two batches.
        """
        whole = _View(slices, context, Region(0, len(slices), box, self._size))
        if self._liver_view_size is None:
            return self._label(whole, augmentations, progress)
        if not crop:
            return self._label(
                replace(whole, region=Region(0, len(slices), box, self._liver_view_size)),
                augmentations,
                progress,
            )
        step = max(1, min(step, len(slices) // FEWEST))
        coarse = self._coarse(whole, step, progress.part(0.0, 0.3))
        coarse *= on_slice(box, self._size, slices.shape)
        region = find_liver(coarse, box, self._liver_view_size, step)
        if region is None:
            return None
        prediction = self._label(whole.on(region), augmentations, progress.part(0.3, 0.9))
        for again in range(ENLARGED):
            touched = touched_sides(prediction.labels, prediction.where, slices.shape)
            if not any(map(any, touched)):
                break
            part = progress.part(1 - 0.1 / 2**again, 1 - 0.05 / 2**again)
            smaller, region = region, enlarged(region, touched, 4 * step)
            if region.size != smaller.size:
                prediction = self._label(whole.on(region), augmentations, part)
            else:
                prediction = self._label_beside(prediction, whole, region, augmentations, part)
        return prediction

    def _label_beside(
        self,
        prediction: Prediction,
        whole: _View,
        region: Region,
        augmentations: Augmentations,
        progress: Progress,
    ) -> Prediction:
        """What was found, with the further slices of `region`, whose box is the same."""
        first, stop = prediction.where[0].start, prediction.where[0].stop
        below = whole.on(replace(region, stop=first))
        above = whole.on(replace(region, first=stop))
        parts = [
            self._label(below, augmentations, progress.part(0.0, 0.5)),
            prediction,
            self._label(above, augmentations, progress.part(0.5, 1.0)),
        ]
        return Prediction(
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.tumor for part in parts]),
            whole.on(region).where,
        )

    def mirrored_share(
        self,
        slices: Slices,
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
        step: int = 1,
    ) -> float:
        """How much more of an organ the network sees in the mirror image, right and left swapped.

        The largest organ in every `step`-th of `slices` there, of the largest one in the slices as
        they are; infinite where there is none. See `predict` for the other arguments.

        Raises:
            Cancelled: asked for between two batches.
        """
        step = max(1, min(step, len(slices) // FEWEST))
        view = _View(slices, context, Region(0, len(slices), box, self._size))
        there = on_slice(box, self._size, slices.shape)
        plain = self._coarse(view, step, progress.part(0.0, 0.5)) * there
        mirrored = self._coarse(view, step, progress.part(0.5, 1.0), mirrored=True)
        plain_size, mirrored_size = (
            np.count_nonzero(largest_component(labels > 0))
            for labels in (plain, mirrored * there[:, ::-1])
        )
        return mirrored_size / plain_size if plain_size else float("inf") if mirrored_size else 1.0

    def _coarse(
        self, view: _View, step: int, progress: Progress, mirrored: bool = False
    ) -> NDArray[np.uint8]:
        """Labels of every `step`-th slice at the input's size: uint8 (n, *size)."""
        view = view.every(step)
        found = self._scores(view, view.region.size, progress, FINDING_LIVER, mirrored)
        return np.concatenate([scores.argmax(1).to(torch.uint8).cpu().numpy() for scores in found])

    def _label(self, view: _View, augmentations: Augmentations, progress: Progress) -> Prediction:
        """Labels on the slices' own pixels."""
        where = view.where
        shape = [side.stop - side.start for side in where]
        labels, tumor = np.empty(shape, np.uint8), np.empty(shape, np.uint8)
        passes = [
            self._scores(
                view.reversed() if back else view, _scaled(view.region.size, scale), progress
            )
            for scale, back in augmentations
        ]
        start = 0
        for scores in zip(*passes, strict=True):
            part = slice(start, start + len(scores[0]))
            labels[part], tumor[part] = from_input(
                _mean(scores), view.region.box, view.slices.shape
            )
            start = part.stop
        return Prediction(labels, tumor, where)

    def _scores(
        self,
        view: _View,
        size: tuple[int, int],
        progress: Progress,
        phase: str = SEGMENTING,
        mirrored: bool = False,
    ) -> Iterator[torch.Tensor]:
        """The class scores (batch, classes, *size) of each batch."""
        needed, context = np.unique(view.context, return_inverse=True)
        context = context.reshape(view.context.shape)
        inputs = torch.from_numpy(to_input(view.slices, view.region.box, size, needed))
        if mirrored:
            inputs = inputs.flip(-1)
        count = len(context)
        for start in range(0, count, BATCH):
            progress.update(start / count, f"{phase}: slice {start + 1} of {count}")
            chosen = torch.from_numpy(context[start : start + BATCH])
            yield self.runtime.scores(inputs[chosen])


@dataclass(frozen=True, eq=False)
class _View:
    """What the network looks at: the region, a slice for each row of `context`."""

    slices: Slices
    context: NDArray[np.int64]
    region: Region

    @property
    def where(self) -> Where:
        return (
            slice(self.region.first, self.region.first + len(self.context)),
            *box_on(self.region.box, self.slices.shape),
        )

    def on(self, region: Region) -> _View:
        """Of the whole, what lies in `region`."""
        return _View(self.slices, self.context[region.first : region.stop], region)

    def every(self, step: int) -> _View:
        return _View(self.slices, self.context[::step], self.region)

    def reversed(self) -> _View:
        """With the order of the slices turned round."""
        return _View(self.slices, self.context[:, ::-1], self.region)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """`size` times `scale`, in the multiples of 32 that the network takes."""
    rows, columns = (max(32, 32 * round(side * scale / 32)) for side in size)
    return rows, columns


def _mean(scores: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Scores of the mean chances of `scores` (n, classes, rows, columns), at the first's size."""
    if len(scores) == 1:
        return scores[0]
    size = scores[0].shape[2:]
    device = scores[-1].device  # where a GPU was lost meanwhile, the CPU
    chances = [s.to(device).float().softmax(1) for s in scores]
    return (
        torch.stack(
            [c if c.shape[2:] == size else F.interpolate(c, size, mode="bilinear") for c in chances]
        )
        .mean(0)
        .clamp_(1e-6)
        .log_()
    )
