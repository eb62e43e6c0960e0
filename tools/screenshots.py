"""Makes the pictures of the documents from the phantom: never from a patient's scan.

    xvfb-run -a -s "-screen 0 1920x1200x24" python tools/screenshots.py docs/images

It needs a display with OpenGL, for the 3D pane is drawn with it; `xvfb-run` is one (Debian and
Ubuntu: packages xvfb and libgl1-mesa-dri). The same picture comes out each time, but for that of a
training that runs: it is a real one, and takes some minutes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "xcb")
os.environ.setdefault("LC_ALL", "C.UTF-8")

import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget
from scipy import ndimage

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.geometry import Float3
from liverseg_gui.core.labels import LIVER, LabelMap
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.slabs import Slab, SlabMode
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.io.scans import list_volumes
from liverseg_gui.segmentation.models.registry import find_model, user_models
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.state.preferences import Theme
from liverseg_gui.state.settings import Settings
from liverseg_gui.state.view import Layout, Pane
from liverseg_gui.ui.dialogs.error_dialog import ErrorDialog
from liverseg_gui.ui.dialogs.models_dialog import ModelsDialog
from liverseg_gui.ui.dialogs.preferences_dialog import PreferencesDialog
from liverseg_gui.ui.dialogs.scan_browser import ScanBrowser
from liverseg_gui.ui.main_window.about_dialog import LicensesDialog
from liverseg_gui.ui.main_window.shortcuts_dialog import ShortcutsDialog
from liverseg_gui.ui.main_window.window import MainWindow
from liverseg_gui.ui.training_window.config.page import ConfigPage
from liverseg_gui.ui.training_window.data.page import DataPage
from liverseg_gui.ui.training_window.results.page import ResultPage
from liverseg_gui.ui.training_window.run.page import RunPage
from training.config.field_of_view import FieldOfView
from training.config.train_config import TrainConfig
from training.data.dataset_layouts import find_sources
from training.data.selection import DataSelection
from training.evaluation.evaluate_model import evaluate_with_slices
from training.evaluation.worst_slices_file import save_worst
from training.runs.files import HELD_OUT, WORST
from training.runs.folder import RunState
from training.runs.registry import new_run_folder
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob

MOST_BYTES = 250_000
SPEC = PhantomSpec(4, (320, 320, 110), (1.2, 1.2, 2.0), (38.0, 26.0, 16.0), noise_hu=9.0)
TRAINED_ON = (
    (1, 40, (40.0, 22.0)),
    (2, 40, (30.0,)),
    (3, 40, ()),
    (4, 40, (45.0, 30.0, 20.0)),
    (5, 26, (35.0,)),
)
"""Seeds, slices and tumors of labelled phantoms; the last does not hold the whole liver."""

_SMALL = (960, 660)
_GAP, _BACK = 8, "#202228"
_LONGEST_WAIT_S = 120
_OPENED_MS = 300
_TRAINING_S = 1200


class NoSegmenter:
    """Stands in for the model, which no picture needs."""

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        """Never asked."""
        raise NotImplementedError


class Studio:
    """A window on the phantom, and what is wanted of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.phantom = make_phantom(SPEC)
        write_scan(self.phantom.volume, folder / "scan.nii.gz")
        origin = self.phantom.volume.origin
        save_mask(self.phantom.truth, origin, folder / "mask.nii.gz")
        save_mask(second_reader(self.phantom), origin, folder / "second-reader.nii.gz")
        self.settings = Settings(folder / "settings.json")
        self.window = MainWindow(NoSegmenter(), settings=self.settings)
        self.window.move(0, 0)

    def show(self, size: tuple[int, int] = (1280, 800)) -> None:
        """The window in this size, with nothing left to do."""
        self.window.resize(*size)
        self.window.show()
        self.settle()

    def settle(self) -> None:
        """Wait until nothing runs and all is drawn."""
        window = self.window
        runners = (window.runner, window.surfaces.runner)
        until(lambda: not any(runner.busy for runner in runners))
        for _ in range(20):
            QApplication.processEvents()
        until(lambda: not any(runner.busy for runner in runners))
        until(lambda: not any(view._redraw.isActive() for view in window.views.values()))
        drawing = window.surface.drawing
        until(lambda: not drawing._later.isActive() and not drawing._now.isActive())
        window.statusBar().clearMessage()
        QApplication.processEvents()

    def open(self, scan: Path, mask: Path | None = None) -> None:
        """Open a scan, with a mask over it."""
        self.window.controller.open(scan, mask)
        self.settle()

    def go(self, ijk: Sequence[float]) -> None:
        """Bring the crosshair there."""
        i, j, k = (round(float(at)) for at in ijk)
        self.window.view_state.move_crosshair((i, j, k), self.window.study.volume.shape)
        self.settle()

    def tumor(self, number: int) -> np.ndarray:
        """The middle of a tumor of the phantom, in voxels; number 0 is the largest."""
        affine = self.phantom.volume.affine
        return np.asarray(affine.to_ijk(self.phantom.tumors[number].center_mm))

    def look(self, plane: Plane, ijk: Sequence[float], px_per_mm: float) -> None:
        """Magnify a plane about a place."""
        volume = self.window.study.volume
        x, y = plane.points_to_screen(np.asarray(ijk), volume.shape, volume.affine)
        self.window.views[plane].box.look_at(QPointF(x, y), px_per_mm)
        self.settle()


