"""A mask that was not saved is offered back, and one that was replaced comes back by Undo."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.phantom import Phantom
from liverseg_gui.state.open_scan import MaskSource, OpenScan, ScanLocation
from liverseg_gui.state.scan_folder import scans_folder
from liverseg_gui.state.unsaved_masks import UnsavedMasks
from liverseg_gui.ui.app.app import open_first
from tests.ui.conftest import Desk

_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.io.scans import list_volumes
from liverseg_gui.core.progress import Progress
from liverseg_gui.state.open_scan import MaskSource, OpenScan, ScanLocation
from liverseg_gui.state.unsaved_masks import UnsavedMasks

path = Path(sys.argv[1])
(entry,) = list_volumes(path, Progress())
volume = entry.read(Progress(), lambda _: None)
study = OpenScan()
masks = UnsavedMasks(study)
study.open(volume, place=ScanLocation(path))
labels = ((volume.hu > 80) & (volume.hu < 150)).astype(np.uint8)
study.set_mask(LabelMap(labels, volume.grid), MaskSource(model="m", device="cpu", seconds=2.0))
masks.flush()
print("kept", flush=True)
os.kill(os.getpid(), signal.SIGKILL if sys.argv[2] == "kill" else signal.SIGSEGV)
"""


def copies() -> list[Path]:
    return sorted(scans_folder().glob("*/*.mask"))


def soft_tissue(desk: Desk) -> np.ndarray:
    hu = desk.window.study.volume.hu
    return (hu > 80) & (hu < 150)


@pytest.fixture
def killed(desk: Desk, files: Path) -> Path:
    """The copy that a process left which was killed."""
    subprocess.run(
        [sys.executable, "-c", _KILLED, files / "scan.nii.gz", "kill"], check=False, timeout=600
    )
    (file,) = copies()
    return file


def test_a_mask_is_offered_when_its_scan_is_opened_again(
    desk: Desk, files: Path, killed: Path
) -> None:
    desk.dialogs.restore_answer = True
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.mask is not None)
    desk.idle()
    study = desk.window.study
    assert "was not saved when LiverSeg ended" in desk.dialogs.questions[-1]
    assert np.array_equal(study.mask.labels == 1, soft_tissue(desk))
    assert (study.mask_source.model, study.mask_source.seconds) == ("m", 2.0)
    assert study.unsaved
    assert not killed.exists()
    assert len(copies()) == 1  # the window's own


def test_it_can_be_deleted_or_left_for_later(desk: Desk, files: Path, killed: Path) -> None:
    desk.dialogs.restore_answer = None
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.questions))
    assert killed.exists()
    desk.dialogs.restore_answer = False
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(lambda: not killed.exists())
    assert desk.window.study.mask is None


def test_the_next_start_offers_it_and_opens_the_scan(desk: Desk, killed: Path) -> None:
    desk.dialogs.yes = True
    open_first(desk.window, None)
    desk.qtbot.waitUntil(lambda: desk.window.study.mask is not None)
    assert "scan.nii.gz" in desk.dialogs.questions[0]
    assert len(desk.dialogs.questions) == 1
    assert not killed.exists()


def test_the_next_start_says_nothing_of_a_scan_that_is_gone(desk: Desk, phantom: Phantom) -> None:
    study = OpenScan()
    masks = UnsavedMasks(study)
    study.open(phantom.volume, place=ScanLocation(Path("/nowhere/scan.nii.gz")))
    study.set_mask(phantom.truth, MaskSource(model="m"))
    masks.flush()
    masks._lock.release()
    open_first(desk.window, None)
    assert not desk.dialogs.questions


def test_another_scan_is_offered_nothing(desk: Desk, killed: Path, phantom: Phantom) -> None:
    assert desk.window.context.unsaved_masks.left_behind("0" * 32) == []
    assert len(desk.window.context.unsaved_masks.left_behind()) == 1


