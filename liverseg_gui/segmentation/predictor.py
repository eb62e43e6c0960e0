"""Label the slices of a scan with a network, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.preprocessing import TrunkBox, find_liver, from_input, to_input
from liverseg_gui.segmentation.runtime import Runtime

BATCH = 4

FAST = ((1.0, False),)
BEST = ((1.0, False), (1.0, True), (1.2, False), (1.2, True))
"""What labels are the mean of: the input's scale, and whether the slices' order is reversed."""

Looks = tuple[tuple[float, bool], ...]


class Predictor:
    """Labels slices with a network."""

    def __init__(
        self, runtime: Runtime, size: tuple[int, int], closer: tuple[int, int] | None = None
    ) -> None:
        """Let `runtime` compute a network that takes the trunk at `size`.

        With `closer` it looks a second time, at the liver that it found, at the scale at which the
        whole trunk has that size.
        """
        self.runtime = runtime
        self._size, self._closer = size, closer

    def predict(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
        looks: Looks = FAST,
    ) -> NDArray[np.uint8]:
        """Label axial `slices` (n, rows, columns) whose neighbours are `context` (n, c).

        The labels are those of the mean of `looks`.

        Returns uint8 labels of the slices' shape.

        Raises:
            SegmentationError: the network gave numbers that are none.
            Cancelled: asked for between two batches.
        """
        if self._closer is None:
            return self._label(slices, context, box, self._size, progress, looks)
        coarse = self._coarse(slices, context, box, progress.part(0.0, 0.5))
        region = find_liver(coarse, box, self._closer)
        out = np.zeros(slices.shape, np.uint8)
        if region is None:
            return out
        near = context[region.first : region.stop]
        first, stop = int(near.min()), int(near.max()) + 1
        out[region.first : region.stop] = self._label(
            slices[first:stop],
            near - first,
            region.box,
            region.size,
            progress.part(0.5, 1.0),
            looks,
        )
        return out

    def _coarse(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        progress: Progress,
    ) -> NDArray[np.uint8]:
        """Labels of the trunk at the network's own size: uint8 (n, *size)."""
        out = np.empty((len(context), *self._size), np.uint8)
        for start, scores in self._scores(slices, context, box, self._size, progress):
            out[start : start + BATCH] = scores.argmax(1).to(torch.uint8).cpu().numpy()
        return out

    def _label(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        size: tuple[int, int],
        progress: Progress,
        looks: Looks,
    ) -> NDArray[np.uint8]:
        """Labels on the slices' own pixels, a slice for each row of `context`: uint8."""
        rows, columns = slices.shape[1:]
        out = np.zeros((len(context), rows, columns), np.uint8)
        passes = [
            self._scores(
                slices, context[:, ::-1] if back else context, box, _scaled(size, scale), progress
            )
            for scale, back in looks
        ]
        for parts in zip(*passes, strict=True):
            scores = _mean([scores for _, scores in parts])
            start = parts[0][0]
            out[start : start + BATCH] = from_input(scores, box, (rows, columns))
        return out

    def _scores(
        self,
        slices: NDArray[np.uint8],
        context: NDArray[np.int64],
        box: TrunkBox,
        size: tuple[int, int],
        progress: Progress,
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Where each batch starts, and the class scores (batch, classes, *size)."""
        inputs = torch.from_numpy(to_input(slices, box, size))
        count = len(context)
        for start in range(0, count, BATCH):
            progress.update(start / count, f"Segmenting slice {start + 1} of {count}")
            chosen = torch.from_numpy(context[start : start + BATCH].copy())
            yield start, self.runtime.scores(inputs[chosen])


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """`size` times `scale`, in the multiples of 32 that the network takes."""
    rows, columns = (max(32, 32 * round(side * scale / 32)) for side in size)
    return rows, columns


def _mean(scores: list[torch.Tensor]) -> torch.Tensor:
    """Mean chances of scores (n, classes, rows, columns) of any sizes, at the first one's."""
    if len(scores) == 1:
        return scores[0]
    size = scores[0].shape[2:]
    chances = [s.float().softmax(1) for s in scores]
    return torch.stack(
        [c if c.shape[2:] == size else F.interpolate(c, size, mode="bilinear") for c in chances]
    ).mean(0)
