"""Nothing of the patient where it should not be: on a hidden screen, in the log, in an export."""

from __future__ import annotations

import gzip
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.slices import SourceSlices
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.system import privacy
from liverseg_gui.system.logging_setup import LOG_NAME, start_logging
from liverseg_gui.system.paths import cache_folder
from liverseg_gui.ui.app.exception_hook import ExceptionHook
from liverseg_gui.ui.dialogs.error_dialog import ErrorDialog
from liverseg_gui.ui.widgets.patient_display import patient_name
from tests.ui.conftest import Desk
from tests.ui.dialogs.test_scan_browser import all_texts
from tests.ui.entries import FakeReading, make_entry, make_volume
from tests.ui.test_opening import Offering, offering  # noqa: F401

SECRETS = ("Doe", "John", "4711", "2024-01-02")


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    privacy.forget_secrets()
    yield
    privacy.forget_secrets()


@pytest.fixture
def does_scan(desk: Desk, offering: Offering, tmp_path: Path) -> Desk:  # noqa: F811
    """The scan of a patient whose name is in the header, the description and the path."""
    path = tmp_path / "John Doe 4711" / "doe.nii.gz"
    volume = make_volume(path, patient="Doe^John")
    entry = make_entry(
        path,
        "Liver DOE",
        read=FakeReading(volume),
        patient="Doe^John",
        patient_id="4711",
        study_date="2024-01-02",
    )
    desk.open(offering(entry, name="Doe John"))
    desk.idle()
    return desk


def everything_said(desk: Desk) -> str:
    """Every text of every window, menus and tool tips included."""
    texts = [all_texts(widget) for widget in QApplication.topLevelWidgets()]
    for action in desk.window.findChildren(QAction):
        texts += [action.text(), action.toolTip(), action.statusTip()]
    return "\n".join([*texts, desk.window.statusBar().currentMessage()])


def test_the_patient_is_named_until_hidden_and_again_afterwards(does_scan: Desk) -> None:
    assert does_scan.window.windowTitle() == "Doe, John - LiverSeg"
    assert "Doe, John" in everything_said(does_scan)
    does_scan.trigger("hide_patient")
    assert does_scan.window.windowTitle() == "Patient hidden - LiverSeg"
    does_scan.trigger("hide_patient")
    assert does_scan.window.windowTitle() == "Doe, John - LiverSeg"


def test_a_name_in_another_script_than_the_one_shown_is_hidden_too(
    desk: Desk,
    offering: Offering,  # noqa: F811
    tmp_path: Path,
) -> None:
    path = tmp_path / "1.dcm"
    volume = make_volume(path, patient="Yamada, Tarou")
    names = "Yamada^Tarou=山田^太郎"
    entry = make_entry(
        path,
        "山田 太郎 腹部",
        read=FakeReading(volume),
        patient="Yamada, Tarou",
        patient_names=names,
    )
    desk.open(offering(entry, name="scan"))
    desk.settings.change(hide_patient=True)
    assert not set("山田太郎") & set(everything_said(desk))


def test_with_the_patient_hidden_no_text_of_the_program_names_it(does_scan: Desk) -> None:
    does_scan.trigger("hide_patient")
    labels = np.ones((16, 12, 8), np.uint8)
    mask = LabelMap(labels, does_scan.window.study.volume.grid)
    path = Path("/data/Doe John/doe mask.nii.gz")
    does_scan.window.controller._set_mask(mask, MaskSource(path))
    does_scan.window.context.say(f"Saved {path}")
    does_scan.idle()
    said = everything_said(does_scan)
    assert "Patient hidden" in said
    for secret in SECRETS:  # not "does", which windows of other tests may say
        assert not re.search(rf"(?<![^\W_]){secret}(?![^\W_])", said, re.IGNORECASE)


def test_with_the_patient_hidden_problems_and_jobs_do_not_name_it(does_scan: Desk) -> None:
    does_scan.trigger("hide_patient")
    phases: list[str] = []
    does_scan.window.runner.job_started.connect(
        lambda _: phases.append(does_scan.window.job_bar._phase.text())
    )
    does_scan.window.context.submit("Opening Doe.nii.gz", fails_with_a_name, print)
    does_scan.qtbot.waitUntil(lambda: bool(does_scan.dialogs.problems))
    for text in (does_scan.dialogs.problems[0][0], *phases):
        for secret in SECRETS:
            assert secret not in text
    assert phases


def fails_with_a_name(_: Progress) -> None:
    raise RuntimeError("/data/John Doe/ct 1.nii.gz of Doe^John (4711) went wrong")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    handler = start_logging(tmp_path / "log")
    yield tmp_path / "log" / LOG_NAME
    logging.getLogger().removeHandler(handler)
    logging.captureWarnings(False)
    handler.close()


def test_a_failed_job_leaves_no_name_and_no_path_in_the_log_or_the_copied_details(
    does_scan: Desk, log: Path
) -> None:
    does_scan.window.context.submit("Opening /data/John Doe/ct.nii", fails_with_a_name, print)
    does_scan.qtbot.waitUntil(lambda: bool(does_scan.dialogs.problems))
    message, details = does_scan.dialogs.problems[0]
    assert "/data/John Doe/ct 1.nii.gz" in message
    box = ErrorDialog(does_scan.window, message, details)
    box.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    written = log.read_text("utf-8")
    for text in (copied, box.detailedText(), written):
        assert "went wrong" in text
        assert "fails_with_a_name" in text
        assert "data/" not in text
        for secret in SECRETS:
            assert secret not in text
    assert "/data/John Doe" in box.text()


