"""What can be a liver, on bodies that are ellipses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.scan_issues import Concern, ScanIssue, Severity
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.segmentation.plausibility import check_plausibility, organ_position


def body(slices: int = 30) -> Volume:
    """320 x 220 mm of tissue and, apart from it, a table."""
    x, y = np.mgrid[-200:200:2.5, -150:150:2.5]
    section = np.where((x / 160) ** 2 + (y / 110) ** 2 < 1, 40, -1000)
    section[(y < -130) & (np.abs(x) < 180)] = 100
    hu = np.repeat(section[:, :, None], slices, 2).astype(np.int16)
    return Volume(hu, StoredGrid(hu.shape, Affine.from_spacing((2.5, 2.5, 5))), Origin(Path("x")))


def ball(volume: Volume, x_mm: float, radius_mm: float) -> np.ndarray:
    """Labels of a ball whose middle lies `x_mm` towards the right."""
    i, j, k = np.indices(volume.shape)
    middle = np.array(volume.shape)[:, None, None, None] / 2
    d = (np.stack([i, j, k]) - middle) * np.array([2.5, 2.5, 5.0])[:, None, None, None]
    d[0] -= x_mm
    return ((d**2).sum(0) < radius_mm**2).astype(np.uint8)


def test_an_organ_on_the_right_is_a_liver() -> None:
    volume = body()
    labels = ball(volume, 70, 70)
    found, doubts = check_plausibility(labels, volume)
    assert found is labels
    assert doubts == ()
    position = organ_position(labels, volume)
    assert position.offset == pytest.approx(70 / 160, abs=0.06)
    assert position.share == pytest.approx(70 * 70 / (160 * 110), abs=0.05)


def test_what_fills_the_body_is_none_and_nothing_stays_marked() -> None:
    volume = body()
    found, (doubt,) = check_plausibility((volume.hu == 40).astype(np.uint8), volume)
    assert not found.any()
    assert "No liver found" in doubt
    assert "body's section" in doubt


@pytest.mark.parametrize("x_mm", [0.0, -60.0])
def test_an_organ_in_the_middle_or_on_the_left_is_doubted(x_mm: float) -> None:
    volume = body()
    labels = ball(volume, x_mm, 65)
    found, (doubt,) = check_plausibility(labels, volume)
    assert found is labels
    assert "right" in doubt


def test_a_speck_is_none() -> None:
    volume = body()
    found, (doubt,) = check_plausibility(ball(volume, 60, 20), volume)
    assert not found.any()
    assert doubt.startswith("No liver found (3")


def test_a_few_slices_hold_only_a_little_of_a_liver() -> None:
    volume = body(2)
    labels = np.repeat(ball(body(30), 70, 60)[:, :, 15:16], 2, 2)
    assert 0 < labels.sum() * volume.affine.voxel_ml < 150
    found, doubts = check_plausibility(labels, volume)
    assert found is labels
    assert doubts == ()


def test_empty_labels_and_an_empty_scan_are_told() -> None:
    volume = body()
    assert "(0 ml" in check_plausibility(np.zeros(volume.shape, np.uint8), volume)[1][0]
    air = Volume(np.full(volume.shape, -1000, np.int16), volume.grid, volume.origin)
    assert not check_plausibility(np.ones(volume.shape, np.uint8), air)[0].any()


def test_a_scan_of_the_liver_alone_is_doubted_and_keeps_its_mask() -> None:
    whole = body()
    hu = whole.hu[100:145, 40:80].copy(order="F")  # all of it body
    volume = Volume(hu, StoredGrid(hu.shape, Affine.from_spacing((2.5, 2.5, 5))), whole.origin)
    labels = np.zeros(hu.shape, np.uint8)
    labels[4:-4, 4:-4, 4:-4] = 1
    found, (doubt,) = check_plausibility(labels, volume)
    assert found is labels
    assert "part of the body" in doubt


@pytest.mark.parametrize("spacing_mm", [0.01, 40.0])
def test_a_liver_is_judged_by_the_body_where_the_spacing_is_wrong(spacing_mm: float) -> None:
    true = body()
    grid = StoredGrid(true.shape, Affine.from_spacing((spacing_mm,) * 3))
    doubt = ScanIssue("implausible-spacing", Severity.WARNING, "Wrong.", "State it.", Concern.MM)
    volume = Volume(true.hu, grid, Origin(Path("x")), issues=(doubt,))
    liver, speck = ball(true, 70, 70), ball(true, 70, 12)
    assert check_plausibility(liver, volume) == (liver, ())
    found, (said,) = check_plausibility(speck, volume)
    assert not found.any()
    assert "No liver found" in said


def test_more_of_a_liver_in_the_mirror_image_is_a_doubt() -> None:
    volume = body()
    labels = ball(volume, 70, 70)
    assert check_plausibility(labels, volume, mirrored_share=0.9) == (labels, ())
    found, (doubt,) = check_plausibility(labels, volume, mirrored_share=3.0)
    assert found is labels
    assert "right and left may be swapped" in doubt


def test_where_no_liver_is_found_the_mirror_image_may_say_why() -> None:
    volume = body()
    _, doubts = check_plausibility(ball(volume, 60, 20), volume, mirrored_share=float("inf"))
    assert doubts[0].startswith("No liver found")
    assert "mirror image" in doubts[1]


def test_a_very_large_organ_is_kept_and_doubted() -> None:
    volume = body(70)
    column = np.hypot(*(np.indices(volume.shape[:2]) - [[[110]], [[60]]])) < 32  # 80 mm
    labels = np.repeat(column[:, :, None], 70, 2).astype(np.uint8)
    found, (doubt,) = check_plausibility(labels, volume)
    assert found is labels
    assert "more than nearly all livers have" in doubt


@pytest.mark.parametrize(("slices", "doubted"), [(slice(0, 8), True), (slice(22, 30), False)])
def test_lungs_below_the_liver_tell_of_a_scan_upside_down(slices: slice, doubted: bool) -> None:
    volume = body()
    hu = volume.hu.copy()
    i, j, _ = np.indices(volume.shape)
    lungs = (np.abs(i - 80) > 12) & (np.hypot((i - 80) / 64, (j - 60) / 44) < 0.8)
    hu[..., slices][lungs[..., slices]] = -850
    scan = Volume(hu, volume.grid, volume.origin)
    _, doubts = check_plausibility(ball(volume, 70, 60), scan)
    assert any("upside" in d or "wrong order" in d for d in doubts) is doubted


@pytest.mark.parametrize(("x", "doubted"), [(110, True), (20, False)], ids=["beside", "far off"])
def test_metal_beside_the_organ_is_a_doubt(x: int, doubted: bool) -> None:
    volume = body()
    hu = volume.hu.copy()
    hu[x : x + 3, 60:63, 14:16] = 3071
    scan = Volume(hu, volume.grid, volume.origin)
    _, doubts = check_plausibility(ball(volume, 70, 60), scan)
    assert any("Metal" in doubt for doubt in doubts) is doubted
