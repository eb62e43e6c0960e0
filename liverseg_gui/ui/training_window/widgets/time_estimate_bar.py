"""Estimate of the time and memory that a training needs, measured on request."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from liverseg_gui.ui.jobs.job_runner import Job, JobRunner
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from training.config.train_config import TrainConfig
from training.planning.time_estimate import Estimate, estimate_time

_TIP = (
    "Makes a few steps of the recipe in a process of its own, and multiplies by slices and epochs; "
    "takes up to some minutes"
)


class TimeEstimateBar(QWidget):
    """A line and a button. An estimate is marked as outdated once the configuration changes.

    `assumed` is shown with it: what was guessed of the data.
    """

    def __init__(self, runner: JobRunner) -> None:
        super().__init__()
        self._runner = runner
        self._job: Job | None = None
        self._config: TrainConfig | None = None
        self._slices = (0, 0)
        self.assumed = ""
        self._measured: tuple[TrainConfig, tuple[int, int]] | None = None
        self.line = PlainLabel()
        self.line.setWordWrap(True)
        self.button = QPushButton("Estimate")
        self.button.setAutoDefault(False)
        self.button.setToolTip(_TIP)
        self.button.clicked.connect(self._press)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.line, 1)
        layout.addWidget(self.button)
        self._show_text("Time and memory are not known yet", "muted")

    def show_config(self, config: TrainConfig | None, slices: int, validation_slices: int) -> None:
        """Follow the configuration, None while it is invalid, and how many slices there are."""
        self._config, self._slices = config, (slices, validation_slices)
        self.button.setEnabled(self._job is not None or (config is not None and slices > 0))
        if self._job is None and self._measured not in (None, (config, self._slices)):
            text = self.line.text().removesuffix(_OUTDATED)
            self._show_text(text + _OUTDATED, "warning")

    def _press(self) -> None:
        if self._job is not None:
            self._job.cancel()
        elif self._config is not None:
            self._start(self._config)

    def _start(self, config: TrainConfig) -> None:
        slices, validation_slices = counts = self._slices
        self._measured = None
        self._show_text("Measuring a few steps ...", "muted")
        self.button.setText("Cancel")
        job = self._runner.submit(
            "Estimate",
            partial(estimate_time, config, slices, validation_slices),
            lambda estimate: self._show(estimate, config, counts),
        )
        self._job = job
        job.failed.connect(lambda message, _: self._show_text(message, "error"))
        job.cancelled.connect(lambda: self._show_text("Time and memory are not known yet", "muted"))
        job.ended.connect(self._ended)

    def _show(self, estimate: Estimate, config: TrainConfig, counts: tuple[int, int]) -> None:
        self._measured = (config, counts)
        text = str(estimate)
        text = text[:1].upper() + text[1:]
        self._show_text(f"{text}, {self.assumed}" if self.assumed else text, None)
        self.line.setToolTip(
            f"{estimate.precision}: a step takes {estimate.trunk_s:.2f} s on the trunk and "
            f"{estimate.liver_view_s:.2f} s closer up; {counts[0]} slices are trained on. Reading "
            "and judging the cases comes on top"
        )

    def _ended(self) -> None:
        self._job = None
        self.button.setText("Estimate")
        self.show_config(self._config, *self._slices)

    def _show_text(self, text: str, tone: str | None) -> None:
        self.line.setText(text)
        self.line.setToolTip("")
        set_tone(self.line, tone)  # type: ignore[arg-type]


_OUTDATED = " - for an earlier recipe"
