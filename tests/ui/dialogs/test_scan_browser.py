from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.scan_issues import Concern, error, warning
from liverseg_gui.io.entries import Role, VolumeEntry
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.dialogs.prompts import Dialogs
from liverseg_gui.ui.dialogs.scan_browser import ScanBrowser
from tests.conftest import WAIT_S
from tests.ui.entries import make_entry

DOUBT = warning("odd", "The slices are odd.", "Look twice.", Concern.MM)
GRAVE = error("broken", "The series is broken.", "Export it again.")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "settings.json")


@pytest.fixture
def entries(tmp_path: Path) -> list[VolumeEntry]:
    doe = {"patient": "Doe, John", "patient_id": "4711", "study": "CT abdomen"}
    first, later = {**doe, "study_date": "2024-01-02"}, {**doe, "study_date": "2024-05-06"}
    return [
        make_entry(tmp_path / "a", "Lung", issues=(DOUBT,), **first),
        make_entry(tmp_path / "b", "Liver portal venous", phase="portal venous", **first),
        make_entry(tmp_path / "c", "Liver late", issues=(GRAVE,), **later),
        make_entry(tmp_path / "d", "Scout", slices=1, role=Role.LOCALIZER, **later),
        make_entry(tmp_path / "e", "T2 liver", modality="MR", patient="Roe, Jane"),
    ]


@pytest.fixture
def browser(qtbot: QtBot, entries: list[VolumeEntry], settings: Settings) -> Iterator[ScanBrowser]:
    browser = ScanBrowser(None, "study", entries, settings)
    qtbot.addWidget(browser)
    browser.open()
    yield browser
    browser.reject()


def visible(browser: ScanBrowser) -> list[int]:
    return [n for n in range(5) if not browser._hidden(n)]


def all_texts(widget: QWidget) -> str:
    """Everything that `widget` and what is in it says, tool tips included."""
    texts = [widget.windowTitle()]
    for part in widget.findChildren(QWidget):
        texts += [part.toolTip(), part.accessibleName()]
        for getter in ("text", "title", "placeholderText", "windowTitle"):
            if hasattr(part, getter):
                texts.append(str(getattr(part, getter)()))
    return "\n".join(texts)


def test_series_stand_under_their_patient_and_study(browser: ScanBrowser) -> None:
    tree = browser.tree
    tops = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount())]
    assert [item.text(0) for item in tops] == ["Doe, John  (4711)", "Roe, Jane", "Set aside (1)"]
    studies = [tops[0].child(n).text(0) for n in range(tops[0].childCount())]
    assert studies == ["2024-01-02  CT abdomen", "2024-05-06  CT abdomen"]
    assert not tops[2].isExpanded()
    row = tree.item_of(1)
    assert [row.text(n) for n in range(1, 7)] == [
        "CT",
        "100",
        "2 mm",
        "portal venous",
        "2024-01-02",
        "",
    ]


def test_the_likeliest_series_is_selected_and_enter_opens_it(
    qtbot: QtBot, browser: ScanBrowser
) -> None:
    assert browser.selected == 1
    chosen: list[int] = []
    browser.chosen.connect(chosen.append)
    qtbot.keyClick(browser.tree, Qt.Key.Key_Return)
    assert chosen == [1]
    assert not browser.isVisible()


def test_arrow_keys_choose_and_double_click_opens(qtbot: QtBot, browser: ScanBrowser) -> None:
    qtbot.keyClick(browser.tree, Qt.Key.Key_Up)
    assert browser.selected == 0
    rect = browser.tree.visualItemRect(browser.tree.item_of(0))
    viewport = browser.tree.viewport()
    chosen: list[int] = []
    browser.chosen.connect(chosen.append)
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=rect.center())
    assert chosen == []
    qtbot.mouseDClick(viewport, Qt.MouseButton.LeftButton, pos=rect.center())
    assert chosen == [0]


def test_a_series_with_a_problem_says_it_and_cannot_be_opened(
    qtbot: QtBot, browser: ScanBrowser
) -> None:
    browser._go_to(2)
    assert not browser.open_button.isEnabled()
    assert browser.hint.text() == "The series is broken. Export it again."
    assert browser.hint.isVisible()
    with qtbot.assertNotEmitted(browser.chosen):
        qtbot.keyClick(browser.tree, Qt.Key.Key_Return)
    assert browser.isVisible()


def test_a_group_cannot_be_opened(qtbot: QtBot, browser: ScanBrowser) -> None:
    browser.tree.setCurrentItem(browser.tree.topLevelItem(0))
    assert not browser.open_button.isEnabled()
    with qtbot.assertNotEmitted(browser.chosen):
        browser._accept()


