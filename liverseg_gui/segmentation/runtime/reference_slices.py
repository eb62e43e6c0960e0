"""Reference slices on which runtimes are compared: a phantom's, always the same."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.segmentation.preprocessing import (
    CONTEXT_MM,
    axial_slices,
    context_indices,
    find_trunk,
    to_input,
)

_SPEC = PhantomSpec(1, (128, 128, 12), (3.0, 3.0, 4.5), (24.0,))
_MIDDLE = 4


def reference_slices(
    size: tuple[int, int], context: int, window_hu: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """Two batches as a network takes them: uint8 (4, context, *size), and (1, context, larger).

    The second batch is of another size, as the look at the liver is: a runtime has to give the
    same labels there too.
    """
    volume = make_phantom(_SPEC).volume
    slices = axial_slices(volume, window_hu)
    i_mm, j_mm, k_mm = volume.affine.spacing_mm
    box = find_trunk(slices, (j_mm, i_mm), size[1] / size[0])
    z = np.arange(len(slices), dtype=np.float64) * k_mm
    rows = torch.from_numpy(context_indices(z, CONTEXT_MM, context)[_MIDDLE : _MIDDLE + 4])
    batch = torch.from_numpy(to_input(slices, box, size))[rows]
    larger = torch.from_numpy(to_input(slices, box, (size[0] + 32, size[1] + 64)))[rows[:1]]
    return batch, larger
