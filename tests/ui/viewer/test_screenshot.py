from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage

from liverseg_gui.core.planes import Plane
from liverseg_gui.state.view import Pane
from liverseg_gui.ui.dialogs.screenshot_dialog import ScreenshotDialog
from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions
from tests.ui.conftest import Desk


@pytest.fixture
def opened(desk: Desk, files: Path) -> Desk:
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    for view in desk.window.views.values():
        view.set_patient("DOE, JOHN")
    desk.window.view_state.active = Pane.AXIAL
    return desk


def saved(desk: Desk, path: Path, options: ScreenshotOptions) -> QImage:
    desk.dialogs.path, desk.dialogs.picture = path, options
    desk.trigger("save_picture")
    assert not desk.dialogs.problems
    return QImage(str(path))


def differ(a: QImage, b: QImage) -> bool:
    return a.convertToFormat(QImage.Format.Format_RGB32) != b.convertToFormat(
        QImage.Format.Format_RGB32
    )


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_pane_is_saved_as_it_is_seen(opened: Desk, tmp_path: Path, scale: int) -> None:
    image = saved(opened, tmp_path / "pane.png", ScreenshotOptions(scale=scale))
    canvas = opened.window.views[Plane.AXIAL].canvas
    assert image.width() == canvas.width() * scale
    assert image.height() > canvas.height() * scale
    assert opened.dialogs.questions[-1] == "scan_axial_25.png"


def test_the_layout_is_saved_with_every_pane_at_its_place(opened: Desk, tmp_path: Path) -> None:
    image = saved(opened, tmp_path / "all.png", ScreenshotOptions(layout=True, scale=1))
    panes = opened.window.panes
    assert image.width() == pytest.approx(panes.width(), abs=4)
    for view in opened.window.views.values():
        middle = view.canvas.mapTo(panes, view.canvas.rect().center())
        seen = view.canvas.grab().toImage().pixelColor(view.canvas.rect().center())
        assert image.pixelColor(middle) == seen


def test_the_patient_is_in_a_picture_only_where_it_is_asked_for(
    opened: Desk, tmp_path: Path
) -> None:
    without = saved(opened, tmp_path / "a.png", ScreenshotOptions(scale=1))
    named = saved(opened, tmp_path / "b.png", ScreenshotOptions(patient=True, scale=1))
    label = opened.window.views[Plane.AXIAL].labels["patient"].geometry()
    assert differ(without.copy(label), named.copy(label))
    outside = label.translated(-label.width() - 20, 0)
    assert not differ(without.copy(outside), named.copy(outside))
    opened.settings.change(hide_patient=True)
    hidden = saved(opened, tmp_path / "c.png", ScreenshotOptions(patient=True, scale=1))
    assert not differ(without.copy(label), hidden.copy(label))


def test_without_annotations_only_the_letters_stay(opened: Desk, tmp_path: Path) -> None:
    view = opened.window.views[Plane.AXIAL]
    places = {name: view.labels[name].geometry() for name in ("info", "title", "left")}
    full = saved(opened, tmp_path / "a.png", ScreenshotOptions(scale=1))
    bare = saved(opened, tmp_path / "b.png", ScreenshotOptions(annotations=False, scale=1))
    assert differ(full.copy(places["info"]), bare.copy(places["info"]))
    assert differ(full.copy(places["title"]), bare.copy(places["title"]))
    letter = places["left"].adjusted(0, 0, 0, -8)
    assert bare.copy(letter) != QImage(letter.size(), QImage.Format.Format_RGB32)
    assert opened.window.view_state.crosshair_visible
    assert view.labels["info"].isVisible()


def test_a_copied_picture_is_on_the_clipboard(opened: Desk) -> None:
    opened.trigger("copy_pane")
    pane = QGuiApplication.clipboard().image()
    opened.trigger("copy_layout")
    layout = QGuiApplication.clipboard().image()
    assert pane.width() > 200
    assert layout.width() > pane.width()


def test_a_picture_that_cannot_be_written_is_told(opened: Desk, tmp_path: Path) -> None:
    opened.dialogs.path = tmp_path / "nowhere" / "pane.png"
    opened.dialogs.picture = ScreenshotOptions()
    opened.trigger("save_picture")
    assert "could not be written" in opened.dialogs.problems[0][0]
    assert not list(tmp_path.rglob("*.png"))


def test_the_dialog_offers_no_name_while_the_patient_is_hidden(qtbot) -> None:
    dialog = ScreenshotDialog(None, ScreenshotOptions(patient=True), patient_hidden=True)
    qtbot.addWidget(dialog)
    assert not dialog.options.patient
    assert not dialog._patient.isEnabled()
    shown = ScreenshotDialog(None, ScreenshotOptions(patient=True, scale=4), patient_hidden=False)
    qtbot.addWidget(shown)
    assert shown.options == ScreenshotOptions(patient=True, scale=4)
    shown._annotations.setChecked(False)
    assert not shown.options.patient