def test_the_card_tells_what_is_remarkable_about_the_selected_series(
    browser: ScanBrowser,
) -> None:
    browser._go_to(0)
    texts = all_texts(browser.card)
    assert "The slices are odd." in texts
    assert "1 warning" in texts
    browser._go_to(1)
    assert "Nothing remarkable found." in all_texts(browser.card)


def test_the_filter_keeps_what_has_all_words_and_selects_it(browser: ScanBrowser) -> None:
    browser.search.setText("roe")
    assert visible(browser) == [4]
    assert browser.selected == 4
    browser.search.setText("doe liver")
    assert visible(browser) == [1, 2]
    browser.search.setText("2024-05")
    assert 2 in visible(browser)
    browser.search.setText("nothing of this")
    assert visible(browser) == []
    assert browser.tree.topLevelItem(0).isHidden()
    browser.search.setText("")
    assert len(visible(browser)) == 5


def test_with_the_patient_hidden_no_name_id_or_date_is_seen(
    qtbot: QtBot, entries: list[VolumeEntry], settings: Settings
) -> None:
    settings.change(hide_patient=True)
    browser = ScanBrowser(None, "Doe John", entries, settings)
    qtbot.addWidget(browser)
    browser.open()
    rows = []
    for item in browser.tree.findItems(
        "", Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive
    ):
        rows += [item.text(n) + item.toolTip(n) for n in range(item.columnCount())]
    said = "\n".join([*rows, all_texts(browser)])
    for secret in ("Doe", "John", "Roe", "4711", "2024"):
        assert secret not in said
    assert "Patient hidden (1)" in rows
    browser.reject()


def test_thumbnails_come_one_by_one_without_holding_up_the_list(
    qtbot: QtBot, tmp_path: Path, settings: Settings
) -> None:
    go_on, threads = threading.Event(), []

    def slow() -> np.ndarray:
        threads.append(threading.current_thread())
        go_on.wait(WAIT_S)
        return np.full((4, 8), 200, np.uint8)

    def broken() -> np.ndarray:
        raise UnreadableFileError("The file is damaged.")

    makers = [slow, broken, lambda: None, None, slow]
    entries = [make_entry(tmp_path, f"Liver {n}", thumbnail=m) for n, m in enumerate(makers)]
    browser = ScanBrowser(None, "", entries, settings)
    qtbot.addWidget(browser)
    browser.open()
    qtbot.waitUntil(lambda: bool(threads))
    qtbot.keyClick(browser.tree, Qt.Key.Key_Down)
    assert browser.selected == 1
    empty = browser.tree.item_of(3).icon(0).cacheKey()
    assert threads[0] is not threading.main_thread()
    go_on.set()
    qtbot.waitUntil(lambda: not browser._thumbnails.busy)
    colors = []
    for number in range(5):
        image = browser.tree.item_of(number).icon(0).pixmap(56, 56).toImage()
        colors.append(image.pixelColor(image.width() // 2, image.height() // 2).red())
    assert colors[0] == colors[4] == 200
    assert colors[1] == colors[2] == colors[3] != 200
    assert browser.tree.item_of(3).icon(0).cacheKey() == empty
    browser.reject()


def test_closing_stops_the_pictures_at_once(
    qtbot: QtBot, tmp_path: Path, settings: Settings
) -> None:
    go_on, made = threading.Event(), []

    def slow() -> np.ndarray:
        made.append(1)
        go_on.wait(WAIT_S)
        return np.zeros((4, 4), np.uint8)

    entries = [make_entry(tmp_path, thumbnail=slow) for _ in range(5)]
    browser = ScanBrowser(None, "", entries, settings)
    qtbot.addWidget(browser)
    browser.open()
    qtbot.waitUntil(lambda: bool(made))
    browser.reject()
    go_on.set()
    browser._thumbnails._runner._thread.join(WAIT_S)
    assert made == [1]


def test_the_windows_dialog_returns_at_once_and_tells_the_choice(
    qtbot: QtBot, entries: list[VolumeEntry], settings: Settings
) -> None:
    window, chosen = QWidget(), []
    qtbot.addWidget(window)
    window.show()
    Dialogs(window, settings).browse("study", entries, chosen.append)
    browser = window.findChild(ScanBrowser)
    assert browser.isVisible()
    assert chosen == []
    browser.open_button.click()
    assert chosen == [1]
    qtbot.waitUntil(lambda: window.findChild(ScanBrowser) is None)
