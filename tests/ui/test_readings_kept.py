"""Annotations are there again when their scan is."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import write_scan
from liverseg_gui.state import annotation_store
from liverseg_gui.state.annotation_store import AnnotationStore
from liverseg_gui.state.annotations import Annotations
from liverseg_gui.state.history import History
from liverseg_gui.state.open_scan import OpenScan
from liverseg_gui.state.scan_folder import scans_folder, volume_fingerprint
from liverseg_gui.system.clear_caches import clear_caches
from tests.ui.conftest import Desk


def ruler(k: int = 24, text: str = "") -> Annotation:
    ends = ((40.0, 40.0, float(k)), (60.0, 50.0, float(k)))
    return Annotation(AnnotationKind.RULER, Plane.AXIAL, k, ends, text)


def items(desk: Desk) -> list[Annotation]:
    return list(desk.window.context.annotations.items.values())


@pytest.fixture
def measured(desk: Desk, files: Path) -> Desk:
    desk.open(files / "scan.nii.gz")
    desk.window.context.annotations.add(ruler())
    return desk


@pytest.fixture
def other(phantom: Phantom, tmp_path: Path) -> Path:
    """Another scan of the same grid: a single voxel differs."""
    hu = phantom.volume.hu.copy()
    hu[5, 5, 5] += 1
    write_scan(Volume(hu, phantom.volume.grid, phantom.volume.origin), tmp_path / "other.nii.gz")
    return tmp_path / "other.nii.gz"


def test_a_scan_that_is_opened_again_has_its_annotations(
    measured: Desk, files: Path, other: Path
) -> None:
    measured.open(other)
    assert items(measured) == []
    measured.window.context.annotations.add(ruler(10, "cyst"))
    measured.open(files / "scan.nii.gz")
    assert items(measured) == [ruler()]
    assert "1 reading is shown again" in measured.window.statusBar().currentMessage()
    assert not measured.window.context.history.can_undo
    measured.open(other)
    assert items(measured) == [ruler(10, "cyst")]
    assert not measured.dialogs.questions


def test_they_are_found_wherever_the_scan_lies(measured: Desk, files: Path, tmp_path: Path) -> None:
    shutil.copy(files / "scan.nii.gz", tmp_path / "Miller^Anna.nii.gz")
    measured.open(tmp_path / "Miller^Anna.nii.gz")
    assert items(measured) == [ruler()]
    written = b"".join(path.read_bytes() for path in scans_folder().rglob("*") if path.is_file())
    names = " ".join(str(path) for path in scans_folder().rglob("*"))
    assert b"Miller" not in written
    assert "Miller" not in names


def test_two_series_of_a_study_keep_their_own(desk: Desk, phantom: Phantom, tmp_path: Path) -> None:
    hu = phantom.volume.hu.copy()
    hu[60:70, 60:70, 20:30] += 40
    later = Volume(hu, phantom.volume.grid, phantom.volume.origin)
    write_dicom_series(phantom.volume, tmp_path / "arterial")
    write_dicom_series(later, tmp_path / "venous")
    desk.open(tmp_path / "arterial")
    desk.window.context.annotations.add(ruler())
    desk.open(tmp_path / "venous")
    assert items(desk) == []
    desk.open(tmp_path / "arterial")
    assert items(desk) == [ruler()]


def test_every_change_is_on_disk_at_once(measured: Desk, files: Path) -> None:
    annotations = measured.window.context.annotations
    (id_,) = annotations.items
    stores: list[AnnotationStore] = []

    def kept() -> list[Annotation]:
        study, history = OpenScan(), History()
        again = Annotations(study, history)
        stores.append(AnnotationStore(study, again))
        study.open(measured.window.study.volume)
        return list(again.items.values())

    annotations.replace(id_, ruler(text="Lesion 1"))
    assert kept() == [ruler(text="Lesion 1")]
    measured.trigger("undo")
    assert kept() == [ruler()]
    annotations.remove(id_)
    assert kept() == []
    measured.trigger("undo")
    assert kept() == [ruler()]
    annotations.add(ruler(30))
    annotations.clear()
    assert kept() == []
    measured.trigger("undo")
    assert kept() == [ruler(), ruler(30)]


def test_two_windows_on_one_scan_keep_what_each_drew(phantom: Phantom, desk: Desk) -> None:
    def window() -> Annotations:
        study = OpenScan()
        made = Annotations(study, History())
        stores.append(AnnotationStore(study, made))
        study.open(phantom.volume)
        return made

    stores: list[AnnotationStore] = []
    first, second = window(), window()
    shared = first.add(ruler(1))
    second.add(ruler(2))
    first.replace(shared, ruler(3))
    assert set(window().items.values()) == {ruler(2), ruler(3)}
    first.remove(shared)
    assert set(window().items.values()) == {ruler(2)}


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")
def test_nobody_else_reads_them(measured: Desk) -> None:
    paths = [path for path in scans_folder().rglob("*") if path.suffix != ".lock"]
    assert paths
    for path in (scans_folder(), *paths):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_clearing_the_caches_leaves_them(measured: Desk, files: Path) -> None:
    clear_caches(Progress())
    measured.open(files / "scan.nii.gz")
    assert items(measured) == [ruler()]


def test_a_stated_geometry_has_annotations_of_its_own(phantom: Phantom) -> None:
    volume = phantom.volume
    grid = type(volume.grid)(volume.grid.shape, Affine.from_spacing((1, 1, 1)))
    assert volume_fingerprint(Volume(volume.hu, grid, volume.origin)) != volume_fingerprint(volume)


@pytest.mark.parametrize(
    "garbage",
    ["", "{", "[]", "null", "{}", '{"annotations": 5}', "[" * 10**5, "\x00\xff"],
    ids=range(8),
)
def test_a_damaged_file_is_set_aside_and_told(measured: Desk, files: Path, garbage: str) -> None:
    (file,) = scans_folder().glob("*/annotations.json")
    file.write_text(garbage, encoding="latin-1")
    measured.open(files / "scan.nii.gz")
    assert items(measured) == []
    assert file.with_name("annotations.json.bad").read_text(encoding="latin-1") == garbage
    measured.window.context.annotations.add(ruler(7))
    measured.open(files / "scan.nii.gz")
    assert items(measured) == [ruler(7)]


def test_a_row_that_makes_no_annotation_takes_no_other_along(measured: Desk, files: Path) -> None:
    (file,) = scans_folder().glob("*/annotations.json")
    rows = json.loads(file.read_text())["annotations"]
    (good,) = rows.values()
    wrong = [
        5,
        {},
        {**good, "index": 10**9},
        {**good, "index": "x"},
        {**good, "plane": 3},
        {**good, "kind": "laser"},
        {**good, "points_ijk": [[float("nan")] * 3] * 2},
        {**good, "points_ijk": "abc"},
        {**good, "text": ["a"]},
    ]
    rows |= dict(zip("abcdefghi", wrong, strict=True))
    file.write_text(json.dumps({"annotations": rows}))
    measured.open(files / "scan.nii.gz")
    assert items(measured) == [ruler()]


def test_what_cannot_be_kept_is_told_and_asked_about(
    measured: Desk, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise SaveError(f"{folder} could not be written: no space left.")

    monkeypatch.setattr(annotation_store, "make_private", refuse)
    before = measured.window.study.volume
    measured.window.context.annotations.add(ruler(30))
    assert "could not be kept" in measured.window.statusBar().currentMessage()
    measured.open(files / "scan.nii.gz")
    assert "could not be kept" in measured.dialogs.questions[-1]
    assert measured.window.study.volume is before
    measured.dialogs.path = tmp_path / "r.json"
    measured.trigger("save_report")
    measured.dialogs.questions.clear()
    measured.open(files / "scan.nii.gz")
    assert not measured.dialogs.questions


def test_opening_a_mask_takes_no_annotations_and_asks_nothing(measured: Desk, files: Path) -> None:
    measured.window.controller.open_mask(files / "truth.nii.gz")
    measured.idle()
    assert measured.window.study.mask is not None
    assert not measured.dialogs.questions
    assert items(measured) == [ruler()]
