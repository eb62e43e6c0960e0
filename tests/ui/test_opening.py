from __future__ import annotations

import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.scan_issues import error
from liverseg_gui.io import scans
from liverseg_gui.io.entries import Role, VolumeEntry
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.settings_values import LastStudy
from liverseg_gui.ui.app.app import keep_geometry, open_first, restore_geometry
from tests.ui.conftest import Desk
from tests.ui.entries import FakeReading, make_entry, make_volume

Offering = Callable[..., Path]


@pytest.fixture
def offering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offering:
    """Makes a path at which the given entries are found."""
    found: dict[Path, list[VolumeEntry]] = {}
    list_volumes = scans.list_volumes
    monkeypatch.setattr(
        scans, "list_volumes", lambda path, _: found.get(path) or list_volumes(path)
    )

    def offer(*entries: VolumeEntry, name: str = "study") -> Path:
        path = tmp_path / name
        path.mkdir()
        found[path] = list(entries)
        return path

    return offer


def held_reading(path: Path) -> FakeReading:
    """A reading that has shown a slice of 900 HU and waits."""
    reading = FakeReading(make_volume(path, hu=100), make_volume(path, (16, 12, 1), 900))
    reading.go_on.clear()
    return reading


def test_the_only_volume_is_read_at_once(desk: Desk, offering: Offering, tmp_path: Path) -> None:
    aside = make_entry(tmp_path, "Scout", role=Role.LOCALIZER)
    path = offering(make_entry(tmp_path), aside)
    desk.open(path)
    assert desk.dialogs.offered == []
    assert desk.window.study.volume is not None
    assert desk.settings.values.last == LastStudy(path, 1)


def test_of_several_volumes_the_chosen_one_is_read(
    desk: Desk, offering: Offering, tmp_path: Path
) -> None:
    readings = [FakeReading(make_volume(tmp_path, hu=n)) for n in (10, 20)]
    path = offering(*(make_entry(tmp_path, read=reading) for reading in readings))
    desk.dialogs.choice = 1
    desk.open(path)
    desk.idle()
    assert len(desk.dialogs.offered) == 2
    assert desk.window.study.volume is readings[1].volume
    assert desk.settings.values.last == LastStudy(path, 2)


def test_where_no_volume_is_all_is_shown(desk: Desk, offering: Offering, tmp_path: Path) -> None:
    desk.open(offering(make_entry(tmp_path, role=Role.SINGLE)))
    assert len(desk.dialogs.offered) == 1
    assert desk.window.study.volume is None


def test_a_volume_with_a_problem_is_not_read(
    desk: Desk, offering: Offering, tmp_path: Path
) -> None:
    reading = FakeReading(make_volume(tmp_path))
    grave = (error("color", "This is a color picture.", "Open the CT."),)
    desk.open(offering(make_entry(tmp_path, read=reading, issues=grave)))
    assert desk.dialogs.problems == [("This is a color picture. Open the CT.", "")]
    assert reading.threads == []


def test_the_mask_of_a_data_set_opens_with_its_scan(
    desk: Desk, offering: Offering, files: Path, phantom: Phantom
) -> None:
    entry = make_entry(
        files / "scan.nii.gz", read=FakeReading(phantom.volume), mask=files / "truth.nii.gz"
    )
    desk.open(offering(entry))
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    assert desk.window.study.mask_source.path == files / "truth.nii.gz"


def test_the_first_slice_is_seen_while_the_rest_is_read(
    desk: Desk, offering: Offering, files: Path, tmp_path: Path
) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    before, window = desk.window.study.volume, desk.window
    figures = [label.text() for label in window.panel._values.values()]
    reading = held_reading(tmp_path)
    window.controller.open(offering(make_entry(tmp_path, read=reading)))
    desk.qtbot.waitUntil(lambda: window.study.preview is not None)
    assert reading.threads[0] is not threading.main_thread()
    assert window.study.volume is before
    axial, coronal = window.views[Plane.AXIAL], window.views[Plane.CORONAL]
    assert axial._image.isVisible()
    assert np.all(axial._image.image == 900)
    assert not coronal._image.isVisible()
    assert "Reading" in coronal.labels["info"].text()
    assert "Reading" in window.windowTitle()
    assert not window.card.isEnabled()
    assert not window.panel.isEnabled()
    assert not set(figures) & {label.text() for label in window.panel._values.values()}
    assert window.panel._table.rowCount() == 0
    assert window.card._facts is None
    reading.go_on.set()
    desk.idle()
    assert window.study.preview is None
    assert window.study.volume is reading.volume
    assert coronal._image.isVisible()
    assert window.panel.isEnabled()
    assert window.card._facts is not None


