"""Models and quality in the window."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QPushButton

from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.models import weights_check
from liverseg_gui.segmentation.models.registry import (
    ModelSource,
    find_model,
    list_models,
    models_folder,
    user_models,
)
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.ui.dialogs import models_dialog
from liverseg_gui.ui.dialogs.models_dialog import ModelsDialog
from liverseg_gui.ui.widgets.theme import tone_of
from tests.ui.conftest import Desk, FakeSegmenter


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of its own for each test; what a network has is found here, which is faster."""
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(models_dialog, "expected_shapes_apart", weights_check.expected_shapes)


@pytest.fixture
def dialog(desk: Desk) -> ModelsDialog:
    """Closed with the window."""
    desk.trigger("models")
    (dialog,) = desk.window.findChildren(ModelsDialog)
    return dialog


@pytest.fixture
def mine(untrained_model: Path) -> Path:
    """A model that was added before."""
    return Path(shutil.copytree(untrained_model, user_models() / "mine"))


def finish(desk: Desk, dialog: ModelsDialog) -> None:
    desk.qtbot.waitUntil(lambda: not dialog.runner.busy)


def listed(dialog: ModelsDialog) -> list[tuple[str, bool]]:
    """The names in the list, and whether they are marked as in use."""
    items = [dialog.list.topLevelItem(n) for n in range(dialog.list.topLevelItemCount())]
    return [(item.text(0), bool(item.text(1))) for item in items]


def select(dialog: ModelsDialog, name: str) -> None:
    found = dialog.list.findItems(name, Qt.MatchFlag.MatchStartsWith)
    dialog.list.setCurrentItem(found[0])


def test_the_default_is_listed_in_use_with_its_card(dialog: ModelsDialog) -> None:
    assert listed(dialog) == [("default", True)]
    card = dialog.card.toPlainText()
    assert "Small tumors are mostly missed" in card
    assert "mean Dice of the liver 0.955, of tumors 0.458" in card
    for button in (dialog.use_button, dialog.remove_button):
        assert not button.isEnabled()
    assert dialog.remove_button.toolTip() == "It comes with the program and stays."


def test_a_model_for_all_users_can_be_used_and_stays(
    untrained_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk: Desk
) -> None:
    monkeypatch.setenv("LIVERSEG_SITE", str(tmp_path / "site"))
    shutil.copytree(untrained_model, models_folder(ModelSource.SITE) / "ours")
    desk.trigger("models")
    (dialog,) = desk.window.findChildren(ModelsDialog)
    select(dialog, "ours")
    assert "all users" in [dialog.list.currentItem().text(n) for n in range(7)]
    assert not dialog.remove_button.isEnabled()
    assert "an administrator removes it" in dialog.remove_button.toolTip()
    dialog.use_button.click()
    assert desk.settings.model == "ours"


def test_of_two_models_of_one_name_each_has_its_card_and_the_first_is_in_use(
    mine: Path,
    untrained_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    desk: Desk,
) -> None:
    monkeypatch.setenv("LIVERSEG_SITE", str(tmp_path / "site"))
    shutil.copytree(untrained_model, models_folder(ModelSource.SITE) / "mine")
    desk.settings.choose_model("mine")
    desk.trigger("models")
    (dialog,) = desk.window.findChildren(ModelsDialog)
    assert listed(dialog) == [("default", False), ("mine", True), ("mine (cannot be used)", False)]
    assert "Cannot be used" not in dialog.card.toPlainText()
    assert dialog.use_button.toolTip() == "It is in use."
    dialog.list.setCurrentItem(dialog.list.topLevelItem(2))
    assert "a model of yours, which is used in its place" in dialog.card.toPlainText()
    assert dialog.use_button.toolTip() != "It is in use."
    assert not dialog.remove_button.isEnabled()
    desk.settings.changed.emit()
    assert dialog.list.currentItem() is dialog.list.topLevelItem(2)
    dialog.list.setCurrentItem(dialog.list.topLevelItem(1))
    desk.dialogs.yes = True
    dialog.remove_button.click()
    assert listed(dialog) == [("default", True), ("mine", False)]
    assert find_model("mine").folder == models_folder(ModelSource.SITE) / "mine"


def test_a_model_is_added_and_used_from_then_on(
    desk: Desk, dialog: ModelsDialog, untrained_model: Path
) -> None:
    desk.dialogs.path = untrained_model
    dialog.add_folder.click()
    finish(desk, dialog)
    assert listed(dialog) == [("default", True), ("untrained", False)]
    assert dialog.note.text() == "untrained is added."
    dialog.use_button.click()
    assert listed(dialog) == [("default", False), ("untrained", True)]
    assert desk.settings.model == "untrained"
    assert not dialog.use_button.isEnabled()


