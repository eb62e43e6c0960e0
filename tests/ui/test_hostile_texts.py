"""Texts of scans, files and models act nowhere in the window: they are shown as they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QModelIndex,
    QPoint,
    QSettings,
    Qt,
)
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QFileDialog,
    QLabel,
    QMessageBox,
    QTextEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.scan_issues import Concern, warning
from liverseg_gui.core.window_level import NamedWindow, Window
from liverseg_gui.io.entries import Role, VolumeEntry
from liverseg_gui.io.masks.read import FileLabel
from liverseg_gui.segmentation.models.registry import InstalledModel, ModelSource
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.state.settings import Settings
from liverseg_gui.system import privacy
from liverseg_gui.ui.dialogs.error_dialog import ErrorDialog
from liverseg_gui.ui.dialogs.labels_dialog import LabelsDialog
from liverseg_gui.ui.dialogs.models_list import ModelCardView, ModelsList
from liverseg_gui.ui.dialogs.scan_browser import ScanBrowser
from liverseg_gui.ui.main_window.about_dialog import AboutDialog
from liverseg_gui.ui.training_window.data.folder_list import FolderList
from liverseg_gui.ui.training_window.run_list import RunList
from liverseg_gui.ui.widgets import file_dialogs
from liverseg_gui.ui.widgets.labels import (
    MessageBox,
    PlainLabel,
    RichLabel,
    action_text,
    escaped,
    title_text,
)
from liverseg_gui.ui.widgets.patient_display import text_shown
from tests.ui.conftest import Desk
from tests.ui.entries import FakeReading, make_entry, make_volume
from tests.ui.test_opening import Offering, offering  # noqa: F401
from training.runs.folder import RunRecord, RunState
from training.runs.training_job import TrainingJob

UI = Path(__file__).parents[2] / "liverseg_gui" / "ui"
WIDE_PX = 4000
ACTING = "\x1b\x07\u202e\u2066\x9b\0"
"""None of these is ever seen."""
ALONE = {
    "QLabel": {"widgets/labels.py"},
    "QMessageBox": {"widgets/labels.py", "main_window/about_dialog.py"},
    "QFileDialog": {"widgets/file_dialogs.py"},
    "RichLabel": {
        "main_window/viewer_window.py",
        "panels/comparison_panel.py",
        "training_window/run/curve_plot.py",
    },
    "setTextFormat": {"widgets/labels.py", "main_window/about_dialog.py"},
    "setHtml": {"dialogs/models_list.py"},
}
"""What shows markup or writes folders down, and where it is called."""
NOWHERE = (
    *("insertHtml", "appendHtml", "setMarkdown", "setWhatsThis", "setOpenExternalLinks"),
    *("QErrorMessage", "QInputDialog", "TextItem", "LabelItem"),
)
"""What shows markup, or guesses, and is not needed."""


def test_what_could_show_markup_is_made_in_few_places() -> None:
    called: dict[str, set[str]] = {name: set() for name in (*ALONE, *NOWHERE)}
    for path in UI.rglob("*.py"):
        where = path.relative_to(UI).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for name in _made(node):
                if name in called:
                    called[name].add(where)
    elsewhere = {name: places - ALONE.get(name, set()) for name, places in called.items()}
    assert {name: places for name, places in elsewhere.items() if places} == {}


def _made(node: ast.AST) -> Iterator[str]:
    """What is called, or derived from, here."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield node.func.attr
            if isinstance(node.func.value, ast.Name):  # QMessageBox.question(...)
                yield node.func.value.id
        elif isinstance(node.func, ast.Name):
            yield node.func.id
    if isinstance(node, ast.ClassDef):
        yield from (base.id for base in node.bases if isinstance(base, ast.Name))


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture that would be seen where it is loaded."""
    path = tmp_path_factory.mktemp("picture") / "wide.png"
    image = QImage(WIDE_PX, 2, QImage.Format.Format_RGB32)
    image.fill(0)
    image.save(str(path))
    return path


@pytest.fixture(params=["markup", "controls", "long"])
def text(request: pytest.FixtureRequest, picture: Path) -> str:
    """What a hostile file calls something."""
    return {
        "markup": f'<b>Doe</b><img src="{picture}">&amp;&File %p[*]<!--',
        "controls": "Doe\x1b[2J\x07\u202enhoJ\u2066\x9b31m\nSecond: line\tT",
        "long": "Doe " + "x" * 5000,
    }[request.param]


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    privacy.forget_secrets()
    yield
    privacy.forget_secrets()


def file_name(text: str) -> str:
    return text.replace("/", "").replace("\0", "")[:60].encode()[:200].decode("utf-8", "ignore")


def hostile_entries(text: str, folder: Path) -> list[VolumeEntry]:
    path = folder / file_name(text) / f"{file_name(text)}.nii.gz"
    issues = (warning("odd", f"{text} is odd.", text, Concern.MM),)
    windows = (NamedWindow(text, Window(400.0, 40.0)),)
    volume = make_volume(path, issues=issues, patient=text, windows=windows)
    volume = replace(volume, origin=replace(volume.origin, description=text))
    about = dict.fromkeys(("patient", "patient_id", "study", "series_number", "phase"), text)
    about["study_date"] = text[:40]
    entry = make_entry(
        path, text, FakeReading(volume), issues=issues, role=Role.VOLUME, modality="CT", **about
    )
    return [entry, replace(entry, modality=text[:40])]


def assert_only_text(*tops: QWidget) -> None:
    """No label guesses, nothing that acts is shown, and nothing became wide by a picture."""
    for top in tops:
        for widget in (top, *top.findChildren(QWidget)):
            assert_widget_is_text(widget)
        for action in top.findChildren(QAction):
            assert_seen(action.text())
            assert_tip(action.toolTip(), top)


def assert_widget_is_text(widget: QWidget) -> None:
    assert_seen(widget.windowTitle())
    assert_tip(widget.toolTip(), widget)
    if isinstance(widget, QLabel):
        assert widget.textFormat() != Qt.TextFormat.AutoText, widget.text()
        if widget.textFormat() == Qt.TextFormat.RichText:
            assert "<img" not in widget.text()
        if not isinstance(widget.window(), QMessageBox) or widget.text():
            assert_seen(widget.text())
    if isinstance(widget, QTextEdit):
        assert "<img" not in widget.document().toHtml()
        assert_seen(widget.toPlainText())
    if isinstance(widget, QAbstractItemView | QComboBox) and widget.model() is not None:
        for shown in item_texts(widget.model(), QModelIndex()):
            assert_seen(shown)
            assert_tip(shown, widget)


def item_texts(model: QAbstractItemModel, parent: QModelIndex) -> Iterator[str]:
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    for row in range(model.rowCount(parent)):
        for column in range(
            1 if isinstance(model, QAbstractListModel) else model.columnCount(parent)
        ):
            at = model.index(row, column, parent)
            yield from (str(value) for role in roles if (value := model.data(at, role)))
        yield from item_texts(model, model.index(row, 0, parent))


def assert_seen(text: str) -> None:
    assert [sign for sign in ACTING if sign in text] == []


def assert_tip(text: str, widget: QWidget) -> None:
    """A tooltip is shown as text."""
    assert_seen(text)
    if "<" not in text:
        return
    QToolTip.showText(QPoint(1, 1), text, widget)
    tips = [w for w in QApplication.topLevelWidgets() if w.inherits("QTipLabel")]
    assert tips
    for tip in tips:
        assert isinstance(tip, QLabel)
        assert tip.textFormat() == Qt.TextFormat.PlainText
    QToolTip.hideText()


def test_an_open_study_is_shown_as_text_in_the_whole_window(
    desk: Desk,
    offering: Offering,  # noqa: F811
    text: str,
    tmp_path: Path,
) -> None:
    window = desk.window
    narrow = window.minimumSizeHint().width()
    entries = hostile_entries(text, tmp_path)
    folder = offering(entries[0], name=file_name(text) or "x")
    desk.open(folder)
    volume = window.study.volume
    assert volume is not None
    mask = LabelMap(np.ones(volume.shape, np.uint8), volume.grid)
    source = MaskSource(entries[0].path, text, text, 1.0, (text,), text, text)
    window.controller._set_mask(mask, source)
    desk.idle()
    points = np.array([[1.0, 1.0, 1.0], [5.0, 5.0, 1.0]])
    annotations = window.context.annotations
    ruler = Annotation(AnnotationKind.RULER, Plane.AXIAL, 1, points)
    annotations.set_text(annotations.add(ruler), text)
    window.context.say(text)
    window.context.tell(text)
    assert_only_text(window)
    assert "\n" not in window.statusBar().currentMessage()
    assert len(window.views[Plane.AXIAL].grab().toImage().size().toTuple()) == 2  # it is painted
    assert window.minimumSizeHint().width() <= max(narrow * 1.5, 1300)
    for view in window.views.values():
        assert view.labels["patient"].width() < WIDE_PX


def test_listed_studies_are_text(desk: Desk, text: str, tmp_path: Path, qtbot: QtBot) -> None:
    browser = ScanBrowser(desk.window, text, hostile_entries(text, tmp_path), desk.settings)
    qtbot.addWidget(browser)
    browser.show()
    browser.tree.setCurrentItem(browser.tree.item_of(1))
    assert_only_text(browser)
    assert browser.minimumSizeHint().width() < 2000
    browser.close()


def test_dialogs_and_lists_are_text(text: str, tmp_path: Path, qtbot: QtBot) -> None:
    settings = Settings(tmp_path / "settings.json")
    labels = [FileLabel(1, text, 5), FileLabel(2, text, 6)]
    question = MessageBox(None, text)
    question.setInformativeText(text)
    models = ModelsList()
    broken = InstalledModel(file_name(text), tmp_path / "m", ModelSource.USER, None, text)
    models.fill([broken], None, None)
    card = ModelCardView(lambda shown: text_shown(shown, settings))
    card.show_model(broken)
    folders = FolderList(lambda shown: text_shown(shown, settings))
    folders.add([tmp_path / file_name(text)])
    folders.show_problems({tmp_path / file_name(text): text})
    runs = RunList(lambda shown: text_shown(shown, settings))
    out = tmp_path / file_name(text)
    job = TrainingJob(out=out, name=text)
    runs.show_runs([RunRecord(out, text, RunState.FAILED, "2026-05-03T14:20:00", job, text, 0.1)])
    made = [
        LabelsDialog(None, text, labels, {1: 1, 2: 2}),
        ErrorDialog(None, text, text),
        question,
        models,
        card,
        folders,
        runs,
    ]
    for widget in made:
        qtbot.addWidget(widget)
        widget.show()
        QApplication.processEvents()
    assert_only_text(*made)


@pytest.mark.parametrize("make", [lambda: ErrorDialog(None, "x", "y"), lambda: AboutDialog(None)])
def test_escape_closes_a_message_with_more_than_one_button(qtbot: QtBot, make) -> None:
    box = make()
    qtbot.addWidget(box)
    box.show()
    qtbot.keyClick(box, Qt.Key.Key_Escape)
    assert not box.isVisible()


def test_labels_guess_nothing(qtbot: QtBot) -> None:
    plain, rich = PlainLabel("<b>x</b>\x1b"), RichLabel(f"<b>{escaped('<i>&')}</b>")
    guessing = QLabel("<b>x</b>")
    for label in (plain, rich, guessing):
        qtbot.addWidget(label)
        label.show()
    assert plain.textFormat() == guessing.textFormat() == Qt.TextFormat.PlainText
    assert plain.text() == "<b>x</b>\N{REPLACEMENT CHARACTER}"
    assert rich.text() == "<b>&lt;i&gt;&amp;</b>"


def test_marks_of_menus_and_titles_are_letters(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setWindowTitle(title_text("a[*]\nb"))
    assert window.windowTitle() == "a[*][*] b"  # which Qt shows as one
    assert action_text("A&B\nC") == "A&&B C"


@pytest.fixture
def qt_settings(tmp_path: Path) -> Iterator[QSettings]:
    """The file of all Qt programs, in a folder of the test."""
    scope, kind = QSettings.Scope.UserScope, QSettings.Format.NativeFormat
    before = str(Path(QSettings(scope, "QtProject").fileName()).parent)
    QSettings.setPath(kind, scope, str(tmp_path))
    yield QSettings(scope, "QtProject")
    QSettings.setPath(kind, scope, before)


def visits(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the dialogs of Qt itself be closed at once, in `folder`."""

    def closed(*_: object, **__: object) -> tuple[str, str]:
        dialog = QFileDialog(None, "x", str(folder))
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setHistory([str(folder)])
        dialog.selectFile(str(folder / "x.nii"))
        dialog.done(QFileDialog.DialogCode.Accepted)
        del dialog
        return str(folder / "x.nii"), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", closed)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", closed)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: closed()[0])


