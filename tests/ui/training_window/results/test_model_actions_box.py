"""Actions on a trained model: its card, adding, using, exporting, discarding, going back."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from liverseg_gui.segmentation.models.card import read_card
from liverseg_gui.segmentation.models.history import choose_instead
from liverseg_gui.segmentation.models.registry import find_installed
from liverseg_gui.segmentation.models.store import add_model
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.process.training_process import start_process
from liverseg_gui.ui.training_window.results.model_actions_box import ModelActionsBox
from liverseg_gui.ui.training_window.results.page import ResultPage
from liverseg_gui.ui.widgets.theme import tone_of
from tests.training.verdicts import BETTER, WORSE
from tests.ui.conftest import FakeDialogs
from tests.ui.training_window.results.conftest import figures, run_at
from training.evaluation.acceptance import AcceptanceDecision, write_decision
from training.runs.folder import held, read_run
from training.runs.registry import known_runs

Idle = Callable[[], None]


@pytest.fixture
def out(tmp_path: Path, untrained_model: Path) -> Path:
    """A finished training with a model."""
    return run_at(tmp_path / "run", [figures("a", 2)], model=untrained_model)


@pytest.fixture
def box(result: ResultPage, out: Path) -> ModelActionsBox:
    result.show_run(out)
    result.tabs.setCurrentWidget(result.model)
    return result.model


def judged(out: Path, like: AcceptanceDecision) -> None:
    """The training in `out` is an improvement with the figures of `like`."""
    sha = read_card(out / "model").sha256
    write_decision(AcceptanceDecision(like.comparison, like.old_sha256, sha), out)


def test_the_model_is_added_under_the_name_it_is_given(
    box: ModelActionsBox, idle: Idle, settings: Settings
) -> None:
    box.name.setText("portal venous")
    box.add_button.click()
    idle()
    assert box.note.text() == "portal venous is added."
    assert find_installed("portal venous") is not None
    assert settings.model == "default"
    assert not box.add_button.isEnabled()
    assert box.add_button.toolTip() == "It is added, as portal venous."
    assert box.use_button.text() == "&Use it from now on"
    box.use_button.click()
    assert settings.model == "portal venous"
    assert box.use_button.toolTip() == "It is in use."


def test_it_is_added_and_used_at_once_and_rolled_back(
    box: ModelActionsBox, idle: Idle, settings: Settings
) -> None:
    assert not box.roll_back_button.isVisible()
    box.use_button.click()
    idle()
    assert box.note.text() == "ward 7 is added and used from the next segmentation on."
    assert settings.model == "ward 7"
    assert box.roll_back_button.text() == "Roll bac&k to default"
    box.roll_back_button.click()
    assert settings.model == "default"
    assert box.note.text() == "default is used again, from the next segmentation on."
    assert not box.roll_back_button.isVisible()
    assert find_installed("ward 7") is not None


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "cannot be called ''"), ("../x", "cannot be called '../x'"), ("default", "already")],
)
def test_a_name_that_cannot_be_is_told_before_it_is_added(
    box: ModelActionsBox, name: str, why: str
) -> None:
    box.name.setText(name)
    for button in (box.add_button, box.use_button):
        assert not button.isEnabled()
        assert why in button.toolTip()


def test_words_are_written_on_the_card_and_go_with_the_model(
    box: ModelActionsBox, idle: Idle
) -> None:
    assert not box.write_button.isEnabled()
    box.card_texts.line("data").insert("Forty portal venous scans of 2024")
    box.card_texts.line("license").insert("CC BY 4.0")
    assert box.write_button.isEnabled()
    box.write_button.click()
    assert "Forty portal venous scans of 2024" in box.card.toPlainText()
    assert not box.write_button.isEnabled()
    box.card_texts.line("known_failures").insert("Cysts")
    box.add_button.click()  # writes what is not written yet
    idle()
    added = find_installed("ward 7")
    assert added is not None
    assert added.card is not None
    said = [added.card.about[key] for key in ("data", "license", "known_failures")]
    assert said == ["Forty portal venous scans of 2024", "CC BY 4.0", "Cysts"]


def test_it_is_exported_as_one_file_under_its_name(
    box: ModelActionsBox, idle: Idle, dialogs: FakeDialogs, tmp_path: Path
) -> None:
    box.name.setText("carried")
    dialogs.path = tmp_path / "carried.zip"
    box.export_button.click()
    idle()
    assert dialogs.questions == ["carried.zip"]
    assert box.note.text() == f"Written: {tmp_path / 'carried.zip'}"
    with zipfile.ZipFile(tmp_path / "carried.zip") as archive:
        (card,) = (name for name in archive.namelist() if name.endswith("card.json"))
        assert json.loads(archive.read(card))["name"] == "carried"


def test_damaged_weights_are_told_and_nothing_is_added(
    box: ModelActionsBox, idle: Idle, out: Path, dialogs: FakeDialogs
) -> None:
    weights = out / "model" / "weights.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    box.add_button.click()
    idle()
    assert "damaged" in box.note.text()
    assert tone_of(box.note) == "error"
    assert find_installed("ward 7") is None
    assert dialogs.problems == []


def test_a_training_is_discarded_once_the_reader_says_so(
    box: ModelActionsBox, result: ResultPage, out: Path, dialogs: FakeDialogs
) -> None:
    gone: list[Path] = []
    result.discarded.connect(gone.append)
    box.discard_button.click()
    assert out.is_dir()
    assert "has not been added and is lost" in dialogs.questions[0]
    dialogs.yes = True
    box.discard_button.click()
    assert not out.exists()
    assert gone == [out]
    assert known_runs() == []
    assert result.line.text() == "The training is discarded."


def test_discarding_leaves_what_others_put_there_and_says_so(
    box: ModelActionsBox, result: ResultPage, out: Path, dialogs: FakeDialogs
) -> None:
    (out / "thesis.txt").write_text("mine")
    dialogs.yes = True
    box.discard_button.click()
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    said = f"The training is discarded. {out} holds other files too, and stays."
    assert result.line.text() == said
    assert result.line.isVisible()


def test_a_training_that_was_started_here_is_discarded_with_its_folder(
    box: ModelActionsBox, out: Path, dialogs: FakeDialogs
) -> None:
    process = start_process(read_run(out).job, resume=True, command=(sys.executable, "-c", ""))
    process._process.wait()
    dialogs.yes = True
    box.discard_button.click()
    assert not out.exists()


def test_a_training_that_is_just_starting_again_is_not_discarded(
    box: ModelActionsBox, out: Path, dialogs: FakeDialogs
) -> None:
    waits = (sys.executable, "-c", "import time; time.sleep(1500)")
    process = start_process(read_run(out).job, resume=True, command=waits)
    dialogs.yes = True
    try:
        box.discard_button.click()
        assert "just starting again" in box.note.text()
        assert (out / "model").is_dir()
    finally:
        process.end()
        process._process.wait()
    box.discard_button.click()
    assert not out.exists()


def test_a_training_that_runs_again_is_not_discarded(
    box: ModelActionsBox, out: Path, dialogs: FakeDialogs
) -> None:
    dialogs.yes = True
    with held(out):
        box.discard_button.click()
    assert "still runs" in box.note.text()
    assert (out / "model").is_dir()


def test_a_model_that_is_used_from_its_folder_is_not_discarded(
    box: ModelActionsBox, out: Path, dialogs: FakeDialogs, settings: Settings
) -> None:
    settings.choose_model(str(out / "model"))
    dialogs.yes = True
    box.discard_button.click()
    assert "is the one in use" in box.note.text()
    assert (out / "model").is_dir()


def test_a_model_is_not_compared_with_itself(
    box: ModelActionsBox, result: ResultPage, idle: Idle
) -> None:
    assert result.comparison.button.isEnabled()
    box.use_button.click()
    assert not box.use_button.isEnabled()  # not twice
    idle()
    assert result.comparison.button.text() == "Compare with the model in use (ward 7)"
    assert not result.comparison.button.isEnabled()
    assert result.comparison.button.toolTip() == "This model is the one in use."


def test_an_improvement_that_passed_is_accepted(
    result: ResultPage, out: Path, idle: Idle, settings: Settings
) -> None:
    judged(out, BETTER)
    result.show_run(out)
    assert result.verdict.text().startswith("Passed: the improved model is no worse than 'old'")
    assert "cannot tell a small difference from chance" in result.verdict.text()
    assert "The rule: Accepted if neither" in result.rule.text()
    assert result.tabs.currentWidget() is result.comparison
    assert result.model.use_button.text() == "Accept: &use it from now on"
    result.model.use_button.click()
    idle()
    assert settings.model == "ward 7"


def test_an_improvement_that_fell_is_not_offered_for_use(
    result: ResultPage, out: Path, idle: Idle, settings: Settings
) -> None:
    judged(out, WORSE)
    result.show_run(out)
    assert result.verdict.text().startswith("Not accepted: 'old' stays in use. Liver does not fall")
    assert tone_of(result.verdict) == "warning"
    assert not result.model.use_button.isEnabled()
    assert "was not accepted" in result.model.use_button.toolTip()
    result.model.add_button.click()
    idle()
    assert find_installed("ward 7") is not None
    assert settings.model == "default"
    assert not result.model.use_button.isEnabled()


def test_a_decision_about_other_weights_is_not_accepted(
    result: ResultPage, out: Path, idle: Idle, settings: Settings
) -> None:
    write_decision(BETTER, out)
    result.show_run(out)
    result.model.use_button.click()
    idle()
    assert "is not the one that was judged there" in result.model.note.text()
    assert settings.model == "default"
    assert find_installed("ward 7") is None


def test_one_can_go_back_from_the_result_of_an_earlier_training(
    box: ModelActionsBox, untrained_model: Path, settings: Settings
) -> None:
    baseline = add_model(untrained_model, "other")
    choose_instead(baseline.name, settings)
    assert box.roll_back_button.text() == "Roll bac&k to default"
