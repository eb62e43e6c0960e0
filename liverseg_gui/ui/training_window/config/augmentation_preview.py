"""Live preview of the augmentation on the user's own slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from liverseg_gui.system.child_process import KeptChild
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.system.privacy import remember_case
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.training_window.config.background_checks import run_in_child
from liverseg_gui.ui.training_window.widgets.image_grid import ImageGrid
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from training.config.train_config import TrainConfig
from training.data.case import CaseSource
from training.planning.augmentation_preview import (
    AugmentedLooks,
    PreviewSlices,
    preview,
)

COUNT = 6
_SETTLE_MS = 150


class AugmentationPreview(QWidget):
    """Draws anew a moment after the configuration changed; one drawing at a time, in `runner`.

    `child` draws. Slices are of the case that is chosen in `case`, a phantom where there are none.
    `shown` hides names of patients in a text where they must not be seen.
    """

    def __init__(
        self, runner: JobRunner, child: KeptChild, shown: Callable[[str], str] = str
    ) -> None:
        super().__init__()
        self._child = child
        self._runner, self._shown, self._text = runner, shown, ""
        self._sources: Sequence[CaseSource] = ()
        self._config: TrainConfig | None = None
        self._slices: PreviewSlices | None = None
        self._requested: tuple[object, ...] = ()
        self._seed, self._busy = 0, False
        self.pictures = ImageGrid(COUNT)
        self.case, self.field_of_view = QComboBox(), QComboBox()
        self.case.setToolTip("Whose slices are shown")
        self.case.setAccessibleName("Case of the preview")
        self.case.currentIndexChanged.connect(self._again)
        self.field_of_view.addItems(["Whole trunk", "Liver closer up"])
        self.field_of_view.setAccessibleName("Look of the preview")
        self.field_of_view.setToolTip("Which of the two looks of the network is shown")
        self.field_of_view.currentIndexChanged.connect(self._again)
        self.another = QPushButton("Another one")
        self.another.setAutoDefault(False)
        self.another.setToolTip("Draw the random changes again")
        self.another.clicked.connect(self.draw_another)
        self.status = PlainLabel()
        self.status.setWordWrap(True)
        set_tone(self.status, "muted")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLE_MS)
        self._timer.timeout.connect(self._draw)
        self._arrange()
        self.set_cases(())

    def _arrange(self) -> None:
        line = QHBoxLayout()
        for widget in (self.case, self.field_of_view):
            line.addWidget(widget, 1)
        line.addWidget(self.another)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(line)
        layout.addWidget(self.pictures, 1)
        layout.addWidget(self.status)

    def set_cases(self, sources: Sequence[CaseSource]) -> None:
        """Offer the slices of `sources`."""
        self._sources = tuple(sources)
        for source in sources:
            remember_case(source.name)
        self.case.blockSignals(True)
        self.case.clear()
        self.case.addItems(list(map(one_line, self._titles())) or ["a phantom"])
        self.case.setEnabled(bool(sources))
        self.case.blockSignals(False)
        self._again()

    def show_names(self) -> None:
        """Call the cases as they may be called now."""
        for n, title in enumerate(self._titles()):
            self.case.setItemText(n, one_line(title))
        self.status.setText(self._shown(self._text))

    def _titles(self) -> list[str]:
        """The names of the cases; their numbers, where one of the names may not be seen."""
        names = [source.name for source in self._sources]
        if all(self._shown(name) == name for name in names):
            return names
        return [f"Case {n}" for n in range(1, len(names) + 1)]

    def _show_text(self, text: str) -> None:
        self._text = text
        self.status.setText(self._shown(text))

    def show_config(self, config: TrainConfig) -> None:
        """Follow `config`, in a moment."""
        self._config = config
        self.field_of_view.setEnabled(config.liver is not None)
        self._again()

    def draw_another(self) -> None:
        """The same slices under other random changes."""
        self._seed += 1
        self._again()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was asked for while nobody looked."""
        super().showEvent(event)
        self._again()

    def shutdown(self) -> None:
        """Draw nothing more."""
        self._timer.stop()
        self._config = None

    def _again(self) -> None:
        if self._config is not None and self.isVisible():
            self._timer.start()

    def _draw(self) -> None:
        """Draw now; if a drawing is under way, after it."""
        config = self._config
        if config is None or self._busy:
            return
        liver_view = self.field_of_view.currentIndex() == 1 and config.liver is not None
        at, seed, before = self.case.currentIndex(), self._seed, self._slices
        sources = self._sources[at : at + 1]
        name = sources[0].name if sources else ""
        requested = (config, liver_view, sources, seed)
        usable = bool(self._requested) and self._requested[2] == sources and before is not None
        self._requested = requested

        slices: PreviewSlices | int = COUNT
        if usable and before is not None and before.images.shape[1] == config.context:
            slices = before
        draw = partial(preview, config, sources, slices, seed, liver_view)
        self._busy = True
        if not usable and name:
            self._show_text(f"Reading {self.case.currentText()}")
        job = self._runner.submit("Preview", partial(run_in_child, self._child, draw), self._show)
        job.failed.connect(self._fail)
        job.ended.connect(self._ended)

    def _show(self, drawn: tuple[PreviewSlices, AugmentedLooks]) -> None:
        self._slices, looks = drawn
        self.pictures.show_images(looks.images, looks.labels)
        rows, columns = looks.images.shape[1:]
        set_tone(self.status, "muted")
        self._show_text(
            f"{rows} x {columns} pixels of about {looks.pixel_mm:.1f} mm, as the network sees them"
        )

    def _fail(self, message: str, _details: str) -> None:
        self._requested = ()
        set_tone(self.status, "error")
        self._show_text(message)

    def _ended(self) -> None:
        """Draw what was asked for meanwhile."""
        self._busy = False
        if self._timer.isActive() or not self._requested:
            return
        liver_view = self.field_of_view.currentIndex() == 1 and self._config_has_liver()
        at = self.case.currentIndex()
        if self._requested != (self._config, liver_view, self._sources[at : at + 1], self._seed):
            self._draw()

    def _config_has_liver(self) -> bool:
        return self._config is not None and self._config.liver is not None