def test_a_zip_is_written_and_added_again_by_dropping_it(
    desk: Desk, mine: Path, dialog: ModelsDialog, tmp_path: Path
) -> None:
    select(dialog, "mine")
    desk.dialogs.path = tmp_path / "carried.zip"
    dialog.export_button.click()
    finish(desk, dialog)
    assert desk.dialogs.questions == ["mine.zip"]
    shutil.rmtree(mine)
    dialog.refresh()
    drop(dialog, tmp_path / "carried.zip")
    finish(desk, dialog)
    assert listed(dialog) == [("default", True), ("mine", False)]


def drop(dialog: ModelsDialog, path: Path) -> None:
    data, copy = QMimeData(), Qt.DropAction.CopyAction
    data.setUrls([QUrl.fromLocalFile(str(path))])
    keys, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    entering = QDragEnterEvent(QPoint(5, 5), copy, data, button, keys)
    dialog.dragEnterEvent(entering)
    assert entering.isAccepted()
    dialog.dropEvent(QDropEvent(QPointF(5, 5), copy, data, button, keys))


def test_a_name_that_is_taken_is_asked_for_in_place(
    desk: Desk, mine: Path, dialog: ModelsDialog
) -> None:
    dialog.add(mine, "mine")
    finish(desk, dialog)
    assert "a model 'mine' already" in dialog.note.text()
    assert tone_of(dialog.note) == "error"
    assert dialog.name.text() == "mine 2"
    dialog.name.setText("default")
    desk.qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    finish(desk, dialog)
    assert "stays its own" in dialog.note.text()
    dialog.name.setText("second")
    select(dialog, "mine")
    desk.qtbot.keyClick(dialog.name, Qt.Key.Key_Return)
    finish(desk, dialog)
    assert [name for name, _ in listed(dialog)] == ["default", "mine", "second"]
    assert desk.settings.model == "default"  # Enter did not press the other button too
    assert not dialog.name_row.isVisible()


def test_what_is_no_model_is_told_in_the_dialog(
    desk: Desk, dialog: ModelsDialog, tmp_path: Path
) -> None:
    (tmp_path / "net.pth").write_bytes(b"x")
    dialog.add(tmp_path / "net.pth")
    finish(desk, dialog)
    assert "can carry programs that run" in dialog.note.text()
    assert dialog.add_file.isEnabled()
    assert not desk.dialogs.problems
    desk.settings.change(hide_patient=True)
    dialog.add(tmp_path / "Doe^John" / "gone.zip")
    finish(desk, dialog)
    assert "does not exist" in dialog.note.text()
    assert "Doe" not in dialog.note.text()


