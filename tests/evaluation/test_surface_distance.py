from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from liverseg_gui.evaluation.surface_distance import SurfaceMetrics, surface, surface_metrics
from tests.training.blobs import blob, box

SPACING = (0.7, 0.9, 2.5)


def contour(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The surface by SimpleITK, which takes the outside for more of the same: hence the margin."""
    image = sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))
    inner = sitk.BinaryContour(image, fullyConnected=False)
    return sitk.GetArrayFromImage(inner)[1:-1, 1:-1, 1:-1].astype(bool)


def brute_force(
    a: NDArray[np.bool_], b: NDArray[np.bool_], tolerance_mm: float
) -> tuple[float, float, float, float]:
    """ASSD, RMSD, MSSD and surface Dice from every distance of every pair of surface voxels."""
    apart = cdist(*(np.argwhere(contour(m)) * np.array(SPACING) for m in (a, b)))
    d = np.concatenate([apart.min(axis=1), apart.min(axis=0)])
    return d.mean(), np.sqrt((d**2).mean()), d.max(), (d <= tolerance_mm).mean()


@pytest.mark.parametrize("seed", range(8))
def test_distances_are_those_of_brute_force_and_of_simpleitk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = blob(rng, rng.uniform(0.02, 0.5)), blob(rng, rng.uniform(0.02, 0.5))
    ours = surface_metrics(a, b, SPACING, 2.0)
    assd, rmsd, mssd, nsd = brute_force(a, b, 2.0)
    assert ours.assd_mm == pytest.approx(assd)
    assert ours.rmsd_mm == pytest.approx(rmsd)
    assert ours.mssd_mm == pytest.approx(mssd)
    assert ours.nsd == pytest.approx(nsd)
    hausdorff = sitk.HausdorffDistanceImageFilter()
    images = [sitk.GetImageFromArray(contour(m).astype(np.uint8)) for m in (a, b)]
    for image in images:
        image.SetSpacing(SPACING[::-1])
    hausdorff.Execute(*images)
    assert ours.mssd_mm == pytest.approx(hausdorff.GetHausdorffDistance(), rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_neither_mask_is_preferred(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = blob(rng), blob(rng)
    ours, theirs = surface_metrics(a, b, SPACING, 2.0), surface_metrics(b, a, SPACING, 2.0)
    assert list(vars(ours).values()) == pytest.approx(list(vars(theirs).values()))


def test_a_box_moved_by_one_slice_is_one_slice_off() -> None:
    a, b = box((4, 9), (4, 9), (3, 4)), box((4, 9), (4, 9), (4, 5))
    figures = surface_metrics(a, b, SPACING, 2.5)
    assert figures == SurfaceMetrics(2.5, 2.5, 2.5, 1.0)
    assert surface_metrics(a, b, SPACING, 2.4).nsd == 0.0


@pytest.mark.parametrize("axis", range(3))
def test_the_surface_of_a_single_slice_is_its_outline(axis: int) -> None:
    """By hand: two squares of 9 pixels, one of them moved by 4."""
    a, b = np.zeros((2, 30, 30), bool)
    a[5:14, 5:14] = b[5:14, 9:18] = True
    one, other = (np.expand_dims(mask, axis) for mask in (a, b))
    spacing = np.insert((0.7, 0.9), axis, 2.5)
    outlines = []
    for mask in (a, b):
        inner = mask.copy()
        inner[1:-1, 1:-1] &= mask[2:, 1:-1] & mask[:-2, 1:-1] & mask[1:-1, 2:] & mask[1:-1, :-2]
        outlines.append(np.argwhere(mask & ~inner) * (0.7, 0.9))
    apart = cdist(*outlines)
    d = np.concatenate([apart.min(axis=1), apart.min(axis=0)])
    ours = surface_metrics(one, other, tuple(spacing), 2.0)
    assert ours.assd_mm == pytest.approx(d.mean())
    assert ours.mssd_mm == pytest.approx(d.max())
    assert ours.nsd == pytest.approx((d <= 2.0).mean())


def test_equal_masks_have_no_distance() -> None:
    mask = blob(np.random.default_rng(1))
    assert surface_metrics(mask, mask, SPACING, 2.0) == SurfaceMetrics(0.0, 0.0, 0.0, 1.0)


def test_a_mask_at_the_edge_has_a_surface_there() -> None:
    np.testing.assert_array_equal(surface(np.ones((3, 3, 3), bool)), contour(np.ones((3,) * 3)))
    assert surface(np.ones((3, 3, 3), bool)).sum() == 26


def test_without_a_surface_there_is_no_distance() -> None:
    mask, empty = box((2, 4), (2, 4), (2, 4)), np.zeros((22, 18, 14), bool)
    assert surface_metrics(mask, empty, SPACING, 2.0) == SurfaceMetrics(nsd=0.0)
    assert surface_metrics(empty, mask, SPACING, 2.0) == SurfaceMetrics(nsd=0.0)
    assert surface_metrics(empty, empty, SPACING, 2.0) == SurfaceMetrics()
