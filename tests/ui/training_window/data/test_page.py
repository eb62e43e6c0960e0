"""The data page: which cases are trained on, and what is wrong with them."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.state.corrected_studies import (
    corrected_studies,
    mark_reviewed,
    remember_corrected,
)
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.privacy import scrub
from liverseg_gui.ui.training_window.data import case_columns
from liverseg_gui.ui.training_window.data import page as data_page
from liverseg_gui.ui.training_window.data.case_columns import REVIEWED
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.widgets.number_box import NumberBox
from liverseg_gui.ui.widgets.severity import TONE_ROLE
from liverseg_gui.ui.widgets.theme import tone_of
from tests.conftest import WAIT_S
from tests.training import layouts
from tests.training.layouts import decathlon, labelled, pair, small
from tests.ui.conftest import FakeDialogs
from tests.ui.training_window.conftest import idle, listed, look, parts
from training.data.dataset_layouts import find_all
from training.data.selection import DataSelection
from training.data.splits import make_split


def row(page: DataPage, name: str):
    (item,) = page.table.findItems(name, Qt.MatchFlag.MatchExactly)
    return item


def spin(page: DataPage, name: str) -> NumberBox:
    return next(s for s in page.fold_bar.findChildren(NumberBox) if s.accessibleName() == name)


def test_an_empty_page_says_what_to_do(page: DataPage) -> None:
    assert "Add a folder of scans with their masks" in page.issue_list.texts[0]
    assert not page.ready
    assert page.why_not == "No case is included."
    assert page.selection() == DataSelection()


def test_a_folder_that_is_added_is_listed_with_what_each_case_holds(
    qtbot: QtBot, page: DataPage, dialogs: FakeDialogs, seven: Path
) -> None:
    dialogs.path = seven
    page.folders.add_button.click()
    idle(qtbot, page)
    assert listed(page) == [f"liver_{n}" for n in range(1, 8)]
    item = row(page, "liver_1")
    assert item.text(case_columns.SLICES) == "20"
    assert item.text(case_columns.SPACING) == "5 x 5.5 x 10 mm"
    voxels = small(1).truth.labels
    liver_ml, tumor_ml = ((voxels >= n).sum() * 5 * 5.5 * 10 / 1000 for n in (1, 2))
    assert item.text(case_columns.LIVER) == f"{liver_ml:.0f} ml"
    assert item.text(case_columns.TUMORS) == f"{tumor_ml:.1f} ml, 1 lesion"
    picture = item.icon(0).pixmap(64, 64).toImage().convertToFormat(QImage.Format.Format_RGB888)
    colors = {picture.pixelColor(x, y).name() for x in range(0, 64) for y in range(0, 64)}
    assert len(colors) > 20
    assert page.ready


def test_the_parts_are_those_of_the_training_and_follow_every_change(
    qtbot: QtBot, page: DataPage, seven: Path
) -> None:
    look(qtbot, page, seven)

    def expected(excluded: tuple[str, ...] = ()) -> dict[str, str]:
        chosen = page.selection()
        split = make_split(
            find_all([seven], False, excluded), chosen.folds, chosen.fold, chosen.seed
        )
        out = dict.fromkeys(excluded, "left out") | dict.fromkeys(split.validation, "held out")
        return dict.fromkeys(split.training, "trained on") | out

    assert parts(page) == expected()
    assert page.fold_bar.text == "Split by patient: 5 train, 2 held out."
    spin(page, "Parts").setValue(3)
    spin(page, "Part that is held out").setValue(3)
    assert (page.selection().folds, page.selection().fold) == (3, 2)
    assert parts(page) == expected()
    spin(page, "Shuffle").setValue(11)
    assert parts(page) == expected()
    row(page, "liver_4").setData(0, Qt.ItemDataRole.CheckStateRole, Qt.CheckState.Unchecked.value)
    assert page.selection().excluded == ("liver_4",)
    assert parts(page) == expected(("liver_4",))
    assert [source.name for source in page.sources] == [f"liver_{n}" for n in (1, 2, 3, 5, 6, 7)]


def test_the_part_held_out_is_one_of_the_parts(qtbot: QtBot, page: DataPage) -> None:
    spin(page, "Part that is held out").setValue(5)
    spin(page, "Parts").setValue(2)
    assert page.selection().fold == 1
    spin(page, "Parts").setValue(1)
    assert page.selection().fold == 0
    assert not spin(page, "Part that is held out").isEnabled()


def test_space_leaves_out_all_that_is_selected(qtbot: QtBot, page: DataPage, seven: Path) -> None:
    look(qtbot, page, seven)
    page.table.setCurrentItem(row(page, "liver_2"))
    row(page, "liver_5").setSelected(True)
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert page.selection().excluded == ("liver_2", "liver_5")
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert page.selection().excluded == ()


def test_names_sort_by_number_and_figures_by_size(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    for name, tumors in (("c2", (40.0,)), ("c10", (20.0,)), ("c1", (60.0,))):
        pair(small(1, tumors), tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_mask.nii.gz")
    look(qtbot, page, tmp_path)
    assert listed(page) == ["c1", "c2", "c10"]
    page.table.sortByColumn(case_columns.TUMORS, Qt.SortOrder.AscendingOrder)
    assert listed(page) == ["c10", "c2", "c1"]


def test_one_folder_that_cannot_be_read_is_told_and_the_others_stay(
    qtbot: QtBot, page: DataPage, seven: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    look(qtbot, page, bare, seven)
    assert page.selection().folders == (seven,)
    assert len(listed(page)) == 7
    assert f"{bare} holds no labelled cases" in page.issue_list.texts[0]
    item = page.folders.list.item(0)
    assert item.data(TONE_ROLE) == "error"
    assert "holds no labelled cases" in item.toolTip()
    assert page.ready
    page.folders.list.setCurrentItem(item)
    page.folders.remove_button.click()
    idle(qtbot, page)
    assert page.issue_list.texts[0].startswith("Nothing is doubtful about the cases together")


def test_a_case_that_cannot_be_read_is_left_out_for_good(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    layouts.decathlon(tmp_path, (1, 2, 3))
    (tmp_path / "imagesTr" / "liver_2.nii.gz").write_bytes(b"no scan")
    look(qtbot, page, tmp_path)
    assert page.selection().excluded == ("liver_2",)
    item = row(page, "liver_2")
    assert parts(page)["liver_2"] == "left out"
    assert item.data(case_columns.PROBLEMS, TONE_ROLE) == "error"
    assert "liver_2.nii.gz" in item.toolTip(case_columns.PROBLEMS)
    page.table.setCurrentItem(item)
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert page.selection().excluded == ("liver_2",)
    assert page.issue_list.texts[0].startswith("\N{HEAVY MULTIPLICATION X} liver_2:")


def test_a_case_with_an_error_is_left_out_until_the_reader_takes_it(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    layouts.decathlon(tmp_path, (1, 2, 3))
    scan, mask = (tmp_path / part / "liver_3.nii.gz" for part in ("imagesTr", "labelsTr"))
    labelled(scan, mask, np.where(small(3).truth.labels == 2, 2, 0), 3)
    look(qtbot, page, tmp_path)
    assert page.selection().excluded == ("liver_3",)
    page.table.setCurrentItem(row(page, "liver_3"))
    assert "only tumor" in page.issue_list.texts[0]
    assert "Draw the liver" in page.issue_list.texts[0]
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert page.selection().excluded == ()
    pair(small(9), tmp_path / "more" / "x.nii.gz", tmp_path / "more" / "x_mask.nii.gz")
    look(qtbot, page, tmp_path / "more")
    assert page.selection().excluded == ()


def test_two_patients_that_look_alike_are_told_until_one_is_left_out(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    layouts.decathlon(tmp_path, (1, 2, 3))
    shutil.copy(tmp_path / "imagesTr" / "liver_1.nii.gz", tmp_path / "imagesTr" / "liver_3.nii.gz")
    shutil.copy(tmp_path / "labelsTr" / "liver_1.nii.gz", tmp_path / "labelsTr" / "liver_3.nii.gz")
    look(qtbot, page, tmp_path)
    assert "liver_1 and liver_3: The scans are the same" in page.issue_list.texts[0]
    page.table.setCurrentItem(row(page, "liver_3"))
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    assert not any("are the same" in text for text in page.issue_list.texts)


def test_no_tumor_anywhere_and_a_single_patient_are_said(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    pair(small(1, ()), tmp_path / "a.nii.gz", tmp_path / "a_mask.nii.gz")
    look(qtbot, page, tmp_path)
    assert row(page, "a").text(case_columns.TUMORS) == "no tumor"
    said = "\n".join(page.issue_list.texts)
    assert "No mask holds a tumor" in said
    assert "All cases are one patient's" in said
    assert not page.ready
    assert "Add another patient" in page.why_not
    assert tone_of(page.fold_bar._text) == "warning"


def test_a_second_folder_reads_only_what_is_new(
    qtbot: QtBot, page: DataPage, seven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(qtbot, page, seven)
    read: list[str] = []
    load = nib.load
    monkeypatch.setattr(nib, "load", lambda path, *a, **k: read.append(str(path)) or load(path))
    layouts.decathlon(tmp_path / "siteB", (2, 9))
    look(qtbot, page, tmp_path / "siteB")
    assert {"siteA-liver_2", "siteB-liver_2", "liver_9", "liver_1"} <= set(listed(page))
    assert len(listed(page)) == 9
    assert not any("siteA" in path for path in read)


def test_a_mask_that_was_put_right_is_read_when_the_reader_looks_again(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    assert not page.folders.again_button.isEnabled()
    layouts.decathlon(tmp_path, (1, 2, 3))
    scan, mask = (tmp_path / part / "liver_3.nii.gz" for part in ("imagesTr", "labelsTr"))
    labelled(scan, mask, np.zeros_like(small(3).truth.labels), 3)
    look(qtbot, page, tmp_path)
    page.table.setCurrentItem(row(page, "liver_1"))
    assert page.selection().excluded == ("liver_3",)
    pair(small(3), scan, mask)
    page.folders.again_button.click()
    idle(qtbot, page)
    assert page.selection().excluded == ()
    assert row(page, "liver_3").text(case_columns.PROBLEMS) == ""
    assert page.table.chosen == "liver_1"


def test_a_case_stays_left_out_when_another_folder_renames_it(
    qtbot: QtBot, page: DataPage, seven: Path, tmp_path: Path
) -> None:
    look(qtbot, page, seven)
    page.table.setCurrentItem(row(page, "liver_2"))
    qtbot.keyClick(page.table, Qt.Key.Key_Space)
    layouts.decathlon(tmp_path / "siteB", (2,))
    look(qtbot, page, tmp_path / "siteB")
    assert page.selection().excluded == ("siteA-liver_2",)


def test_folders_are_dropped_and_files_are_passed_over(
    qtbot: QtBot, page: DataPage, seven: Path, tmp_path: Path
) -> None:
    (tmp_path / "file.txt").touch()
    data, copy = QMimeData(), Qt.DropAction.CopyAction
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in (tmp_path / "file.txt", seven)])
    keys, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    entering = QDragEnterEvent(QPoint(5, 5), copy, data, button, keys)
    page.dragEnterEvent(entering)
    assert entering.isAccepted()
    page.dropEvent(QDropEvent(QPointF(5, 5), copy, data, button, keys))
    idle(qtbot, page)
    assert page.folders.folders == (seven,)
    assert len(listed(page)) == 7


def test_corrected_studies_are_offered_taken_and_forgotten(
    qtbot: QtBot, page: DataPage, dialogs: FakeDialogs, tmp_path: Path
) -> None:
    assert not page.folders.corrected.isEnabled()
    assert "None yet" in page.folders.corrected.toolTip()
    for seed, name in enumerate(("a", "b"), 1):
        scan, mask = tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_mask.nii.gz"
        pair(small(seed), scan, mask)
        remember_corrected(scan, mask, None, "", "2026-01-31")
    page.refresh_corrected()
    assert page.folders.corrected.text() == "Studies &corrected here (2)"
    assert page.table.isColumnHidden(REVIEWED)
    page.folders.corrected.setChecked(True)
    idle(qtbot, page)
    assert listed(page) == ["corrected-1", "corrected-2"]
    assert not page.table.isColumnHidden(REVIEWED)
    assert page.selection().corrected
    page.table.setCurrentItem(row(page, "corrected-1"))
    page.folders.forget_button.click()
    assert len(corrected_studies()) == 2  # the reader said no
    dialogs.yes = True
    page.folders.forget_button.click()
    idle(qtbot, page)
    assert listed(page) == ["corrected-2"]
    assert [study.name for study in corrected_studies()] == ["corrected-2"]


def test_a_study_that_nobody_reviewed_is_listed_and_left_out_until_it_is_reviewed(
    qtbot: QtBot, page: DataPage, dialogs: FakeDialogs, tmp_path: Path
) -> None:
    for seed, name in enumerate(("a", "b"), 1):
        scan, mask = tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_mask.nii.gz"
        pair(small(seed), scan, mask)
        remember_corrected(scan, mask, None, "", "2026-01-31")
    mark_reviewed("corrected-2", "")
    page.refresh_corrected()
    assert page.folders.corrected.text() == "Studies &corrected here (1, and 1 not reviewed)"
    page.folders.corrected.setChecked(True)
    idle(qtbot, page)
    there, waiting = row(page, "corrected-1"), row(page, "corrected-2")
    assert (there.text(REVIEWED), waiting.text(REVIEWED)) == ("2026-01-31", "unknown")
    assert [source.name for source in page.sources] == ["corrected-1"]
    assert page.selection().excluded == ("corrected-2",)
    assert not waiting.flags() & Qt.ItemFlag.ItemIsUserCheckable
    page.table.setCurrentItem(there)
    assert not page.folders.review_button.isEnabled()
    page.table.setCurrentItem(waiting)
    page.folders.review_button.click()
    assert "every slice" in dialogs.questions[-1]
    assert [source.name for source in page.sources] == ["corrected-1"]  # the reader said no
    dialogs.yes = True
    page.folders.review_button.click()
    idle(qtbot, page)
    assert [source.name for source in page.sources] == ["corrected-1", "corrected-2"]
    assert page.selection().excluded == ()
    assert page.folders.corrected.text() == "Studies &corrected here (2)"


def test_a_study_that_nobody_reviewed_takes_the_place_of_no_mask(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    decathlon(tmp_path / "set", (1, 2))
    scan, mask = tmp_path / "set" / "imagesTr" / "liver_2.nii.gz", tmp_path / "mine.nii.gz"
    pair(small(2), tmp_path / "copy.nii.gz", mask)
    remember_corrected(scan, mask, None, "", "2026-01-31")
    mark_reviewed("corrected-1", "")
    page.refresh_corrected()
    page.folders.corrected.setChecked(True)
    look(qtbot, page, tmp_path / "set")
    masks = {source.name: source.mask for source in page.sources}  # type: ignore[attr-defined]
    assert masks["liver_2"] == tmp_path / "set" / "labelsTr" / "liver_2.nii.gz"
    assert set(masks) == {"liver_1", "liver_2"}


def test_stopping_keeps_what_was_seen_and_says_so(
    qtbot: QtBot, page: DataPage, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    through = data_page.scan_cases

    def slowly(folders, corrected, known, found, progress: Progress):
        def seen(case) -> None:
            found(case)
            begun.set()
            assert go_on.wait(WAIT_S)

        return through(folders, corrected, known, seen, progress)

    monkeypatch.setattr(data_page, "scan_cases", slowly)
    page.add([seven])
    qtbot.waitUntil(begun.is_set)
    assert page.bar.isVisible()
    qtbot.waitUntil(lambda: listed(page) == ["liver_1"])
    assert page.why_not == "The cases are still being looked through."
    assert parts(page) == {"liver_1": ""}
    page.bar.cancel()
    go_on.set()
    idle(qtbot, page)
    assert listed(page) == ["liver_1"]
    assert "was stopped" in page.why_not
    assert not page.ready
    page.folders.again_button.click()
    idle(qtbot, page)
    assert len(listed(page)) == 7
    assert page.ready


def test_an_unforeseen_failure_is_told_with_its_details(
    qtbot: QtBot, page: DataPage, dialogs: FakeDialogs, seven: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(data_page, "scan_cases", fail)
    look(qtbot, page, seven)
    assert dialogs.problems[0][0] == "RuntimeError: a bug"
    assert "Traceback" in dialogs.problems[0][1]
    assert "a bug" in page.why_not


def test_a_damaged_list_of_corrected_studies_is_told(page: DataPage, monkeypatch) -> None:
    def damaged() -> list[object]:
        raise LiverSegError("The list is damaged.")

    monkeypatch.setattr(data_page, "corrected_studies", damaged)
    page.refresh_corrected()
    assert not page.folders.corrected.isEnabled()
    assert page.folders.corrected.toolTip() == "The list is damaged."


def test_where_patients_are_hidden_no_name_and_no_path_is_shown(
    qtbot: QtBot, page: DataPage, settings: Settings, tmp_path: Path
) -> None:
    for name in ("Doe_John", "Roe_Jane"):
        pair(
            small(1), tmp_path / "Doe" / f"{name}.nii.gz", tmp_path / "Doe" / f"{name}_mask.nii.gz"
        )
    look(qtbot, page, tmp_path / "Doe")
    settings.change(hide_patient=True)
    page.table.setCurrentItem(page.table.topLevelItem(0))
    shown = [page.folders.list.item(0).text(), *page.issue_list.texts, *listed(page)]
    shown += [page.table.topLevelItem(n).text(case_columns.PATIENT) for n in range(2)]
    assert len(page.issue_list.texts) == 2
    assert not any("oe" in text for text in shown)
    assert "oe" not in scrub("Cases Doe_John and Roe_Jane could not be read.")
    settings.change(hide_patient=False)
    assert listed(page) == ["Doe_John", "Roe_Jane"]


def test_a_study_that_is_saved_meanwhile_is_taken_where_they_are_taken(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    for seed, name in enumerate(("a", "b"), 1):
        scan, mask = tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_mask.nii.gz"
        pair(small(seed), scan, mask)
        remember_corrected(scan, mask, None, "", "2026-01-31")
        page.refresh_corrected()
        page.folders.corrected.setChecked(True)
        idle(qtbot, page)
    assert listed(page) == ["corrected-1", "corrected-2"]


def test_the_split_is_that_of_a_training_from_the_chosen_model(
    qtbot: QtBot, page: DataPage, seven: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(qtbot, page, seven)
    plain = {name for name, part in parts(page).items() if part == "held out"}
    about = {"trained_on": sorted(plain)}
    card = ModelCard("first", tmp_path, "slim-resnet18", (32, 32), (-40, 160), "0" * 64, about)
    monkeypatch.setattr(data_page, "find_model", lambda _: card)
    page.start_from("first")
    moved = {name for name, part in parts(page).items() if part == "held out"}
    assert moved
    assert not moved & plain
    page.start_from(None)
    assert {name for name, part in parts(page).items() if part == "held out"} == plain
