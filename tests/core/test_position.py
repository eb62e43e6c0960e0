"""Which way up a patient lies, told by the spine, on bodies that are ellipses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.geometry_override import with_geometry
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_checks import position_issues
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.entries import VolumeEntry

SPACING = (2.5, 2.5, 5.0)


def patient(bone_hu: int = 600, heart_hu: int = 40) -> NDArray[np.int16]:
    """Tissue of 320 x 220 mm with a spine and ribs, what may be a heart, and a table below."""
    x, y = np.mgrid[-200:200:2.5, -150:150:2.5]
    section = np.where((x / 160) ** 2 + (y / 110) ** 2 < 1, 40, -1000)
    section[(x + 30) ** 2 + (y - 40) ** 2 < 45**2] = heart_hu
    section[x**2 + (y + 65) ** 2 < 20**2] = bone_hu
    section[np.abs((x / 150) ** 2 + (y / 100) ** 2 - 1) < 0.03] = bone_hu
    section[(y < -130) & (np.abs(x) < 180)] = 100
    return np.repeat(section[:, :, None], 20, 2).astype(np.int16)


def sides_said(hu: NDArray[np.int16]) -> list[str]:
    i_mm, j_mm, k_mm = SPACING
    return [issue.message.split(" side")[0] for issue in position_issues(hu, (i_mm, j_mm, k_mm))]


def test_a_spine_where_the_file_calls_it_posterior_raises_no_doubt() -> None:
    assert sides_said(patient()) == []
    assert sides_said(patient()[:, :, ::-1]) == []


@pytest.mark.parametrize(
    ("turns", "side"), [(1, "right"), (2, "anterior"), (3, "left")], ids=["90", "180", "270"]
)
def test_a_turned_scan_is_doubted_by_the_side_of_its_spine(turns: int, side: str) -> None:
    (said,) = sides_said(np.rot90(patient(), turns))
    assert said == f"The spine lies on the {side}"


def test_contrast_medium_is_no_spine() -> None:
    assert sides_said(patient(heart_hu=300)) == []


def test_where_no_bone_is_seen_nothing_is_said() -> None:
    assert sides_said(patient(bone_hu=40)[:, ::-1]) == []
    assert sides_said(np.full((8, 8, 1), -1000, np.int16)) == []


def entry(hu: NDArray[np.int16], modality: str = "CT") -> VolumeEntry:
    grid = StoredGrid(hu.shape, Affine.from_spacing(SPACING, (-200, -150, 10)))
    volume = Volume(np.asfortranarray(hu), grid, Origin(Path("x"), modality=modality))
    return VolumeEntry(
        Path("x"), "", modality, volume.shape, SPACING, lambda progress, preview=None: volume
    )


def codes(volume: Volume) -> list[str]:
    return [issue.code for issue in volume.issues]


def test_a_scan_of_any_format_is_asked_when_it_is_read() -> None:
    assert codes(entry(patient()).read(Progress())) == []
    assert codes(entry(patient()[::-1, ::-1]).read(Progress())) == ["turned"]
    assert codes(entry(patient()[::-1, ::-1], "MR").read(Progress())) == []


def test_a_stated_orientation_answers_the_doubt_or_raises_it() -> None:
    turned = entry(patient()[::-1, ::-1]).read(Progress())
    assert codes(with_geometry(turned, orientation="LPS")) == ["geometry-stated"]
    assert "turned" in codes(with_geometry(turned, orientation="RAS"))
    assert "turned" in codes(with_geometry(turned, spacing_mm=(2, 2, 2)))
