from __future__ import annotations

import numpy as np
import pytest

from training.data.case import Case
from training.evaluation.evaluate_model import _rough_spacing


@pytest.mark.parametrize("slice_mm", [1.0, 8.0])
def test_a_voxel_is_as_large_as_the_spacing_says(slice_mm: float) -> None:
    slices = np.zeros((3, 8, 8), np.uint8)
    case = Case("thick", slices, slices, np.arange(3) * slice_mm, 2.5, (0.5, 0.5))
    assert _rough_spacing(case, 8.0) == (slice_mm, 0.5, 0.5)
