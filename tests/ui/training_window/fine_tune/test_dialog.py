"""Fine-tuning the model in use: the plan that is shown before, and what is started."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.state.corrected_studies import mark_reviewed, remember_corrected
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.fine_tune.dialog import FineTuneDialog
from liverseg_gui.ui.training_window.pages import standard_pages
from liverseg_gui.ui.training_window.window import Step, TrainingWindow
from tests.training.layouts import decathlon, pair, small
from tests.ui.conftest import FakeDialogs
from tests.ui.training_window.conftest import look
from tests.ui.training_window.test_window import FakeConfig, FakeResult, FakeRun
from training.data.case import CaseSource
from training.data.dataset_layouts import find_sources
from training.data.selection import DataSelection
from training.planning.fine_tune_plan import fine_tune_config
from training.runs.training_job import TrainingJob


@pytest.fixture
def cases(seven: Path) -> list[CaseSource]:
    return find_sources(seven)


def asking(
    qtbot: QtBot,
    settings: Settings,
    cases: list[CaseSource],
    selection: DataSelection,
) -> FineTuneDialog:
    dialog = FineTuneDialog(None, settings, cases, selection, 140)
    qtbot.addWidget(dialog)
    dialog.open()
    return dialog


@pytest.fixture
def dialog(
    qtbot: QtBot, settings: Settings, cases: list[CaseSource], seven: Path
) -> Iterator[FineTuneDialog]:
    dialog = asking(qtbot, settings, cases, DataSelection(folders=(seven,), folds=3, seed=1))
    yield dialog
    dialog.reject()


def test_it_says_what_will_happen_before_anything_does(dialog: FineTuneDialog) -> None:
    assert dialog.title.text() == "Improve default with 7 cases"
    said = dialog.plan_label.text()
    assert "'default' goes on learning from 6 cases, gently: 3 epochs at a rate of 0.0002" in said
    # It was trained on LiTS, where six of these numbers are patients it has seen.
    assert "1 case held out, by patient: liver_" in said
    assert "Nothing is used before you accept it" in said
    assert not isinstance(dialog.plan, str)
    assert len(dialog.plan.held_out) == 1
    assert dialog.estimate.button.isEnabled()
    assert dialog.plan.slice_counts(140) == (120, 20)


def test_the_job_that_it_starts_improves_the_model_in_use(
    dialog: FineTuneDialog, seven: Path, tmp_path: Path
) -> None:
    requested: list[TrainingJob] = []
    dialog.job_requested.connect(requested.append)
    assert dialog.name.text() == "default-2"
    dialog.start_button.click()
    (job,) = requested
    assert job == TrainingJob(
        out=tmp_path / "home" / "data" / "trainings" / "default-2",
        data=DataSelection(folders=(seven,), folds=3, seed=1),
        name="default-2",
        config=fine_tune_config(find_model("default"), "default"),
        fine_tune=True,
    )
    assert job.arguments()[:2] == ["train", "--improve"]
    assert not dialog.isVisible()


@pytest.mark.parametrize(("name", "why"), [("default", "already"), ("a/b", "cannot be called")])
def test_a_name_that_cannot_be_does_not_start(dialog: FineTuneDialog, name: str, why: str) -> None:
    dialog.name.setText(name)
    assert not dialog.start_button.isEnabled()
    assert why in dialog.note.text()


def test_one_patient_is_too_few_and_the_reason_is_told(
    qtbot: QtBot, settings: Settings, cases: list[CaseSource]
) -> None:
    dialog = asking(qtbot, settings, cases[:1], DataSelection())
    assert dialog.note.text().startswith("There is one patient, too few to improve a model")
    assert not dialog.start_button.isEnabled()
    assert not dialog.estimate.isVisible()
    dialog.reject()


def test_somebody_is_held_out_also_where_the_data_page_holds_out_nobody(
    qtbot: QtBot, settings: Settings, cases: list[CaseSource]
) -> None:
    dialog = asking(qtbot, settings, cases, DataSelection(folds=1))
    assert not isinstance(dialog.plan, str)
    assert len(dialog.plan.held_out) == 1
    assert dialog.plan.job(Path("o"), "n").data.folds == 5
    dialog.reject()


def test_names_of_cases_are_hidden_where_patients_are(
    qtbot: QtBot, settings: Settings, cases: list[CaseSource]
) -> None:
    settings.change(hide_patient=True)
    dialog = asking(qtbot, settings, cases, DataSelection())
    assert "liver_" not in dialog.plan_label.text()
    assert "1 case held out, by patient. Nothing" in dialog.plan_label.text()
    dialog.reject()


@pytest.fixture
def room(qtbot: QtBot, settings: Settings, dialogs: FakeDialogs) -> Iterator[TrainingWindow]:
    pages = replace(
        standard_pages(settings, dialogs),  # type: ignore[arg-type]
        config=FakeConfig,
        run=FakeRun,
        result=FakeResult,
        job=lambda *_: pytest.fail("no training from a recipe was asked for"),
    )
    room = TrainingWindow(None, pages)
    qtbot.addWidget(room)
    room.show()
    yield room
    room.reject()


def test_the_room_offers_it_with_the_studies_that_are_chosen(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    button = room.improve_button
    assert button.text() == "&Improve the model with new studies ..."
    assert not button.isEnabled()
    assert button.toolTip() == "No case is included."
    look(qtbot, room.data, seven)
    assert button.text() == "&Improve the model with 1 new study ..."  # six are cases of LiTS
    button.click()
    (dialog,) = room.findChildren(FineTuneDialog)
    dialog.start_button.click()
    assert room.step is Step.RUN
    assert not button.isVisible()
    ((job, resume),) = room.page(Step.RUN).started
    assert isinstance(job, TrainingJob)
    assert (job.fine_tune, job.data.folders, resume) == (True, (seven,), False)


def test_two_studies_corrected_here_are_enough(
    qtbot: QtBot, room: TrainingWindow, tmp_path: Path
) -> None:
    for seed in (1, 2):
        scan, mask = (tmp_path / f"{what}{seed}.nii.gz" for what in ("scan", "mask"))
        pair(small(seed), scan, mask)
        remember_corrected(scan, mask, None, f"id {seed}", "2026-01-31")
    room.data.refresh_corrected()
    room.data.folders.corrected.click()
    look(qtbot, room.data)
    assert room.improve_button.text() == "&Improve the model with 2 new studies ..."
    room.improve_button.click()
    (dialog,) = room.findChildren(FineTuneDialog)
    assert dialog.reviews.text() == (
        "Corrected here: corrected-1 (reviewed on 2026-01-31), corrected-2 (reviewed on "
        "2026-01-31)."
    )
    dialog.start_button.click()
    ((job, _),) = room.page(Step.RUN).started
    assert isinstance(job, TrainingJob)
    assert job.data.corrected


def test_studies_that_nobody_reviewed_are_not_counted_and_not_learned_from(
    qtbot: QtBot, room: TrainingWindow, tmp_path: Path
) -> None:
    for seed in (1, 2, 3):
        scan, mask = (tmp_path / f"{what}{seed}.nii.gz" for what in ("scan", "mask"))
        pair(small(seed), scan, mask)
        remember_corrected(scan, mask, None, f"id {seed}", "2026-01-31")
    mark_reviewed("corrected-2", "")
    room.data.refresh_corrected()
    room.data.folders.corrected.click()
    look(qtbot, room.data)
    assert room.improve_button.text() == "&Improve the model with 2 new studies ..."
    room.improve_button.click()
    (dialog,) = room.findChildren(FineTuneDialog)
    assert dialog.reviews.text().endswith("Not reviewed, and left out: 1.")
    assert not isinstance(dialog.plan, str)
    learned = {*dialog.plan.training, *dialog.plan.held_out}
    assert learned == {"corrected-1", "corrected-3"}
    dialog.reject()


def test_with_nothing_that_the_model_has_not_seen_it_says_so(
    qtbot: QtBot, room: TrainingWindow, tmp_path: Path
) -> None:
    decathlon(tmp_path / "set", (1, 2))  # the default model learned from these of LiTS
    look(qtbot, room.data, tmp_path / "set")
    button = room.improve_button
    assert button.text() == "&Improve the model with new studies ..."
    assert not button.isEnabled()
    assert "was trained on all of these" in button.toolTip()


def test_a_training_that_cannot_start_is_told_where_it_was_asked_for(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    look(qtbot, room.data, seven)
    room.page(Step.RUN).failure = "The disk is full."
    room.improve_button.click()
    (dialog,) = room.findChildren(FineTuneDialog)
    dialog.start_button.click()
    assert room.step is Step.DATA
    assert room.note.text() == "The disk is full."


def test_a_discarded_training_can_no_longer_be_gone_to(
    qtbot: QtBot, room: TrainingWindow, seven: Path
) -> None:
    look(qtbot, room.data, seven)
    room.improve_button.click()
    (dialog,) = room.findChildren(FineTuneDialog)
    dialog.start_button.click()
    room.next_button.click()
    assert room.step is Step.RESULT
    room.page(Step.RESULT).discarded.emit(room.page(Step.RESULT).shown)
    assert room.why_not(Step.RUN).startswith("Start a training first")
