"""The windows that files state for themselves."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.window_level import NamedWindow, Window
from liverseg_gui.io.dicom.cache import HeaderCache
from liverseg_gui.io.dicom.index import index_folder
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.scans import open_scan
from tests.io.dicom_files import change, copy, enhanced


@pytest.fixture(scope="module")
def series(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom_series(phantom.volume, folder)
    return folder


def windows(path: Path) -> tuple[NamedWindow, ...]:
    return open_scan(path).origin.windows


def test_a_series_that_states_none_has_none(series: Path) -> None:
    assert windows(series) == ()


def test_several_windows_keep_their_order_and_names(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(
            file,
            WindowCenter=[40, -600],
            WindowWidth=[300, 1500],
            WindowCenterWidthExplanation=["SOFT", "LUNG"],
        )
    assert windows(tmp_path) == (
        NamedWindow("SOFT", Window(300, 40)),
        NamedWindow("LUNG", Window(1500, -600)),
    )


def test_fewer_names_or_widths_than_centers_are_borne(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(
            file,
            WindowCenter=[40, -600, 90],
            WindowWidth=[300, 1500],
            WindowCenterWidthExplanation="SOFT",
        )
    assert windows(tmp_path) == (
        NamedWindow("SOFT", Window(300, 40)),
        NamedWindow("", Window(1500, -600)),
    )


def test_nonsense_is_left_out_and_the_rest_kept(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(
            file,
            WindowCenter=[40, 40, 30000, 50],
            WindowWidth=[0, -400, 400, 350],
            WindowCenterWidthExplanation=["A", "B", "C", "D"],
        )
    assert windows(tmp_path) == (NamedWindow("D", Window(350, 50)),)


def test_the_windows_of_most_slices_count(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        change(file, WindowCenter=40 if n % 3 else 900, WindowWidth=400)
    assert windows(tmp_path) == (NamedWindow("", Window(400, 40)),)


def test_where_each_slice_has_its_own_the_middle_one_counts(series: Path, tmp_path: Path) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        change(file, WindowCenter=100 + n, WindowWidth=400)
    assert windows(tmp_path) == (NamedWindow("", Window(400, 106)),)


def test_frames_of_an_enhanced_image_state_theirs(series: Path, tmp_path: Path) -> None:
    path = enhanced(copy(series, tmp_path / "parts"), tmp_path / "enhanced.dcm")
    image = pydicom.dcmread(path)
    for frame in image.PerFrameFunctionalGroupsSequence:
        frame.FrameVOILUTSequence = [Dataset()]
        frame.FrameVOILUTSequence[0].WindowCenter = 60
        frame.FrameVOILUTSequence[0].WindowWidth = 360
        frame.FrameVOILUTSequence[0].WindowCenterWidthExplanation = "ABDOMEN"
    image.save_as(path)
    assert windows(path) == (NamedWindow("ABDOMEN", Window(360, 60)),)


def test_all_frames_of_an_enhanced_image_may_share_one(series: Path, tmp_path: Path) -> None:
    path = enhanced(copy(series, tmp_path / "parts"), tmp_path / "enhanced.dcm")
    image = pydicom.dcmread(path)
    shared = image.SharedFunctionalGroupsSequence[0]
    shared.FrameVOILUTSequence = [Dataset()]
    shared.FrameVOILUTSequence[0].WindowCenter = 60
    shared.FrameVOILUTSequence[0].WindowWidth = 360
    image.save_as(path)
    assert windows(path) == (NamedWindow("", Window(360, 60)),)


def test_the_header_cache_keeps_them(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path / "series"):
        change(file, WindowCenter=[40, 90], WindowWidth=[400, 150])
    cache = HeaderCache(tmp_path / "cache.sqlite")
    (read,) = index_folder(tmp_path / "series", Progress(), cache)
    (kept,) = index_folder(tmp_path / "series", Progress(), cache)
    assert kept.headers == read.headers
    assert kept.headers[0].windows == (("", 400.0, 40.0), ("", 150.0, 90.0))


def test_a_cache_of_an_earlier_version_is_removed(tmp_path: Path) -> None:
    old = tmp_path / "headers-1.sqlite"
    old.write_bytes(b"names")
    with HeaderCache(tmp_path / "headers-2.sqlite"):
        pass
    assert not old.exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chaos_ct3", (NamedWindow("", Window(400, 50)), NamedWindow("", Window(400, 50)))),
        ("hcc_006", (NamedWindow("", Window(400, 40)),)),
        (
            "jpeg2000",
            (NamedWindow("WINDOW1", Window(300, 40)), NamedWindow("WINDOW2", Window(1500, 300))),
        ),
        ("tcga_uneven", (NamedWindow("", Window(410, 70)), NamedWindow("", Window(2000, -700)))),
    ],
)
def test_real_series_state_theirs(
    real_data: Path, name: str, expected: tuple[NamedWindow, ...]
) -> None:
    assert windows(real_data / "dicom" / name) == expected


def nifti(path: Path, low: float, high: float, shear: float = 0.0) -> Path:
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[1, 2] = shear
    image = nib.Nifti1Image(np.zeros((8, 8, 6), np.int16), affine)
    image.header["cal_min"], image.header["cal_max"] = low, high
    nib.save(image, path)
    return path


@pytest.mark.parametrize("shear", [0.0, 0.6])
def test_nifti_states_one_by_its_lowest_and_highest_value(tmp_path: Path, shear: float) -> None:
    path = nifti(tmp_path / "scan.nii", -160, 240, shear)
    assert windows(path) == (NamedWindow("", Window(400, 40)),)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 0), (240, -160), (float("nan"), 240), (-32768, 32767)]
)
def test_nifti_that_states_nothing_sensible_has_none(
    tmp_path: Path, low: float, high: float
) -> None:
    assert windows(nifti(tmp_path / "scan.nii", low, high)) == ()
