"""Preview of a scan: one slice, to be shown before the rest is read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.display import grey
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.core.window_level import PRESETS

_THUMBNAIL_PX = 128


def one_slice(hu: NDArray[np.int16], grid: StoredGrid, k: int, origin: Origin) -> Volume:
    """Stored slice `k` of `grid` as a volume; `hu` has shape (i, j, 1) in stored order."""
    matrix = grid.affine.matrix.copy()
    matrix[:3, 3] = grid.affine.to_mm((0, 0, k))
    own = StoredGrid((grid.shape[0], grid.shape[1], 1), Affine(matrix))
    return Volume(np.asfortranarray(own.to_ras(hu)), own, origin)


def plane_of(single: Volume) -> Plane:
    """The plane that a volume of one slice lies in."""
    return next((p for p in Plane if single.shape[p.normal] == 1), Plane.AXIAL)


def thumbnail(single: Volume) -> NDArray[np.uint8]:
    """A volume of one slice as a small grey picture (rows, columns), at most 128 pixels a side."""
    image = plane_of(single).cut(single.hu, 0)
    step = -(-max(image.shape) // _THUMBNAIL_PX)
    return np.ascontiguousarray(grey(image[::step, ::step], PRESETS["Abdomen"]))