@pytest.mark.parametrize("before", [None, "file:///of/another/program"])
def test_dialogs_write_down_no_folder_that_was_visited(
    qt_settings: QSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str | None
) -> None:
    secret = tmp_path / "Doe John"
    secret.mkdir()
    visits(monkeypatch, secret)
    QFileDialog.getOpenFileName()
    qt_settings.sync()
    kept = Path(qt_settings.fileName())
    assert "Doe" in kept.read_text()  # Qt itself does
    qt_settings.clear()
    if before:
        qt_settings.setValue("FileDialog/lastVisited", before)
    qt_settings.sync()
    assert file_dialogs.ask_file(None, "x", "") == secret / "x.nii"
    assert file_dialogs.ask_new_file(None, "x", "y", "") == secret / "x.nii"
    assert file_dialogs.ask_folder(None, "x") == secret / "x.nii"
    qt_settings.sync()
    assert "Doe" not in kept.read_text()
    assert qt_settings.value("FileDialog/lastVisited") == before


def test_clearing_traces_forgets_what_dialogs_visited_before(
    desk: Desk, qt_settings: QSettings
) -> None:
    for key in ("history", "lastVisited"):
        qt_settings.setValue(f"FileDialog/{key}", "file:///data/Doe")
    qt_settings.sync()
    desk.trigger("clear_traces")
    desk.idle()
    qt_settings.sync()
    assert "Doe" not in Path(qt_settings.fileName()).read_text()