def test_what_nobody_caught_is_logged_scrubbed_and_told(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.excepthook", sys.excepthook)
    monkeypatch.setattr("threading.excepthook", None)
    told: list[tuple[str, str]] = []
    privacy.remember_secret("Doe^John")
    ExceptionHook(lambda *said: told.append(said), str, later=lambda do: do()).catch()
    try:
        fails_with_a_name(Progress())
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert "RuntimeError" in told[0][0]
    assert "Traceback" in told[0][1]
    written = log.read_text("utf-8")
    assert "went wrong" in written
    assert "Doe" not in written


def test_libraries_that_log_a_name_do_not_get_it_into_the_file(log: Path) -> None:
    privacy.remember_secret("Doe^John")
    logging.getLogger("pydicom").warning("Invalid value for VR PN: %r", "Doe^John")
    assert "Invalid value" in log.read_text("utf-8")
    assert "Doe" not in log.read_text("utf-8")


def test_where_no_log_can_be_kept_the_program_still_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert start_logging(tmp_path / "file" / "log") is None
    assert "no log is kept" in capsys.readouterr().err


def test_a_problem_without_details_has_nothing_to_copy(qtbot: QtBot) -> None:
    box = ErrorDialog(None, "The file is damaged.")
    qtbot.addWidget(box)
    assert box.copy_button is None


def test_copying_details_keeps_the_dialog_open(qtbot: QtBot) -> None:
    box = ErrorDialog(None, "It failed.", "Traceback")
    qtbot.addWidget(box)
    box.open()
    box.copy_button.click()
    assert box.isVisible()


def test_an_export_holds_the_scan_and_nothing_of_the_patient(
    desk: Desk, phantom: Phantom, tmp_path: Path
) -> None:
    header = nib.Nifti1Header()
    header["descrip"], header["aux_file"] = b"Doe^John", b"doe.txt"
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Doe^John 4711"))
    origin = Origin(tmp_path / "Doe.nii.gz", "Liver of Doe", "Doe^John", nifti_header=header)
    desk.window.study.open(Volume(phantom.volume.hu, phantom.volume.grid, origin))
    desk.dialogs.path = tmp_path / "out"
    desk.trigger("export")
    desk.idle()
    assert "Doe" not in desk.dialogs.questions[0]
    written = tmp_path / "out.nii.gz"
    image = nib.load(written)
    np.testing.assert_array_equal(
        np.asarray(image.dataobj), phantom.volume.grid.to_stored(phantom.volume.hu)
    )
    np.testing.assert_allclose(image.affine, phantom.volume.grid.affine.matrix, atol=1e-4)
    for text in ("descrip", "aux_file", "intent_name", "db_name"):
        assert bytes(image.header[text]).strip(b"\0") == b""
    assert len(image.header.extensions) == 0
    content = gzip.decompress(written.read_bytes())
    assert written.read_bytes()[3] & 0x08 == 0 or b"Doe" not in written.read_bytes()[:200]
    for secret in (b"Doe", b"John", b"4711"):
        assert secret not in content[:352]
        assert secret.lower() not in content.lower() or secret == b"Doe"


def test_an_export_never_replaces_the_scan_itself(desk: Desk, files: Path, tmp_path: Path) -> None:
    scan = tmp_path / "scan.nii.gz"
    scan.write_bytes((files / "scan.nii.gz").read_bytes())
    desk.open(scan)
    before = scan.read_bytes()
    desk.dialogs.path = scan
    desk.trigger("export")
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert "is the scan itself" in desk.dialogs.problems[0][0]
    assert scan.read_bytes() == before


def test_clearing_removes_caches_and_recent_files(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    (cache_folder() / "dicom").mkdir(parents=True, exist_ok=True)
    (cache_folder() / "dicom" / "index.json").write_text("Doe")
    (cache_folder() / "loose").write_text("Doe")
    desk.trigger("clear_traces")
    desk.idle()
    assert list(cache_folder().iterdir()) == []
    assert desk.settings.values.recent == ()
    assert desk.window.study.volume is not None
    desk.trigger("clear_traces")
    desk.idle()
    assert desk.dialogs.problems == []


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("Doe^John", "Doe, John"), ("Doe^John^^Dr", "Doe, John, Dr"), ("HCC_006", "HCC_006")],
)
def test_dicom_names_are_shown_as_readers_write_them(stored: str, shown: str) -> None:
    assert patient_name(stored) == shown


def test_a_mask_is_saved_slice_by_slice_only_where_there_are_slices(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[tuple[LabelMap, Path]] = []
    mask_slices = pytest.importorskip("liverseg_gui.io.masks.slice_images")
    monkeypatch.setattr(
        mask_slices,
        "save_mask_slices",
        lambda mask, _, folder, *_mark, asked: saved.append((mask, folder)),
    )
    action = desk.window.actions_by_key["save_slices"]
    desk.window.study.open(make_volume(tmp_path / "even"))
    assert not action.isEnabled()
    affines = tuple(Affine.from_spacing((2, 2, 3), (0, 0, 3.0 * n)) for n in range(8))
    slices = SourceSlices(tuple("abcdefgh"), (16, 12), affines)
    volume = make_volume(tmp_path / "uneven", source_slices=slices)
    desk.window.study.open(volume)
    assert not action.isEnabled()
    mask = LabelMap(np.ones(volume.shape, np.uint8), volume.grid)
    desk.window.controller._set_mask(mask, MaskSource(model="m", device="cpu", seconds=1.0))
    desk.idle()
    assert action.isEnabled()
    desk.dialogs.path = tmp_path
    desk.trigger("save_slices")
    desk.idle()
    assert saved == [(mask, tmp_path)]
