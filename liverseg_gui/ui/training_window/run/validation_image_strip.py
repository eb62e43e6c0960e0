"""Validation slices after each epoch: reference masks and predictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QToolTip, QVBoxLayout, QWidget

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.ui.training_window.process.run_progress import ImageFile
from liverseg_gui.ui.training_window.widgets.image_grid import ImageGrid
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from training.runs.validation_image_file import read_validation_images

Stamp = tuple[Path, int, int]
"""A file, when it was written (ns), and its size in bytes."""

_COUNT, _COLUMNS = 6, 2
_LEAST_PX = 260
_NONE = "After each epoch the same six validation slices are shown here."
_KEY = "Line: the true mask. Filled: what the network finds. Green liver, orange tumor."


class ValidationImageStrip(QWidget):
    """Stays at the latest epoch until the slider is moved back. `shown` hides names of
    patients in a text where they must not be seen."""

    def __init__(self, shown: Callable[[str], str] = str) -> None:
        super().__init__()
        self._shown = shown
        self._folder, self._files = Path(), tuple[ImageFile, ...]()
        self._drawn: tuple[ImageFile, Stamp] | None = None
        self._text = _NONE
        self.names: tuple[str, ...] = ()
        self.pictures = ImageGrid(_COUNT, _COLUMNS)
        self.pictures.setAccessibleName("Validation slices")
        self.pictures.setMinimumWidth(_LEAST_PX)
        self.pictures.installEventFilter(self)
        self.caption, key = PlainLabel(_NONE), PlainLabel(_KEY)
        key.setWordWrap(True)
        set_tone(key, "muted")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Epoch of the pictures")
        self.slider.setPageStep(1)
        self.slider.setRange(0, 0)
        self.slider.setEnabled(False)
        self.slider.valueChanged.connect(lambda _: self._draw())
        row = QHBoxLayout()
        row.addWidget(self.caption)
        row.addWidget(self.slider, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pictures, 1)
        layout.addLayout(row)
        layout.addWidget(key)

    def show_files(self, folder: Path, files: Sequence[ImageFile]) -> None:
        """Offer the pictures of `files` in the folder of a training."""
        if (folder, tuple(files)) == (self._folder, self._files):
            self._draw()
            return
        latest = self.slider.value() == self.slider.maximum() or folder != self._folder
        self._folder, self._files = folder, tuple(files)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(len(files) - 1, 0))
        if latest:
            self.slider.setValue(self.slider.maximum())
        self.slider.blockSignals(False)
        self.slider.setEnabled(len(files) > 1)
        self._draw()

    def _draw(self) -> None:
        if not self._files:
            self._drawn, self.names = None, ()
            self.pictures.clear()
            self._show_text(_NONE)
            return
        file = self._files[self.slider.value()]
        drawn = file, _stamp(self._folder / file.path)
        if self._drawn == drawn:
            return
        self._drawn = drawn
        self._show_text(f"{file.stage}, epoch {file.epoch}")
        try:
            pictures = read_validation_images(self._folder / file.path)
        except UnreadableFileError as error:
            self.names = ()
            self.pictures.clear()
            self._show_text(str(error))
            return
        self.names = pictures.names
        self.pictures.show_images(pictures.images, pictures.truth, pictures.found)

    def show_caption(self) -> None:
        """Show the caption with names hidden or shown, as the settings are now."""
        self.caption.setText(self._shown(self._text))

    def _show_text(self, text: str) -> None:
        self._text = text
        self.show_caption()

    def eventFilter(self, watched: QWidget, event: QEvent) -> bool:  # type: ignore[override]
        """Show which case and slice a picture is of."""
        if watched is self.pictures and isinstance(event, QHelpEvent):
            boxes = zip(self.pictures.boxes(), self.names, strict=False)
            at = event.pos().toPointF()
            name = next((name for box, name in boxes if box.contains(at)), "")
            QToolTip.showText(event.globalPos(), self._shown(_caption(name)), self.pictures)
            return True
        return super().eventFilter(watched, event)


def _stamp(path: Path) -> Stamp:
    """Another one as soon as the file is: an epoch that is done again writes its pictures anew."""
    try:
        stat = path.stat()
    except OSError:
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_size


def _caption(name: str) -> str:
    """ "007 31" as the slice is counted from 1 everywhere in the window."""
    case, _, number = name.rpartition(" ")
    return f"Case {case}, slice {int(number) + 1}" if number.isdigit() else name
