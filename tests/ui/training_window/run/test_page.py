"""A training is started, watched, paused, stopped, cancelled, killed and gone on with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.privacy import HIDDEN
from liverseg_gui.ui.training_window.process.training_process import BusyError
from liverseg_gui.ui.training_window.run.page import RunPage
from liverseg_gui.ui.training_window.run.status_text import state_text
from liverseg_gui.ui.training_window.run.validation_image_strip import ValidationImageStrip
from liverseg_gui.ui.widgets.theme import tone_of
from tests.ui.training_window import player
from tests.ui.training_window.stage import PLAYER, Stage
from training.config.config_file import read_config_file
from training.runs.control import RunCommand, read_command
from training.runs.folder import RunRecord, RunState
from training.runs.registry import known_runs
from training.runs.training_job import TrainingJob
from training.runs.validation_image_file import write_validation_images

SILENT = (sys.executable, "-c", "import time; time.sleep(1500)")
READS = {"event": "progress", "fraction": 0.1, "phase": "Any words", "case": "Doe_John"}
READ_BEFORE = {"event": "progress", "fraction": 0.1, "phase": "Preparing case Doe_John"}
"""As an earlier version told it."""
PATIENT = {
    "event": "patient",
    "name": "Roe_Jane",
    "liver": {"dice": 0.95},
    "tumor": {"dice": None},
}


def test_a_started_training_has_its_recipe_and_is_remembered(stage: Stage) -> None:
    job = stage.job()
    stage.page.start(job)
    assert stage.page.head.title.text() == "clinic: Starting ..."
    assert stage.page.active
    assert read_config_file(job.out / "recipe.toml") == job.config
    stage.state("Running")
    assert [run.out for run in known_runs()] == [job.out]


def test_what_a_training_tells_is_shown(stage: Stage) -> None:
    stage.start()
    page = stage.page
    stage.until(lambda: page.head.bar.value() == 167)
    left = "Training: epoch 2, about 5 min to the end of the last epoch"
    assert page.head.left.text() == left
    assert page.curves.loss.curves[0].getData()[1].tolist() == [1.0]
    assert page.usage_row.memory.text() == "Memory 1.5 GB"
    assert not page.usage_row.gpu.isVisible()
    assert page.strip.caption.text() == "one cycle, epoch 1"
    assert "Trains on 2 cases, held out: 1 case. cpu" in page.log.text.toPlainText()
    assert "one cycle, epoch 1: loss 1.000, validation 2.000" in page.log.text.toPlainText()


def test_an_epoch_that_is_done_is_added_while_it_runs(stage: Stage) -> None:
    stage.start()
    stage.act("epoch")
    stage.until(lambda: stage.page.strip.caption.text() == "one cycle, epoch 2")
    assert stage.page.curves.dice.curves[1].getData()[1].tolist() == [0.1, 0.2]


def test_a_training_is_paused_and_goes_on(stage: Stage) -> None:
    stage.start()
    head = stage.page.head
    head.pause.click()
    stage.state("Paused")
    assert "waits" in head.status.text()
    assert head.pause.text() == "&Go on"
    assert not head.stop.isEnabled()
    assert head.stop.toolTip() == "Let it go on first."
    head.pause.click()
    stage.state("Running")
    assert head.pause.text() == "&Pause"
    assert head.stop.isEnabled()


def test_a_stop_is_carried_out_after_the_epoch_and_can_be_taken_back(stage: Stage) -> None:
    stage.start()
    head = stage.page.head
    head.stop.click()
    assert head.status.text() == "Stops after this epoch."
    head.stop.click()
    assert read_command(stage.record().out) == "go"
    assert head.status.text() == ""
    head.stop.click()
    stage.act("epoch")
    stage.state("Stopped")
    assert head.stop.text() == "&Stop after this epoch"
    assert "kept" in head.status.text()
    assert head.resume.isEnabled()
    assert not stage.finished


def test_cancelling_asks_first(stage: Stage) -> None:
    stage.start()
    stage.yes = False
    stage.page.head.cancel.click()
    assert "last whole epoch is kept" in stage.questions[0]
    assert read_command(stage.record().out) == "go"
    stage.yes = True
    stage.page.head.cancel.click()
    stage.state("Cancelled")
    assert stage.page.usage_row.none.isVisible()


def test_the_end_is_told_once_to_whom_it_concerns(stage: Stage) -> None:
    out = stage.start()
    stage.act("finish")
    stage.state("Finished")
    assert stage.finished == [out]
    assert stage.page.head.bar.value() == stage.page.head.bar.maximum()
    stage.page.attach(out)
    assert stage.finished == [out]


def test_a_finished_training_offers_nothing_and_says_why(stage: Stage) -> None:
    stage.start()
    stage.act("finish")
    stage.state("Finished")
    head = stage.page.head
    for button, why in ((head.cancel, "does not run"), (head.resume, "It is finished.")):
        assert not button.isEnabled()
        assert why in button.toolTip()
    assert head.folder.isEnabled()


def test_a_failure_is_said_in_the_words_of_the_window(stage: Stage) -> None:
    stage.start()
    stage.act("fail")
    stage.state("Failed")
    assert tone_of(stage.page.head.title) == "error"
    told = "The disk is full. Make room and press Go on."
    stage.until(lambda: stage.page.head.status.text().startswith(told))


def test_a_killed_training_is_interrupted_and_goes_on_from_its_last_epoch(stage: Stage) -> None:
    stage.start()
    stage.kill()
    head = stage.page.head
    assert "kept" in head.status.text()
    assert not stage.page.active
    head.resume.click()
    assert head.title.text() == "clinic: Starting ..."
    stage.state("Running")
    stage.until(lambda: stage.page.strip.caption.text() == "one cycle, epoch 2")
    assert stage.page.curves.loss.curves[0].getData()[0].tolist() == [1, 2]
    assert "Goes on." in stage.page.log.text.toPlainText()


def test_a_process_that_dies_before_it_can_write_says_its_last_words(stage: Stage) -> None:
    program = "import sys; print('noise', file=sys.stderr); raise MemoryError('no room')"
    stage.page.command = (sys.executable, "-c", program)
    stage.page.start(stage.job())
    stage.state("Failed")
    assert stage.page.head.status.text() == "The training did not start. MemoryError: no room"
    assert not stage.page.head.pause.isEnabled()
    stage.page.command = PLAYER
    stage.page.head.resume.click()
    stage.state("Running")


def test_a_process_that_crashes_before_it_can_write_says_how(stage: Stage) -> None:
    program = "import faulthandler, numpy; faulthandler.enable(); faulthandler._sigsegv()"
    stage.page.command = (sys.executable, "-c", program)
    stage.page.start(stage.job())
    stage.state("Failed")
    told = "The training did not start. Fatal Python error: Segmentation fault"
    assert stage.page.head.status.text() == told


def test_a_training_that_crashed_under_way_says_how(tmp_path: Path) -> None:
    crash = "epoch 1\nFatal Python error: Segmentation fault\n\nThread 0x1:\n  File x.py, line 1\n"
    (tmp_path / "stderr.txt").write_text(crash)
    record = RunRecord(tmp_path, "clinic", RunState.INTERRUPTED, "", TrainingJob(out=tmp_path))
    said = state_text(record, RunCommand.GO)
    assert "It said last: Fatal Python error: Segmentation fault. No epoch" in said


@pytest.mark.parametrize(
    ("printed", "last"),
    [
        (
            "x.py:1: UserWarning: old\n  warnings.warn(\n",
            " It said last: x.py:1: UserWarning: old.",
        ),
        ("Traceback:\n  File x\nOSError: Kein Platz.\n", " It said last: OSError: Kein Platz."),
        ("", ""),
    ],
)
def test_of_a_training_that_was_killed_the_last_that_it_printed_is_told(
    tmp_path: Path, printed: str, last: str
) -> None:
    (tmp_path / "stderr.txt").write_text(printed)
    record = RunRecord(tmp_path, "clinic", RunState.INTERRUPTED, "", TrainingJob(out=tmp_path))
    killed = "Its process ended before it was done: it was killed, or the computer stopped."
    kept = "No epoch was done yet, so nothing is kept."
    assert state_text(record, RunCommand.GO) == f"{killed}{last} {kept}"


def test_a_training_that_said_why_it_failed_is_not_looked_for_on_its_stderr(tmp_path: Path) -> None:
    (tmp_path / "stderr.txt").write_text("OSError: noise\n")
    failed = RunRecord(
        tmp_path, "a", RunState.FAILED, "", TrainingJob(out=tmp_path), "The disk is full."
    )
    assert state_text(failed, RunCommand.GO).startswith("The disk is full. No epoch")
    assert state_text(failed, RunCommand.GO, "Make room.").startswith("Make room. No epoch")


def test_a_second_training_is_refused_and_the_first_is_named(stage: Stage) -> None:
    out = stage.start()
    with pytest.raises(BusyError, match='"clinic" is running') as refused:
        stage.page.start(stage.job("other"))
    assert refused.value.out == out
    assert not (stage.folder / "other" / "recipe.toml").exists()


def test_a_training_outlives_its_page_and_is_found_again(stage: Stage, settings: Settings) -> None:
    out = stage.start()
    stage.page.shutdown()
    page = RunPage(stage.confirm, settings)
    stage.qtbot.addWidget(page)
    page.attach(out)
    assert page.head.title.text() == "clinic: Running"
    assert page.log.text.toPlainText() == stage.page.log.text.toPlainText()
    page.shutdown()


def test_a_second_training_is_refused_while_the_first_only_starts(stage: Stage) -> None:
    stage.page.command = SILENT
    job = stage.job()
    stage.page.start(job)
    with pytest.raises(BusyError, match='"clinic" is starting') as refused:
        stage.page.start(stage.job("other"))
    assert refused.value.out == job.out
    assert stage.page.out == job.out


def test_a_training_that_goes_on_elsewhere_is_followed_again(
    stage: Stage, settings: Settings
) -> None:
    out = stage.start()
    stage.kill()
    stage.until(lambda: stage.page._timer.interval() == 1000)
    other = RunPage(stage.confirm, settings)
    stage.qtbot.addWidget(other)
    other.command = PLAYER
    other.start(stage.job(), resume=True)
    other.shutdown()
    stage.state("Running")
    stage.until(lambda: stage.page.strip.caption.text() == "one cycle, epoch 2")
    assert stage.page._timer.interval() == 250
    stage.act("finish")
    stage.state("Finished")
    assert stage.finished == [out]


def test_a_page_that_is_opened_while_a_training_loads_says_so(
    stage: Stage, settings: Settings
) -> None:
    out = stage.start()
    stage.kill()
    stage.page.command = SILENT
    stage.page.head.resume.click()
    stage.page.shutdown()
    page = RunPage(stage.confirm, settings)
    stage.qtbot.addWidget(page)
    page.attach(out)
    assert page.head.title.text() == "clinic: Starting ..."
    assert not page.head.resume.isEnabled()
    page.shutdown()


def test_one_that_died_at_once_and_was_started_elsewhere_is_followed(
    stage: Stage, settings: Settings
) -> None:
    stage.page.command = (sys.executable, "-c", "raise SystemExit(3)")
    stage.page.start(stage.job())
    stage.state("Failed")
    other = RunPage(stage.confirm, settings)
    stage.qtbot.addWidget(other)
    other.command = PLAYER
    other.start(stage.job())
    stage.state("Running")
    other.shutdown()


@pytest.mark.parametrize("reads", [READS, READ_BEFORE])
def test_names_of_cases_are_hidden_while_patients_are(
    stage: Stage, settings: Settings, reads: dict[str, Any]
) -> None:
    out = stage.start()
    record = stage.page._follower
    assert record is not None
    record.progress.add(reads | {"eta_s": None})
    record.progress.add(PATIENT)
    stage.act("fail, of Doe_John")
    stage.state("Failed")
    page = stage.page
    assert "Doe_John" in page.head.status.text()
    assert "Held-out patient Roe_Jane" in page.log.text.toPlainText()
    settings.change(hide_patient=True)
    hidden = page.head.status.text() + page.log.text.toPlainText()
    assert "Doe_John" not in hidden
    assert "Roe_Jane" not in hidden
    assert f"Held-out patient {HIDDEN}: Dice liver 0.950" in hidden
    settings.change(hide_patient=False)
    assert "Doe_John" in page.head.status.text()
    assert "Roe_Jane" in page.log.text.toPlainText()
    assert page.out == out


def test_a_redone_epoch_shows_its_new_pictures(stage: Stage) -> None:
    out = stage.start()
    strip = stage.page.strip
    (file,) = strip._files
    before = outlined(strip)
    write_validation_images(out / file.path, player.slices(5))
    strip.show_files(out, (file,))
    assert outlined(strip) != before


def outlined(strip: ValidationImageStrip) -> list[bytes]:
    return [image.bits().tobytes() for image in strip.pictures._images]


def test_a_folder_without_a_training_is_refused(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="holds no training"):
        stage.page.attach(tmp_path)


def test_a_folder_that_goes_away_is_told(stage: Stage) -> None:
    out = stage.start()
    stage.kill()
    (out / "run.json").unlink()
    stage.page.head.command_requested.emit("go")  # it looks again
    assert "holds no training" in stage.page.problem.text()


def test_pictures_of_earlier_epochs_stay_while_new_ones_come(stage: Stage) -> None:
    stage.start()
    strip = stage.page.strip
    stage.act("epoch")
    stage.until(lambda: strip.slider.maximum() == 1)
    strip.slider.setValue(0)
    assert strip.caption.text() == "one cycle, epoch 1"
    stage.act("epoch")
    stage.until(lambda: strip.slider.maximum() == 2)
    assert strip.caption.text() == "one cycle, epoch 1"


def test_the_log_is_copied(stage: Stage) -> None:
    stage.start()
    stage.page.log.copy_button.click()
    copied = QGuiApplication.clipboard().text()
    assert copied == stage.page.log.text.toPlainText()
    assert copied.count("\n") == 1


def test_the_page_says_that_it_shows_nothing(stage: Stage) -> None:
    for button in (stage.page.head.pause, stage.page.head.resume, stage.page.head.folder):
        assert not button.isEnabled()
        assert button.toolTip() == "No training is shown."
