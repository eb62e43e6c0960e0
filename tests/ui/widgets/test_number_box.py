"""A typed number is the number meant, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialogButtonBox
from pytestqt.qtbot import QtBot

import liverseg_gui
from liverseg_gui.core.geometry import Affine
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.dialogs.geometry_dialog import GeometryDialog
from liverseg_gui.ui.panels.slab_panel import SlabPanel
from liverseg_gui.ui.widgets.number_box import NumberBox, parse_number

_LOCALES = ("C", "en_US", "de_DE", "fr_FR", "de_CH", "tr_TR", "ar_EG", "fa_IR", "hi_IN")


@pytest.fixture(params=_LOCALES)
def locale(request: pytest.FixtureRequest) -> Iterator[str]:
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


def typed(box: NumberBox, text: str) -> None:
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5),
        ("1,5", 1.5),
        ("0.727", 0.727),
        ("0,727", 0.727),
        (",5", 0.5),
        ("2.", 2.0),
        ("1,234", 1.234),
        (" 1.25 ", 1.25),
        ("1e-3", 0.001),
        ("1,5E1", 15.0),
        ("\u2212,5", -0.5),
        ("\u0661\u066b\u0665", 1.5),
        ("\u06f1\u06f2", 12.0),
    ],
)
def test_a_number_is_read_alike_in_every_language(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "1.234,5", "1,234.5", "1 234", "1\u00a0234", "1'5", "1..5", "1_0", "1x5", "0x10"),
        *("nan", "inf", "1e999", "1.5mm", "--1", "1-2", "\u00bd", "\u00b2", "e5", "."),
    ],
)
def test_what_is_no_number_is_not_read_as_one(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize("text", ["1.5", "1,5", "1.50", "01,5"])
def test_point_and_comma_are_typed_as_the_decimal_mark(
    qtbot: QtBot, locale: str, text: str
) -> None:
    box = NumberBox(0.05, 50)
    qtbot.addWidget(box)
    typed(box, text)
    assert (box.value(), box.text()) == (1.5, "1.5")


@pytest.mark.parametrize("text", ["1.234,5", "1x5", "100", "1 5", "abc", "-1", ""])
def test_what_is_refused_leaves_the_last_number(qtbot: QtBot, locale: str, text: str) -> None:
    box = NumberBox(0.05, 50)
    qtbot.addWidget(box)
    box.setValue(0.8)
    typed(box, text)
    assert (box.value(), box.text()) == (0.8, "0.8")


@pytest.mark.parametrize("text", ["1.5", "1,5", "1,000"])
def test_a_whole_number_takes_no_part_of_one(qtbot: QtBot, locale: str, text: str) -> None:
    box = NumberBox(0, 5000, step=1, whole=True, nearest=True)
    qtbot.addWidget(box)
    box.setValue(40)
    typed(box, text)
    assert box.value() == (1 if text == "1,000" else 40)


@pytest.mark.parametrize(("text", "number"), [("999", 80), ("0", 1), ("7", 7)])
def test_beyond_the_last_slice_is_the_last(qtbot: QtBot, text: str, number: int) -> None:
    box = NumberBox(1, 80, step=1, whole=True, nearest=True)
    box.setSuffix(" / 80")
    qtbot.addWidget(box)
    box.setValue(40)
    typed(box, text)
    assert (box.value(), box.text()) == (number, f"{number} / 80")


def test_a_unit_behind_the_number_is_no_part_of_it(qtbot: QtBot, locale: str) -> None:
    view = ViewState()
    panel = SlabPanel(view)
    qtbot.addWidget(panel)
    box = panel.findChild(NumberBox)
    assert isinstance(box, NumberBox)
    box.setEnabled(True)
    typed(box, "12,5")
    assert (view.slab.thickness_mm, box.text()) == (12.5, "12.5 mm")


def test_a_number_counts_before_enter(qtbot: QtBot) -> None:
    box = NumberBox(0, 50)
    qtbot.addWidget(box)
    box.setValue(3)
    box.selectAll()
    QTest.keyClicks(box, "0,25")
    assert box.typed == 0.25
    QTest.keyClicks(box, "x")
    assert box.typed == 3


def test_a_number_that_was_not_typed_is_given_back_to_the_last_digit(qtbot: QtBot) -> None:
    box = NumberBox(0, 50)
    qtbot.addWidget(box)
    box.setValue(0.703125000001)
    assert (box.typed, box.text()) == (0.703125000001, "0.703125")


@pytest.fixture
def geometry(qtbot: QtBot) -> GeometryDialog:
    dialog = GeometryDialog(None, Affine.from_spacing((0.8, 0.8, 2.5)))
    qtbot.addWidget(dialog)
    dialog.spacing_box.setChecked(True)
    return dialog


@pytest.mark.parametrize("text", ["1.5", "1,5"])
def test_a_stated_spacing_is_the_one_typed(
    geometry: GeometryDialog, locale: str, text: str
) -> None:
    box = geometry.spacings[2]
    box.selectAll()
    QTest.keyClicks(box, text)
    assert geometry.choice.spacing_mm == (0.8, 0.8, 1.5)


def test_a_spacing_that_cannot_be_is_not_stated(geometry: GeometryDialog) -> None:
    geometry.show()
    ok = geometry.buttons.button(QDialogButtonBox.StandardButton.Ok)
    box = geometry.spacings[2]
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "100")
    assert not ok.isEnabled()
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert geometry.isVisible()
    assert (box.value(), ok.isEnabled()) == (2.5, True)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert not geometry.isVisible()


def test_every_number_is_typed_into_such_a_box() -> None:
    bare = re.compile(r"\b(QSpinBox|QDoubleSpinBox|QDoubleValidator|QIntValidator|QInputDialog)\(")
    root = Path(liverseg_gui.__file__).parent
    found = [path for path in root.rglob("*.py") if bare.search(path.read_text("utf-8"))]
    assert not found