@pytest.mark.parametrize("fails", [True, False])
def test_a_reading_that_fails_or_is_cancelled_leaves_the_open_study(
    desk: Desk, offering: Offering, files: Path, tmp_path: Path, fails: bool
) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    study, view = desk.window.study, desk.window.views[Plane.AXIAL]
    before = study.volume, study.mask, study.measurements
    picture = view._image.image.copy()
    reading = held_reading(tmp_path)
    reading.failure = UnreadableFileError("Slice 7 is damaged. Copy it again.")
    desk.window.controller.open(offering(make_entry(tmp_path, read=reading)))
    desk.qtbot.waitUntil(lambda: study.preview is not None)
    if fails:
        reading.go_on.set()
        desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    else:
        desk.trigger("cancel")
    desk.idle()
    assert study.preview is None
    assert (study.volume, study.mask, study.measurements) == before
    assert np.array_equal(view._image.image, picture)
    assert desk.window.overlays[view.plane].fill.isVisible()
    assert "ml" in desk.window.panel._values["liver_ml"].text()
    assert desk.window.panel._table.rowCount() == 3
    assert desk.window.card._facts is not None
    assert desk.window.windowTitle().startswith("scan.nii.gz")
    assert desk.settings.values.last == LastStudy(files / "scan.nii.gz", 1)


def test_opening_another_scan_gives_up_the_one_being_read(
    desk: Desk, offering: Offering, tmp_path: Path
) -> None:
    first, second = held_reading(tmp_path), FakeReading(make_volume(tmp_path, hu=7))
    desk.window.controller.open(offering(make_entry(tmp_path, read=first)))
    desk.qtbot.waitUntil(lambda: desk.window.study.preview is not None)
    desk.open(offering(make_entry(tmp_path, read=second), name="second"))
    desk.idle()
    assert desk.window.study.volume is second.volume
    assert desk.window.study.preview is None


def test_what_was_opened_is_offered_again_and_what_is_gone_is_said_so(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.nii.gz"
    shutil.copy(files / "scan.nii.gz", copy)
    desk.open(files / "scan.nii.gz")
    desk.open(copy)
    actions = desk.window.actions_by_key
    assert [actions[f"recent {n}"].isVisible() for n in (1, 2, 3)] == [True, True, False]
    assert actions["recent 1"].text().endswith("copy.nii.gz")
    copy.unlink()
    desk.trigger("recent 1")
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert "not there any more" in desk.dialogs.problems[0][0]
    assert desk.settings.values.recent == (files / "scan.nii.gz",)
    desk.trigger("recent 1")
    desk.idle()
    assert desk.window.study.volume.origin.path == files / "scan.nii.gz"
    desk.trigger("clear_recent")
    assert desk.settings.values.recent == ()
    assert not actions["recent 1"].isVisible()


def test_ctrl_1_opens_the_newest(desk: Desk, files: Path) -> None:
    desk.qtbot.waitUntil(desk.window.isActiveWindow)
    desk.settings.opened(files / "scan.nii.gz")
    desk.qtbot.keyClick(desk.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    desk.idle()
    assert desk.window.study.volume is not None


@pytest.mark.parametrize("wished", [True, False])
def test_the_last_study_is_opened_at_the_start_where_that_is_wished(
    desk: Desk, files: Path, wished: bool
) -> None:
    desk.settings.opened(files / "scan.nii.gz", 1)
    if wished:
        desk.trigger("reopen_last")
    assert Settings(desk.settings._file).values.reopen_last is wished
    open_first(desk.window, None)
    desk.idle()
    assert (desk.window.study.volume is not None) is wished


def test_damaged_settings_are_said_at_the_start(desk: Desk) -> None:
    desk.settings.note = "The settings were damaged."
    open_first(desk.window, None)
    assert desk.window.statusBar().currentMessage() == "The settings were damaged."


def test_the_window_comes_back_where_it_was(desk: Desk, tmp_path: Path) -> None:
    stored = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    desk.window.resize(796, 590)
    keep_geometry(desk.window, stored)
    desk.window.resize(1300, 820)
    restore_geometry(desk.window, QSettings(stored.fileName(), QSettings.Format.IniFormat))
    assert (desk.window.width(), desk.window.height()) == (796, 590)


def drop(desk: Desk, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        QEvent.Type.Drop,
    )
    desk.window.dropEvent(event)


@pytest.mark.parametrize("what", ["files", "folder", "zip"])
def test_files_of_a_series_a_folder_or_an_archive_can_be_dropped(
    desk: Desk, files: Path, tmp_path: Path, phantom: Phantom, what: str
) -> None:
    dicom = files / "dicom"
    if not dicom.is_dir():
        from liverseg_gui.io.dicom.write import write_dicom_series

        write_dicom_series(phantom.volume, dicom)
    if what == "zip":
        with zipfile.ZipFile(tmp_path / "ct.zip", "w") as archive:
            for file in dicom.iterdir():
                archive.write(file, f"ct/{file.name}")
    dropped = {
        "files": sorted(dicom.iterdir())[3:9],
        "folder": [dicom],
        "zip": [tmp_path / "ct.zip"],
    }
    drop(desk, *dropped[what])
    desk.qtbot.waitUntil(lambda: desk.window.study.volume is not None)
    assert desk.window.study.volume.shape == phantom.volume.shape
    assert desk.dialogs.problems == []


def test_several_scans_dropped_together_are_offered(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.nii.gz"
    shutil.copy(files / "scan.nii.gz", copy)
    desk.dialogs.choice = 1
    drop(desk, files / "scan.nii.gz", copy)
    desk.qtbot.waitUntil(lambda: desk.window.study.volume is not None)
    assert [entry.path for entry in desk.dialogs.offered] == [files / "scan.nii.gz", copy]
    assert desk.window.study.volume.origin.path == copy
    assert desk.settings.values.last == LastStudy(copy, 1)
