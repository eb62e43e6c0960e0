from __future__ import annotations

import numpy as np

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import TUMOR, LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.surface.mesh import Surface, build_surfaces
from liverseg_gui.core.surface.picking import first_hit


def two_lesions() -> tuple[Surface, ...]:
    """Lesion 1 from x = 20 to 30 mm and lesion 2 from 4 to 8 mm, both around y = z = 15 mm."""
    labels = np.zeros((36, 30, 30), np.uint8)
    labels[20:30, 10:20, 10:20] = TUMOR
    labels[4:8, 13:17, 13:17] = TUMOR
    grid = StoredGrid(labels.shape, Affine.from_spacing((1.0, 1.0, 1.0)))
    return build_surfaces(LabelMap(labels, grid), Progress())


def everything(points: np.ndarray) -> np.ndarray:
    return np.ones(len(points), bool)


def hit(start: tuple[float, ...], direction: tuple[float, ...], seen=everything) -> int:
    found = first_hit(two_lesions(), np.array(start), np.array(direction), seen)
    return 0 if found is None else found.number


def test_the_nearest_surface_along_the_line_is_hit() -> None:
    assert hit((-50.0, 15.0, 15.0), (1.0, 0.0, 0.0)) == 2
    assert hit((90.0, 15.0, 15.0), (-1.0, 0.0, 0.0)) == 1


def test_a_line_past_all_surfaces_or_away_from_them_hits_nothing() -> None:
    assert hit((-50.0, 15.0, 15.0), (-1.0, 0.0, 0.0)) == 0
    assert hit((-50.0, 26.0, 15.0), (1.0, 0.0, 0.0)) == 0


def test_a_line_beside_the_smaller_lesion_hits_the_larger_behind_it() -> None:
    assert hit((-50.0, 18.5, 15.0), (1.0, 0.0, 0.0)) == 1


def test_what_is_cut_away_is_not_hit() -> None:
    assert hit((-50.0, 15.0, 15.0), (1.0, 0.0, 0.0), lambda at: at[:, 0] > 12) == 1
