from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.scan_issues import Concern, by_severity, info, warning
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.ui.dialogs.labels_dialog import LabelsDialog
from liverseg_gui.ui.widgets.issues_card import NOTHING, IssuesCard, count_text
from liverseg_gui.ui.widgets.scan_facts import ScanFacts, volume_facts
from tests.ui.conftest import Desk
from tests.ui.dialogs.test_scan_browser import all_texts
from tests.ui.entries import make_volume

UNSURE = warning("unit-spacing", "The spacing is made up.", "Open the DICOM.", Concern.MM)
MODEL = warning("phase-unknown", "The phase is not known.", "Check it.", Concern.MODEL)
GOOD = info("thick", "The slices are thick.")


@pytest.fixture
def unreliable(tmp_path: Path) -> Volume:
    return make_volume(tmp_path / "ct.nii", issues=by_severity((GOOD, MODEL, UNSURE)))


def measured(desk: Desk, volume: Volume, source: MaskSource) -> None:
    """Open `volume` and put a mask with a lesion on it."""
    labels = np.zeros(volume.shape, np.uint8)
    labels[4:12, 4:10, 2:6] = 1
    labels[6:8, 6:8, 3:5] = 2
    desk.window.study.open(volume)
    desk.window.controller._set_mask(LabelMap(labels, volume.grid), source)
    desk.qtbot.waitUntil(lambda: desk.window.study.measurements is not None)
    desk.idle()


def figures(desk: Desk) -> dict[str, str]:
    return {key: label.text() for key, label in desk.window.panel._values.items()}


def cells(desk: Desk) -> list[str]:
    table = desk.window.panel._table
    return [table.item(0, column).text() for column in range(table.columnCount())]


def test_figures_of_a_doubtful_scan_are_marked_wherever_they_stand(
    desk: Desk, unreliable: Volume
) -> None:
    measured(desk, unreliable, MaskSource(Path("m.nii.gz")))
    shown = figures(desk)
    for key in ("liver_ml", "liver_without_tumor_ml", "tumor_ml"):
        assert shown[key].endswith("ml ⚠ not reliable")
        assert "The spacing is made up." in desk.window.panel._values[key].toolTip()
    assert "⚠" not in shown["tumor_burden_percent"]
    assert cells(desk)[1].endswith("⚠")
    assert cells(desk)[2].endswith("⚠")
    assert "The spacing is made up." in desk.window.panel._table.item(0, 1).toolTip()
    assert "2 x 2 x 3 mm ⚠" in all_texts(desk.window.card)
    desk.window._hover(desk.window.panes.active_view, (1, 1, 1))
    assert desk.window.status.cursor.text().endswith("mm ⚠")


def test_figures_of_a_sound_scan_carry_no_mark(desk: Desk, tmp_path: Path) -> None:
    measured(desk, make_volume(tmp_path / "ct.nii"), MaskSource(Path("m.nii.gz")))
    assert "⚠" not in "".join([*figures(desk).values(), *cells(desk)])


@pytest.mark.parametrize("model", ["", "default"])
def test_doubts_about_the_model_are_told_after_a_segmentation_only(
    desk: Desk, unreliable: Volume, model: str
) -> None:
    measured(desk, unreliable, MaskSource(None, model, "cpu", 1.0))
    said = desk.window.panel._warnings.text()
    assert "The spacing is made up." in said
    assert ("The phase is not known." in said) == bool(model)


def test_before_there_is_a_mask_the_results_are_silent(desk: Desk, unreliable: Volume) -> None:
    desk.window.study.open(unreliable)
    assert desk.window.panel._warnings.text() == ""


def test_the_card_appears_with_the_scan_the_gravest_first(desk: Desk, unreliable: Volume) -> None:
    assert not desk.window.card_dock.isVisible()
    desk.window.study.open(unreliable, "portal venous")
    assert desk.window.card_dock.isVisible()
    texts = all_texts(desk.window.card)
    assert "2 warnings, 1 note" in texts
    assert "portal venous" in texts
    order = [texts.index(f.message) for f in unreliable.issues]
    assert order == sorted(order)
    assert "Open the DICOM." in texts


def test_a_scan_without_findings_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    card = IssuesCard()
    qtbot.addWidget(card)
    card.show_facts(volume_facts(make_volume(tmp_path / "ct.nii")))
    assert NOTHING in all_texts(card)


def test_the_card_folds_to_its_header(qtbot: QtBot) -> None:
    card = IssuesCard()
    qtbot.addWidget(card)
    card.show_facts(ScanFacts((("Size", "3"),), (UNSURE,)))
    card.show()
    unfolded = card.preferred_height
    card.header.click()
    assert not card._area.isVisible()
    assert card.maximumHeight() < unfolded
    card.header.click()
    assert card._area.isVisible()


def test_findings_are_counted_in_words() -> None:
    assert count_text((UNSURE, MODEL, GOOD)) == "2 warnings, 1 note"
    assert count_text(()) == ""


def test_what_is_no_ct_is_seen_but_not_segmented(desk: Desk, tmp_path: Path) -> None:
    volume = make_volume(tmp_path / "mr", modality="MR")
    desk.window.study.open(volume)
    action, button = desk.window.actions_by_key["segment"], desk.window.panel.segment_button
    for widget in (action, button):
        assert not widget.isEnabled()
        assert "this scan is MR" in widget.toolTip()
    assert "this scan is MR" in all_texts(desk.window.card)
    desk.window.controller.segment()
    assert "this scan is MR" in desk.dialogs.problems[0][0]
    assert desk.window.views[next(iter(desk.window.views))]._image.isVisible()
    desk.window.study.open(make_volume(tmp_path / "ct"))
    assert action.isEnabled()
    assert "F5" in button.toolTip()


class Label:
    """A label of a foreign file."""

    def __init__(self, value: int, name: str) -> None:
        self.value, self.name, self.voxels = value, name, 1000 * value


def test_the_labels_dialog_starts_from_the_proposal(qtbot: QtBot) -> None:
    dialog = LabelsDialog(None, "seg.nrrd", [Label(5, "liver"), Label(7, "")], {5: 1, 7: 0})
    qtbot.addWidget(dialog)
    assert dialog.choice.mapping == {5: 1, 7: 0}
    assert dialog.choice.remember
    dialog.boxes[7].setCurrentText("Tumor")
    dialog.remember.setChecked(False)
    assert dialog.choice.mapping == {5: 1, 7: 2}
    assert not dialog.choice.remember
    assert "check before you go on" in all_texts(dialog)


def test_a_mask_of_background_alone_is_not_accepted(qtbot: QtBot) -> None:
    dialog = LabelsDialog(None, "seg.nrrd", [Label(5, "liver")], {5: 0})
    qtbot.addWidget(dialog)
    assert not dialog.accept_button.isEnabled()
    dialog.boxes[5].setCurrentText("Liver")
    assert dialog.accept_button.isEnabled()


def test_an_error_is_no_finding_of_the_open_scan(desk: Desk, tmp_path: Path) -> None:
    """A failed opening leaves the card as it was."""
    desk.window.study.open(make_volume(tmp_path / "ct.nii"))
    before = all_texts(desk.window.card)
    desk.window.context.submit("Opening", _fail, print)
    desk.qtbot.waitUntil(lambda: bool(desk.dialogs.problems))
    assert all_texts(desk.window.card) == before


def _fail(_: object) -> None:
    raise UnreadableFileError("It is damaged.")
