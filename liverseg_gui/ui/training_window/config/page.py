"""Configuration page of the training window."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.child_process import KeptChild
from liverseg_gui.ui.jobs.job_runner import JobRunner
from liverseg_gui.ui.training_window.config.augmentation_preview import AugmentationPreview
from liverseg_gui.ui.training_window.config.background_checks import (
    CommandOf,
    run_in_child,
    run_in_new_child,
    with_config_file,
)
from liverseg_gui.ui.training_window.config.config_file_menu import (
    AskPath,
    ConfigFileMenu,
    ask_config_file,
    ask_new_config_file,
)
from liverseg_gui.ui.training_window.config.form import ConfigForm
from liverseg_gui.ui.training_window.config.initial_weights_box import ask_weights_file
from liverseg_gui.ui.training_window.config.linked_setting import disable_choices
from liverseg_gui.ui.training_window.config.lr_finder_box import LRFinderBox
from liverseg_gui.ui.training_window.widgets.schedule_plot import SchedulePlot
from liverseg_gui.ui.training_window.widgets.time_estimate_bar import TimeEstimateBar
from liverseg_gui.ui.widgets.input_filters import WheelGuard
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.patient_display import text_shown
from liverseg_gui.ui.widgets.theme import set_tone
from training.config.config_file import read_config_file, write_config_file
from training.config.train_config import IMAGENET, TrainConfig
from training.data.case import CaseSource
from training.planning.batch_size import fitting_batch_size
from training.planning.devices import (
    check_encoder_weights,
    device_offers,
    imagenet_problem,
    precision_problem,
)
from training.runs.files import RECIPE
from training.runs.registry import new_run_folder

_SLICES_A_CASE = 90
"""Where it is not known: about the mean of 28 LiTS patients as lits2d stores them."""
_NO_DATA = "Choose labelled cases first."


class ConfigPage(QWidget):
    """A valid `TrainConfig` as `config`, or its `problem`; `changed` is emitted for both.

    `settings` hold whether patients are hidden; `ask_open`, `ask_save` and `ask_weights` stand for
    the file dialogs.
    """

    changed = Signal()

    def __init__(
        self,
        settings: Settings,
        ask_open: AskPath = ask_config_file,
        ask_save: AskPath = ask_new_config_file,
        ask_weights: AskPath = ask_weights_file,
    ) -> None:
        super().__init__()
        self._settings, self._message = settings, ""
        self._ask_open, self._ask_save = ask_open, ask_save
        # A runner does one job at a time: previews must not wait for an estimate of minutes.
        self._quick, self._slow = JobRunner(), JobRunner()
        self._child = KeptChild()
        self._command: CommandOf | None = None
        self._slices, self._validation_slices = 0, 0
        self._device = "cpu"
        self._devices_requested = False
        self.finder: LRFinderBox | None = None
        self.form, self.buttons = ConfigForm(ask_weights), ConfigFileMenu()
        self.schedule, self.preview = (
            SchedulePlot(),
            AugmentationPreview(self._quick, self._child, self._shown),
        )
        self.estimate = TimeEstimateBar(self._slow)
        self.message = PlainLabel()
        self.message.setWordWrap(True)
        self._arrange()
        self._connect()
        commanding = (self.form.find_rate, self.buttons.copy)
        self._tips = {button: button.toolTip() for button in commanding}
        self.set_command(None)
        settings.changed.connect(self._show_settings)
        WheelGuard(self)

    def config(self) -> TrainConfig:
        """The configuration that is chosen.

        Raises:
            LiverSegError: it is not valid; `problem` says the same.
        """
        config = self.form.config()
        device = self._device if config.device == "auto" else config.device
        if problem := precision_problem(config.precision, device):
            raise LiverSegError(problem)
        return config

    @property
    def start_from(self) -> str | None:
        """The model that the training starts from, or None."""
        return self.form.start.value()[1]

    def problem(self) -> str:
        """What is wrong with the configuration; nothing while it is valid."""
        try:
            self.config()
        except LiverSegError as error:
            return str(error)
        return self._too_few_slices(self.form.config())

    def set_config(self, config: TrainConfig) -> None:
        """Show `config` in every control."""
        self.form.show_config(config)
        self._react()

    def set_cases(
        self,
        sources: Sequence[CaseSource],
        slices: int | None = None,
        validation_slices: int | None = None,
    ) -> None:
        """The cases that are trained on: their slices are previewed, and counted for the estimate.

        `slices` to train on and `validation_slices` are guessed where they are not given.
        """
        guessed = len(sources) * _SLICES_A_CASE
        self._slices = guessed * 4 // 5 if slices is None else slices
        self._validation_slices = guessed // 5 if validation_slices is None else validation_slices
        assumed = f"if a case has about {_SLICES_A_CASE} slices"
        self.estimate.assumed = assumed if slices is None else ""
        self.preview.set_cases(sources)
        self._follow()

    def set_command(self, command: CommandOf | None) -> None:
        """How the training is started, which finding a rate and copying need; None: no data yet."""
        self._command = command
        for button, tip in self._tips.items():
            button.setToolTip(tip if command is not None else _NO_DATA)
        self._follow()

    def shutdown(self) -> None:
        """End the background work, and disconnect from the settings."""
        self._settings.changed.disconnect(self._show_settings)
        if self.finder is not None:
            self.finder.reject()
        self.preview.shutdown()
        for runner in (self._quick, self._slow):
            runner.shutdown()
        self._child.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Query the devices of this computer once."""
        super().showEvent(event)
        if not self._devices_requested:
            self._devices_requested = True
            work = partial(run_in_child, self._child, device_offers)
            self._quick.submit("Devices", work, self._take_offers)

    def _arrange(self) -> None:
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setMinimumWidth(430)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes through what is in it
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(8, 0, 0, 0)
        column.addWidget(self.schedule, 1)
        column.addWidget(self.preview)
        splitter = QSplitter()
        splitter.addWidget(scroll)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 2)
        splitter.setStretchFactor(1, 3)
        splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.addWidget(splitter, 1)
        for widget in (self.message, self.estimate, self.buttons):
            layout.addWidget(widget)

    def _connect(self) -> None:
        self.form.changed.connect(self._react)
        self.form.find_batch.clicked.connect(self.find_batch)
        self.form.find_rate.clicked.connect(self.find_rate)
        self.form.network.changed.connect(self._offer_imagenet)
        self.form.start.start_changed.connect(self._check_weights)
        self.buttons.load.clicked.connect(self.load)
        self.buttons.save.clicked.connect(self.save)
        self.buttons.reset.clicked.connect(lambda: self.set_config(TrainConfig()))
        self.buttons.copy.clicked.connect(self.copy_command)

    def load(self) -> None:
        """Read a configuration file; for a bad one a message is shown, and nothing changes."""
        path = self._ask_open(self)
        if path is None:
            return
        try:
            config = read_config_file(path)
        except LiverSegError as error:
            self._show_message(str(error), "error")
            return
        self.set_config(config)

    def save(self) -> None:
        """Write the configuration to a file."""
        path = self._ask_save(self)
        if path is not None:
            self._write(path, f"Saved as {path}.")

    def copy_command(self) -> None:
        """Put the command line of this training on the clipboard, and write its configuration."""
        assert self._command is not None
        try:
            folder = new_run_folder("command-line")
        except SaveError as error:
            self._show_message(str(error), "error")
            return
        if self._write(folder / RECIPE, f"Copied. Its recipe is {folder / RECIPE}."):
            argv = ["liverseg", *self._command(self.config(), folder)]
            QGuiApplication.clipboard().setText(shlex.join(argv))

    def find_rate(self) -> None:
        """Look for a learning rate in a window of its own."""
        command = self._command
        if command is None or self.problem():
            return
        config = self.config()
        self.finder = finder = LRFinderBox(
            self, partial(with_config_file, command, config), self._shown
        )
        finder.setModal(True)
        finder.rate_accepted.connect(self.form.settings["learning_rate"].choose)
        finder.finished.connect(finder.deleteLater)
        finder.finished.connect(self._forget_finder)
        finder.start()
        finder.show()

    def find_batch(self) -> None:
        """Take the largest batch that fits into the free memory."""
        try:
            config = self.form.config()
        except LiverSegError as error:
            self._show_message(str(error), "error")
            return
        device = self._device if config.device == "auto" else config.device
        self.form.find_batch.setEnabled(False)

        work = partial(run_in_new_child, partial(fitting_batch_size, config, device))
        job = self._quick.submit("Batch size", work, self._take_batch)
        job.failed.connect(lambda message, _: self._show_message(message, "error"))
        job.ended.connect(self._follow_batch)

    def _take_batch(self, size: int) -> None:
        size = min(size, self._slices or size)
        self.form.settings["batch_size"].choose(size)
        self._show_message(f"Batches of {size} slices fit into the memory that is free.", "muted")

    def _follow_batch(self) -> None:
        self.form.find_batch.setEnabled(True)

    def _forget_finder(self) -> None:
        self.finder = None

    def _take_offers(self, offers: tuple[str, dict[str, str]]) -> None:
        self._device, problems = offers
        disable_choices(self.form.settings["device"].box, problems)  # type: ignore[arg-type]
        self._offer_imagenet()
        self._follow()

    def _offer_imagenet(self) -> None:
        """Whether the encoder's ImageNet weights are to be had."""
        if self._devices_requested:
            look = partial(imagenet_problem, self.form.network.value())
            work = partial(run_in_child, self._child, look)
            self._quick.submit("ImageNet", work, self.form.start.show_imagenet_problem)

    def _check_weights(self) -> None:
        """Check a chosen file of weights; one that holds none is dropped with a message.

        It may be large, so it is read in a job.
        """
        weights, _ = self.form.start.value()
        if weights is None or weights == IMAGENET:
            return
        work = partial(run_in_child, self._child, partial(check_encoder_weights, Path(weights)))
        job = self._quick.submit("Weights", work, lambda _: None)
        job.failed.connect(partial(self._refuse_weights, weights))

    def _refuse_weights(self, weights: str, message: str, _details: str) -> None:
        if self.form.start.value()[0] == weights:
            self.form.start.show_start((None, None))
            self.form.show_config(self.form.config())
            self._react()
            self._show_message(message, "error")

    def _react(self) -> None:
        self._follow()
        self.changed.emit()

    def _follow(self) -> None:
        """Draw what follows from the configuration, or show what is wrong with it."""
        problem = self.problem()
        self._show_message(problem, "error")
        self.buttons.save.setEnabled(not problem)
        for button in self._tips:
            button.setEnabled(not problem and self._command is not None)
        self._offer_precision()
        if problem:
            self.estimate.show_config(None, self._slices, self._validation_slices)
            return
        config = self.config()
        self.schedule.show_config(config)
        self.preview.show_config(config)
        self.estimate.show_config(config, self._slices, self._validation_slices)

    def _offer_precision(self) -> None:
        chosen = str(self.form.settings["device"].value())
        device = self._device if chosen == "auto" else chosen
        box = self.form.settings["precision"].box
        problems = {name: precision_problem(name, device) for name in ("fp16", "bf16")}
        disable_choices(box, problems)  # type: ignore[arg-type]

    def _too_few_slices(self, config: TrainConfig) -> str:
        if not self._slices or self._slices >= config.batch_size:
            return ""
        return (
            f"There are {self._slices} slices to train on, fewer than a batch of "
            f"{config.batch_size} needs. Choose a smaller batch or add patients."
        )

    def _write(self, path: Path, done: str) -> bool:
        try:
            write_config_file(self.config(), path)
        except (LiverSegError, SaveError) as error:
            self._show_message(str(error), "error")
            return False
        self._show_message(done, "muted")
        return True

    def _show_message(self, text: str, tone: str) -> None:
        self._message = text
        self.message.setText(self._shown(text))
        self.message.setVisible(bool(text))
        set_tone(self.message, tone)  # type: ignore[arg-type]

    def _show_settings(self) -> None:
        """Names may have to be hidden, or may be shown again."""
        self.message.setText(self._shown(self._message))
        self.preview.show_names()

    def _shown(self, text: str) -> str:
        return text_shown(text, self._settings)