def test_the_mask_of_an_open_window_is_not_offered_to_another(
    desk: Desk, files: Path, phantom: Phantom
) -> None:
    desk.open(files / "scan.nii.gz")
    desk.trigger("segment")
    desk.idle()
    desk.window.context.unsaved_masks.flush()
    other = UnsavedMasks(OpenScan())
    assert len(copies()) == 1
    assert other.left_behind() == []


def test_a_copy_goes_when_its_mask_is_saved_or_may_go(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    def count() -> int:
        desk.window.context.unsaved_masks.flush()
        return len(copies())

    desk.open(files / "scan.nii.gz")
    assert count() == 0
    desk.trigger("segment")
    desk.idle()
    assert count() == 1
    desk.dialogs.path = tmp_path / "m.nii.gz"
    desk.trigger("save_mask")
    assert count() == 0
    desk.trigger("segment")
    desk.idle()
    assert count() == 1
    desk.dialogs.save_answer = False
    desk.open(files / "scan.nii.gz")
    assert count() == 0
    desk.window.controller.open_mask(files / "truth.nii.gz")
    desk.idle()
    assert count() == 0
    desk.dialogs.yes = True
    desk.trigger("segment")
    desk.idle()
    desk.window.close()
    assert copies() == []
    assert list(scans_folder().glob("*.lock")) == []


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")
def test_nobody_else_reads_a_copy(killed: Path) -> None:
    assert stat.S_IMODE(killed.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "garbage", [b"", b"x", gzip.compress(b""), gzip.compress(b"{}\n"), gzip.compress(b"[1]\n")]
)
def test_a_copy_without_its_head_is_no_offer(killed: Path, desk: Desk, garbage: bytes) -> None:
    killed.write_bytes(garbage)
    assert desk.window.context.unsaved_masks.left_behind() == []


@pytest.mark.parametrize("part", ["cut", "short", "label"])
def test_a_damaged_copy_is_told_and_changes_nothing(
    desk: Desk, files: Path, killed: Path, part: str
) -> None:
    whole = gzip.decompress(killed.read_bytes())
    head, data = whole.split(b"\n", 1)
    killed.write_bytes(
        {
            "cut": killed.read_bytes()[:-200],
            "short": gzip.compress(head + b"\n" + data[:-5]),
            "label": gzip.compress(head + b"\n\x07" + data[1:]),
        }[part]
    )
    desk.dialogs.restore_answer = True
    desk.open(files / "scan.nii.gz")
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert "damaged" in desk.dialogs.problems[-1][0]
    assert desk.window.study.mask is None
    assert not killed.exists()


def test_a_replaced_mask_comes_back_by_undo(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    study, actions = desk.window.study, desk.window.actions_by_key
    opened, source = study.mask, study.mask_source
    assert not actions["undo"].isEnabled()
    desk.dialogs.yes = True
    desk.trigger("segment")
    desk.idle()
    assert "Ctrl+Z" in desk.dialogs.questions[-1]
    made = study.mask
    assert made is not opened
    assert actions["undo"].text() == "&Undo replace mask"
    desk.trigger("undo")
    desk.idle()
    assert (study.mask, study.mask_source, study.unsaved) == (opened, source, False)
    assert study.measurements is not None
    desk.trigger("redo")
    desk.idle()
    assert (study.mask, study.unsaved) == (made, True)


def test_a_mask_that_was_saved_is_saved_when_it_comes_back(
    desk: Desk, files: Path, tmp_path: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    desk.trigger("segment")
    desk.idle()
    desk.dialogs.path = tmp_path / "m.nii.gz"
    desk.trigger("save_mask")
    desk.trigger("segment")
    desk.idle()
    assert desk.window.study.unsaved
    desk.trigger("undo")
    desk.idle()
    assert not desk.window.study.unsaved


def test_another_scan_takes_the_steps_along(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.dialogs.yes = True
    desk.trigger("segment")
    desk.idle()
    desk.dialogs.save_answer = False
    desk.open(files / "scan.nii.gz")
    assert not desk.window.context.history.can_undo