def second_reader(phantom: Phantom) -> LabelMap:
    """The true mask as another reader may have drawn it: a little to the side, the third tumor
    missed."""
    truth = phantom.truth.labels
    liver = ndimage.shift((truth > 0).astype(np.float32), (3.4, -2.4, 0), order=1) > 0.3
    parts, count = ndimage.label(truth == 2)
    sizes = ndimage.sum_labels(truth == 2, parts, range(1, count + 1))
    kept = parts == int(np.argmax(sizes)) + 1
    tumor = ndimage.binary_dilation(kept, iterations=2)
    labels = np.where(tumor, 2, np.where(liver, LIVER, 0)).astype(np.uint8)
    return LabelMap(labels, phantom.truth.grid)


def until(done: Callable[[], bool], longest_s: float = _LONGEST_WAIT_S) -> None:
    """Let Qt work until `done`."""
    end = time.monotonic() + longest_s
    while not done():
        QApplication.processEvents()
        if time.monotonic() > end:
            raise TimeoutError("The window did not get ready.")


def shot(widget: QWidget) -> QImage:
    """What a widget looks like now."""
    return widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def beside(*images: QImage) -> QImage:
    """Pictures side by side."""
    width = sum(image.width() for image in images) + _GAP * (len(images) - 1)
    sheet = QImage(width, max(image.height() for image in images), QImage.Format.Format_RGB32)
    sheet.fill(QColor(_BACK))
    painter = QPainter(sheet)
    x = 0
    for image in images:
        painter.drawImage(x, 0, image)
        x += image.width() + _GAP
    painter.end()
    return sheet


def captioned(image: QImage, text: str) -> QImage:
    """A picture with a line of text above it."""
    high = 22
    sheet = QImage(image.width(), image.height() + high, QImage.Format.Format_RGB32)
    sheet.fill(QColor(_BACK))
    painter = QPainter(sheet)
    painter.drawImage(0, high, image)
    painter.setPen(QColor("#e6e6e6"))
    painter.setFont(QFont(QApplication.font().family(), 10))
    painter.drawText(QPoint(6, high - 7), text)
    painter.end()
    return sheet


def below(*images: QImage) -> QImage:
    """Pictures one below another."""
    height = sum(image.height() for image in images) + _GAP * (len(images) - 1)
    sheet = QImage(max(image.width() for image in images), height, QImage.Format.Format_RGB32)
    sheet.fill(QColor(_BACK))
    painter = QPainter(sheet)
    y = 0
    for image in images:
        painter.drawImage(0, y, image)
        y += image.height() + _GAP
    painter.end()
    return sheet