def test_an_unforeseen_failure_can_be_copied(
    desk: Desk, dialog: ModelsDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(models_dialog, "add_model", fail)
    dialog.add(tmp_path)
    finish(desk, dialog)
    assert desk.dialogs.problems[0][0] == "RuntimeError: a bug"
    assert "Traceback" in desk.dialogs.problems[0][1]


def test_a_damaged_model_says_why_it_cannot_be_used(
    desk: Desk, mine: Path, dialog: ModelsDialog
) -> None:
    (mine / "card.json").write_text("{")
    dialog.refresh()
    select(dialog, "mine")
    assert "card.json is missing or damaged" in dialog.card.toPlainText()
    assert not dialog.use_button.isEnabled()
    dialog.use()
    assert desk.settings.model == "default"
    desk.dialogs.yes = True
    dialog.remove_button.click()
    assert listed(dialog) == [("default", True)]
    assert not mine.exists()


def test_removing_asks_and_the_default_is_used_again(
    desk: Desk, mine: Path, dialog: ModelsDialog
) -> None:
    select(dialog, "mine")
    dialog.use_button.click()
    dialog.remove_button.click()
    assert mine.is_dir()
    assert len(desk.dialogs.questions) == 1
    desk.dialogs.yes = True
    dialog.remove_button.click()
    assert not mine.exists()
    assert desk.settings.model == "default"
    assert listed(dialog) == [("default", True)]


@pytest.mark.usefixtures("patient_shutdown")
def test_closing_gives_up_what_is_being_added(
    desk: Desk, dialog: ModelsDialog, untrained_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def endless(_card: object, progress: Progress) -> None:
        started.append(1)
        while True:
            progress.update(0.0, "Checking")

    monkeypatch.setattr(models_dialog, "expected_shapes_apart", endless)
    dialog.add(untrained_model)
    desk.qtbot.waitUntil(lambda: bool(started))
    assert not dialog.add_file.isEnabled()
    runner = dialog.runner
    dialog.reject()
    assert not runner._thread.is_alive()
    assert [m.name for m in list_models()] == ["default"]
    desk.settings.change(quality="best")  # nobody listens any more


@pytest.mark.usefixtures("patient_shutdown")
def test_closing_the_window_closes_the_dialog_first(desk: Desk, dialog: ModelsDialog) -> None:
    runner = dialog.runner
    desk.window.closing.emit()
    assert not runner._thread.is_alive()


def test_a_folder_that_the_command_line_named_is_told(
    desk: Desk, dialog: ModelsDialog, untrained_model: Path
) -> None:
    desk.settings.use_model_for_now(str(untrained_model))
    dialog.refresh()
    assert listed(dialog) == [("default", False)]
    assert "as the command line said" in dialog.note.text()
    dialog.use_button.click()
    assert listed(dialog) == [("default", True)]


def test_a_chosen_model_that_is_gone_is_told(desk: Desk, dialog: ModelsDialog) -> None:
    desk.settings.choose_model("gone")
    assert "There is no model 'gone'" in dialog.note.text()
    assert tone_of(dialog.note) == "error"


def test_a_card_is_text_and_no_page(desk: Desk, mine: Path, dialog: ModelsDialog) -> None:
    card = json.loads((mine / "card.json").read_text())
    card["known_failures"] = "<img src='file:///etc/passwd'><b>none</b>"
    (mine / "card.json").write_text(json.dumps(card))
    dialog.refresh(mine)
    assert "<img src='file:///etc/passwd'><b>none</b>" in dialog.card.toPlainText()


def test_every_button_of_the_dialog_has_a_letter_of_its_own(dialog: ModelsDialog) -> None:
    texts = [button.text() for button in dialog.findChildren(QPushButton)]
    letters = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
    assert len(letters) >= 7
    assert len(letters) == len(set(letters))


def test_the_running_segmentation_goes_on_while_a_model_is_chosen(
    desk: Desk, files: Path, mine: Path
) -> None:
    desk.open(files / "scan.nii.gz")
    desk.segmenter.go_on.clear()
    desk.trigger("segment")
    desk.trigger("models")
    (dialog,) = desk.window.findChildren(ModelsDialog)
    select(dialog, "mine")
    dialog.use_button.click()
    dialog.add(mine, "second")
    finish(desk, dialog)
    assert find_model("second").name == "second"
    assert desk.window.runner.busy
    desk.segmenter.go_on.set()
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    dialog.reject()


def test_quality_is_chosen_beside_the_button_in_the_menu_and_in_the_preferences(
    desk: Desk,
) -> None:
    box = desk.window.panel.quality
    assert box.currentText() == "Fast"
    assert "no better on held-out patients" in box.toolTip()
    box.setCurrentIndex(1)
    box.activated.emit(1)
    assert desk.settings.values.quality == "best"
    assert desk.window.actions_by_key["quality best"].isChecked()
    assert not desk.window.actions_by_key["quality fast"].isChecked()
    desk.trigger("quality fast")
    assert desk.settings.values.quality == "fast"
    assert box.currentText() == "Fast"
    desk.trigger("quality fast")  # what is chosen stays chosen
    assert desk.window.actions_by_key["quality fast"].isChecked()


class CountingSegmenter(FakeSegmenter):
    """Remembers the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        self.requests += 1
        return super().segment(volume, progress)


def test_two_requests_never_run_at_once(desk: Desk, files: Path) -> None:
    counting = CountingSegmenter()
    desk.window.controller._segmenter = counting
    desk.open(files / "scan.nii.gz")
    counting.go_on.clear()
    button = desk.window.panel.segment_button
    desk.qtbot.mouseDClick(button, Qt.MouseButton.LeftButton)
    for _ in range(3):
        desk.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        desk.qtbot.keyClick(desk.window, Qt.Key.Key_F5)
        desk.window.controller.segment()
    desk.qtbot.waitUntil(lambda: counting.requests == 1)
    counting.go_on.set()
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()
    assert counting.requests == 1


def test_why_it_ran_where_it_did_stands_in_the_results(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    study, panel = desk.window.study, desk.window.panel
    assert study.mask is not None
    source = MaskSource(None, "m", "cpu", 3.0, why="The graphics card has too little memory.")
    study.set_mask(study.mask, source)
    assert panel._source.text().startswith("Model m on cpu, 3.0 s. Not reviewed. Not saved")
    assert panel._source.toolTip() == "The graphics card has too little memory."