def save(image: QImage, path: Path) -> None:
    """Write `image` as a PNG with a palette, with fewer colors where it would be too large."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    whole = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
    for colors in (256, 192, 128, 96, 64, 48, 32):
        small = whole.quantize(palette=palette_of(whole, colors), dither=Image.Dither.NONE)
        out = io.BytesIO()
        small.save(out, "PNG", optimize=True)
        if len(out.getvalue()) < MOST_BYTES:
            break
    path.write_bytes(out.getvalue())
    print(f"{path.name}: {image.width()} x {image.height()}, {len(out.getvalue()) // 1000} kB")


def palette_of(whole: Image.Image, colors: int) -> Image.Image:
    """A palette in which rare colors count more than their pixels: a lesion, a blue check box."""
    pixels = np.asarray(whole).reshape(-1, 3) & 0xFE
    kinds, counts = np.unique(pixels, axis=0, return_counts=True)
    weighed = np.repeat(kinds, np.ceil(np.sqrt(counts)).astype(int), axis=0)
    return Image.fromarray(weighed[None]).quantize(
        colors, Image.Quantize.MEDIANCUT, kmeans=8, dither=Image.Dither.NONE
    )


def welcome(studio: Studio) -> QImage:
    """The card of the first run, over the panes."""
    studio.show()
    studio.open(studio.folder / "scan.nii.gz")
    image = shot(studio.window._stack)
    studio.window.guide.card.dismiss()
    studio.settle()
    return image


def whole_window(studio: Studio) -> QImage:
    """The dark window with figures."""
    studio.open(studio.folder / "scan.nii.gz", studio.folder / "mask.nii.gz")
    studio.window.controller.go_to_lesion(studio.window.study.measurements.lesions[0])
    studio.window.panel.show_lesion(1)
    studio.window.surface.choose_lesion(1)
    studio.settle()
    return shot(studio.window)


def light_window(studio: Studio) -> QImage:
    """The light window, large, two by two, the Display panel in front."""
    window = studio.window
    studio.settings.change(theme=Theme.LIGHT)
    window.view_state.layout = Layout.TWO_BY_TWO
    window.display_dock.raise_()
    studio.show((1920, 1080))
    window.reset_views()
    studio.settle()
    image = shot(window)
    studio.settings.change(theme=Theme.DARK)
    window.view_state.layout = Layout.ONE_THREE
    studio.show()
    window.reset_views()
    studio.settle()
    return image


def layouts(studio: Studio) -> QImage:
    """The four layouts."""
    window = studio.window
    names = {
        Layout.SINGLE: "F2  One pane",
        Layout.ONE_THREE: "F3  One and three",
        Layout.TWO_BY_TWO: "F4  Two by two",
        Layout.STRIP: "F6  Axial strip",
    }
    small = []
    for layout, text in names.items():
        window.view_state.layout = layout
        studio.settle()
        window.reset_views()
        studio.settle()
        image = shot(window.panes)
        image = image.scaledToWidth(420, Qt.TransformationMode.SmoothTransformation)
        small.append(captioned(image, text))
    window.view_state.layout = Layout.ONE_THREE
    window.reset_views()
    studio.settle()
    return below(beside(*small[:2]), beside(*small[2:]))


def display_panel(studio: Studio) -> QImage:
    """The Display panel, all of it."""
    studio.window.display_dock.raise_()
    studio.settle()
    inner = studio.window.display_dock.widget().widget()
    return shot(inner).copy(0, 0, inner.width(), inner.sizeHint().height())


def contours(studio: Studio) -> QImage:
    """Smooth outlines, and the borders of voxels."""
    view = studio.window.view_state
    before = view.fill, view.contour_px, view.crosshair_visible
    view.fill, view.contour_px, view.crosshair_visible = False, 2.0, False
    view.layout = Layout.SINGLE
    middle = studio.tumor(0)
    studio.go(middle)
    studio.look(Plane.AXIAL, middle, 9.0)
    parts = []
    for exact, text in ((False, "Smooth"), (True, "True voxel edges")):
        view.voxel_edges = exact
        studio.settle()
        image = shot(studio.window.views[Plane.AXIAL].canvas)
        part = image.copy(image.width() // 2 - 230, image.height() // 2 - 180, 460, 360)
        parts.append(captioned(part, text))
    view.voxel_edges = False
    view.fill, view.contour_px, view.crosshair_visible = before
    return beside(*parts)


def comparison(studio: Studio) -> QImage:
    """Two masks in three colors, and the panel with the figures."""
    window, view = studio.window, studio.window.view_state
    view.layout, view.crosshair_visible = Layout.SINGLE, False
    studio.show(_SMALL)
    window.controller.comparer.open(studio.folder / "second-reader.nii.gz")
    studio.settle()
    until(lambda: window.controller.comparer.comparisons is not None)
    middle = studio.tumor(0)
    studio.go(middle)
    studio.look(Plane.AXIAL, middle + np.array((-25, 10, 0)), 3.0)
    image = beside(shot(window.views[Plane.AXIAL].canvas), shot(window.comparison_panel))
    window.controller.comparer.stop()
    view.crosshair_visible = True
    studio.settle()
    return image


def draw_annotations(studio: Studio) -> None:
    """A reading of each kind that has figures, and an arrow, on the slice of the largest tumor."""
    first = studio.tumor(0)
    k = round(float(first[2]))
    annotations = studio.window.context.annotations

    def at(right_mm: float, up_mm: float, start: np.ndarray = first) -> Float3:
        """A place on the screen of the axial plane: right and up of `start`, in mm."""
        i, j = start[0] - right_mm / SPEC.spacing_mm[0], start[1] + up_mm / SPEC.spacing_mm[1]
        return float(i), float(j), float(k)

    radius = studio.phantom.tumors[0].diameter_mm / 2
    axial = (Plane.AXIAL, k)
    caliper = (at(-radius, 3), at(radius, -3), at(-3, -radius + 2), at(3, radius - 2))
    made = [
        Annotation(AnnotationKind.CALIPER, *axial, caliper, "Lesion 1"),
        Annotation(AnnotationKind.ELLIPSE, *axial, (at(35, 5), at(62, -18)), "Liver"),
        Annotation(AnnotationKind.RULER, *axial, (at(0, 20), at(0, 58))),
        Annotation(AnnotationKind.ANGLE, *axial, (at(40, -136), at(86, -117), at(132, -136))),
        Annotation(AnnotationKind.ARROW, *axial, (at(76, -77), at(92, -58)), "Vena cava"),
    ]
    for reading in made:
        annotations.add(reading)
    annotations.choose(1)


def annotations(studio: Studio) -> QImage:
    """Readings on the slice, and their panel."""
    window, view = studio.window, studio.window.view_state
    view.layout, view.overlay_visible, view.crosshair_visible = Layout.SINGLE, False, False
    window.annotations_dock.raise_()
    studio.show(_SMALL)
    middle = studio.tumor(0)
    studio.go(middle)
    draw_annotations(studio)
    studio.look(Plane.AXIAL, middle + np.array((-40, -36, 0)), 2.4)
    panel = shot(window.annotations_dock.widget())
    image = beside(shot(window.views[Plane.AXIAL].canvas), panel)
    view.overlay_visible = view.crosshair_visible = True
    window.context.annotations.clear()
    studio.show()
    return image


def surfaces(studio: Studio) -> QImage:
    """The 3D pane, whole and cut at the coronal plane."""
    window, view = studio.window, studio.window.view_state
    view.layout, view.active = Layout.SINGLE, Pane.SURFACE
    studio.show((780, 600))
    studio.go(studio.tumor(0))
    until(lambda: bool(window.surface.drawing.surfaces))
    window.surface.reset()
    parts = []
    for cut, text in ((False, "Whole"), (True, "Clip: Coronal")):
        window.surface.clips[Plane.CORONAL].setChecked(cut)
        window.surface.drawing.camera.spin(25 if cut else 0, 12 if cut else 0)
        window.surface.drawing.redraw()
        studio.settle()
        parts.append(captioned(shot(window.surface), text))
    window.surface.clips[Plane.CORONAL].setChecked(False)
    window.surface.reset()
    view.active, view.layout = Pane.AXIAL, Layout.ONE_THREE
    studio.show()
    return beside(*parts)


def slab(studio: Studio) -> QImage:
    """A coronal slice, and 40 mm of slices as a MIP."""
    window, view = studio.window, studio.window.view_state
    view.layout, view.active, view.overlay_visible = Layout.SINGLE, Pane.CORONAL, False
    view.crosshair_visible = False
    i, j, k = studio.tumor(0)
    studio.go((i, j + 20, k))
    window.views[Plane.CORONAL].fit()
    parts = []
    for each, text in (
        (Slab(), "One slice"),
        (Slab(SlabMode.MAXIMUM, 60.0), "Maximum (MIP), 60 mm"),
    ):
        view.slab = each
        studio.settle()
        image = shot(window.views[Plane.CORONAL].canvas)
        image = image.scaledToWidth(470, Qt.TransformationMode.SmoothTransformation)
        parts.append(captioned(image, text))
    view.slab, view.overlay_visible, view.crosshair_visible = Slab(), True, True
    view.active, view.layout = Pane.AXIAL, Layout.ONE_THREE
    studio.settle()
    return beside(*parts)


def preferences(studio: Studio) -> QImage:
    """The Preferences dialog."""
    dialog = PreferencesDialog(studio.window, studio.settings)
    return dialog_shot(studio, dialog)


def models(studio: Studio) -> QImage:
    """The models, one of them added."""
    own = user_models() / "portal-2026"
    own.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(find_model().folder, own)
    card = json.loads((own / "card.json").read_text("utf-8")) | {"held_out": [], "trained_on": []}
    (own / "card.json").write_text(json.dumps(card), "utf-8")
    dialog = ModelsDialog(studio.window, studio.settings, studio.window.context.dialogs)
    return dialog_shot(studio, dialog)


def labelled(studio: Studio) -> Path:
    """A folder of five labelled phantoms, of which one does not hold the whole liver."""
    folder = studio.folder / "clinic"
    if folder.exists():
        return folder
    folder.mkdir()
    for number, (seed, slices, tumors) in enumerate(TRAINED_ON, 1):
        phantom = make_phantom(PhantomSpec(seed, (128, 128, slices), (3.0, 3.0, 5.0), tumors))
        name = f"liver{number}"
        write_scan(phantom.volume, folder / f"{name}.nii.gz")
        save_mask(phantom.truth, phantom.volume.origin, folder / f"{name}_mask.nii.gz")
    return folder


def show_page(page: QWidget) -> None:
    """A page of the training room by itself."""
    page.resize(*_SMALL)
    page.show()


def page_shot(page: DataPage | ConfigPage | ResultPage) -> QImage:
    """What the page shows; then it is done with."""
    image = shot(page)
    page.shutdown()
    page.close()
    return image


def training_config(studio: Studio) -> QImage:
    """The recipe as it is, with slices of the labelled phantoms as the network sees them."""
    page = ConfigPage(studio.settings)
    show_page(page)
    page.set_cases(find_sources(labelled(studio)))
    page.preview.case.setCurrentIndex(1)
    until(lambda: "as the network sees them" in page.preview.status.text())
    studio.settle()
    return page_shot(page)


def training_run(studio: Studio) -> QImage:
    """A small training on the labelled phantoms, while it fine-tunes."""
    look = FieldOfView((64, 96), (64, 96))
    config = TrainConfig(
        context=3, trunk=look, liver=None, epochs=5, fine_tune_epochs=3, batch_size=4, device="cpu"
    )
    job = TrainingJob(
        out=new_run_folder("clinic"),
        data=DataSelection(folders=(labelled(studio),)),
        name="clinic",
        phantoms=0,
        config=config,
    )
    page = RunPage(lambda *_: True, studio.settings)
    page.resize(1000, 720)
    page.show()
    page.start(job)
    until(lambda: page.strip.slider.maximum() == config.epochs + 1, _TRAINING_S)
    until(lambda: page.head.bar.value() > 0 and page.gauges.cpu.isVisible())
    image = shot(page)
    page.head.cancel.click()
    until(lambda: not page.active)
    page.shutdown()
    page.close()
    return image


def training_data(studio: Studio) -> QImage:
    """The labelled phantoms, and what is doubtful about the last."""
    folder = labelled(studio)
    page = DataPage(studio.settings, studio.window.context.dialogs)
    show_page(page)
    page.add([folder])
    until(lambda: not page.runner.busy)
    page.table.setCurrentItem(page.table.topLevelItem(len(TRAINED_ON) - 1))
    page.folders.list.item(0).setText("/data/clinic")  # not the folder of this run
    studio.settle()
    return page_shot(page)


def training_result(studio: Studio) -> QImage:
    """The result of a training whose held-out patients are labelled phantoms.

    The default model stands in for what was trained: it is judged on them.
    """
    out, data = studio.folder / "run", studio.folder / "clinic"
    shutil.copytree(find_model().folder, out / "model")
    sources = find_sources(data)
    figures, worst = evaluate_with_slices(find_model(), sources, "auto", Progress())
    record = RunStateFile(
        TrainingJob(out=out, data=DataSelection(folders=(data,)), name="clinic-2026"), ""
    )
    rows = [case.to_json() for case in figures]
    (out / HELD_OUT).write_text(json.dumps({"trained_on": [], "cases": rows}), "utf-8")
    save_worst(out / WORST, worst, sources)
    record.enter(RunState.FINISHED, model="model")
    page = ResultPage(studio.settings, studio.window.context.dialogs)
    show_page(page)
    page.show_run(out)
    studio.settle()
    return page_shot(page)


def shortcuts(studio: Studio) -> QImage:
    """All keys and gestures."""
    dialog = ShortcutsDialog(studio.window, studio.settings.values.mouse_profile)
    return dialog_shot(studio, dialog)


def licenses(studio: Studio) -> QImage:
    """The licenses, at that of Qt for Python."""
    dialog = LicensesDialog(studio.window)
    dialog.resize(900, 420)
    (row,) = dialog.list.findItems("PySide6_Essentials", Qt.MatchFlag.MatchStartsWith)
    dialog.list.setCurrentItem(row)
    return dialog_shot(studio, dialog)


def problem(studio: Studio) -> QImage:
    """What is said about a mistake in the program; its details would tell of this computer."""
    message = "Something unexpected happened (ZeroDivisionError: division by zero)."
    box = ErrorDialog(studio.window, message, message)
    images = []
    QTimer.singleShot(_OPENED_MS, lambda: images.append(shot(box)))
    QTimer.singleShot(_OPENED_MS, box.accept)
    box.exec()  # as in the program; closed without being waited for, Python crashes at its end
    return images[0]


def dialog_shot(studio: Studio, dialog: QWidget) -> QImage:
    """A dialog as it looks when it has just been opened."""
    dialog.show()
    dialog.activateWindow()
    studio.settle()
    image = shot(dialog)
    dialog.close()
    return image


def scan_check(studio: Studio) -> QImage:
    """The card of a series with missing slices."""
    folder = studio.folder / "gaps"
    volume = studio.phantom.volume
    write_dicom_series(named(volume, "Phantom^Gaps", "Abdomen portal"), folder)
    files = sorted(folder.iterdir())
    for n in (60, 61, 64):
        files[n].unlink()
    studio.open(folder)
    resampled = studio.window.study.volume
    mask = studio.folder / "gaps-mask.nii.gz"
    labels = studio.phantom.truth.labels
    if resampled.shape != labels.shape:
        raise RuntimeError(f"the scan with gaps has shape {resampled.shape}")
    save_mask(LabelMap(labels, resampled.grid), resampled.origin, mask)
    studio.window.controller.open_mask(mask)
    studio.settle()
    studio.window._results_dock.raise_()
    studio.window.controller.go_to_lesion(studio.window.study.measurements.lesions[0])
    studio.settle()
    return shot(studio.window)


def study_browser(studio: Studio) -> QImage:
    """A folder with several series."""
    folder = studio.folder / "disc"
    small = replace(SPEC, shape=(128, 128, 44), spacing_mm=(3.0, 3.0, 5.0))
    for n, (seed, patient, series) in enumerate(
        (
            (1, "Phantom^One", "Abdomen arterial"),
            (1, "Phantom^One", "Abdomen portal venous"),
            (2, "Phantom^Two", "Liver portal venous"),
            (3, "Phantom^Three", "Abdomen native"),
        )
    ):
        volume = make_phantom(replace(small, seed=seed, tumor_diameters_mm=(20.0,))).volume
        write_dicom_series(named(volume, patient, series), folder / f"series {n}")
    for path in sorted((folder / "series 3").iterdir())[10:12]:
        path.unlink()
    entries = list_volumes(folder, Progress())
    dialog = ScanBrowser(studio.window, "disc", entries, studio.settings)
    dialog.resize(QSize(1240, 620))
    dialog.show()
    studio.settle()
    image = shot(dialog)
    dialog.close()
    return image


def named(volume: Volume, patient: str, series: str) -> Volume:
    """`volume` as a scanner would label it."""
    origin = replace(volume.origin, patient=patient, description=series)
    return replace(volume, origin=origin)


PICTURES: dict[str, Callable[[Studio], QImage]] = {
    "welcome": welcome,
    "window": whole_window,
    "window-light": light_window,
    "layouts": layouts,
    "display": display_panel,
    "contours": contours,
    "comparison": comparison,
    "readings": annotations,
    "surfaces": surfaces,
    "slab": slab,
    "preferences": preferences,
    "models": models,
    "training-data": training_data,
    "training-recipe": training_config,
    "training-result": training_result,
    "training-run": training_run,
    "shortcuts": shortcuts,
    "licenses": licenses,
    "problem": problem,
    "scan-check": scan_check,
    "study-browser": study_browser,
}
"""In this order: each leaves the window as the next one expects it."""


def main() -> int:
    """Make all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description="make the pictures of the documents")
    parser.add_argument("folder", type=Path, help="where they go, e.g. docs/images")
    parser.add_argument("names", nargs="*", choices=[[], *PICTURES], help="which; all where none")
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["LIVERSEG_HOME"] = scratch
        app = QApplication(sys.argv[:1])
        studio = Studio(Path(scratch))
        for name, make in PICTURES.items():
            if arguments.names and name not in arguments.names:
                continue
            save(make(studio), folder / f"{name}.png")
        studio.window.controller.may_close = lambda: True
        studio.window.close()
        app.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
