"""Form of the training settings: the essential ones on top, the others in groups that open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from liverseg_gui.ui.training_window.config import form_rows as rows
from liverseg_gui.ui.training_window.config.augmentation_box import AugmentationBox
from liverseg_gui.ui.training_window.config.form_rows import ConfigRow
from liverseg_gui.ui.training_window.config.image_size_box import ImageSizeBox
from liverseg_gui.ui.training_window.config.initial_weights_box import (
    InitialWeightsBox,
    ask_weights_file,
    with_card,
)
from liverseg_gui.ui.training_window.config.linked_setting import LinkedSetting
from liverseg_gui.ui.training_window.config.network_box import NetworkBox
from liverseg_gui.ui.training_window.widgets.section import Section
from liverseg_gui.ui.widgets.labels import PlainLabel
from liverseg_gui.ui.widgets.theme import set_tone
from training.config.train_config import TrainConfig

_EARLY = (
    "Early stopping chooses by the held-out patients: their figures are then no longer honest. "
    "Give the epochs instead where figures are to be reported."
)
_LOCKED = "The model it starts from decides this."


class ConfigForm(QWidget):
    """A control for every field of `TrainConfig`; `config` holds their values."""

    changed = Signal()

    def __init__(self, ask_weights: Callable[[QWidget], Path | None] = ask_weights_file) -> None:
        super().__init__()
        self._given = TrainConfig()
        self.settings: dict[str, LinkedSetting] = {}
        self.start, self.network, self.image_size = (
            InitialWeightsBox(ask_weights),
            NetworkBox(),
            ImageSizeBox(),
        )
        self.augmentation = AugmentationBox()
        self.find_rate, self.find_batch = QPushButton("Find ..."), QPushButton("Find")
        for button in (self.find_rate, self.find_batch):
            button.setAutoDefault(False)  # else Enter in a box would press the first of them
        self.find_rate.setToolTip("Tries rising rates on your scans and shows where it learns")
        self.find_batch.setToolTip("As many slices as the free memory holds")
        self.freezing, self.early, self.locked = _line("muted"), _line("warning"), _line("muted")
        self.early.setText(_EARLY)
        self.sections: dict[str, Section] = {}
        self._arrange()
        self._connect()
        self.show_config(self._given)

    def config(self) -> TrainConfig:
        """The configuration as it is chosen.

        Raises:
            LiverSegError: the settings do not go together; says which.
        """
        encoder_weights, start_from = self.start.value()
        trunk, liver = self.image_size.value()
        return replace(
            self._given,
            **{key: setting.value() for key, setting in self.settings.items()},
            architecture=self.network.value(),
            trunk=trunk,
            liver=liver,
            encoder_weights=encoder_weights,
            start_from=start_from,
            augmentation=self.augmentation.augmentation,
            synthetic=self.augmentation.synthetic,
        )

    def show_config(self, config: TrainConfig) -> None:
        """Show every setting of `config`, without a signal."""
        self._given = config
        for key, setting in self.settings.items():
            setting.show_value(getattr(config, key))
        self.start.show_start((config.encoder_weights, config.start_from))
        self.network.show_value(config.architecture)
        self.image_size.show_value((config.trunk, config.liver))
        self.augmentation.show_values(config.augmentation, config.synthetic)
        self._follow()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 8, 0)
        layout.setSpacing(6)
        layout.addLayout(self._essentials())
        groups: tuple[tuple[str, QWidget], ...] = (
            ("What the network sees", self._group((rows.CONTEXT, rows.LIVER_SHARE))),
            ("What counts as a mistake", self._loss()),
            ("Random changes of the slices", self.augmentation),
            ("Training in detail", self._details()),
            ("Computer", self._group((rows.DEVICE, rows.PRECISION))),
        )
        for title, inside in groups:
            self.sections[title] = section = Section(title, inside)
            layout.addWidget(section)
        layout.addStretch(1)

    def _essentials(self) -> QFormLayout:
        form = _form()
        _add(form, "Start from", self.start)
        _add(form, "Network", self.network)
        _add(form, "Image size", self.image_size)
        form.addRow("", self.locked)
        self._bind(rows.EPOCHS).add_to(form)
        self._bind(rows.FINE_TUNE_EPOCHS).add_to(form)
        form.addRow("", self.freezing)
        self._bind(rows.LEARNING_RATE).add_to(form, self.find_rate)
        self._bind(rows.BATCH_SIZE).add_to(form, self.find_batch)
        return form

    def _loss(self) -> QWidget:
        self._loss_form = _form()
        for row in (rows.LOSS, rows.FOCAL_GAMMA, rows.TVERSKY_BETA):
            self._bind(row).add_to(self._loss_form)
        return _held(self._loss_form)

    def _details(self) -> QWidget:
        form = _form()
        for row in rows.DETAILS:
            self._bind(row).add_to(form)
        form.addRow(self.early)
        return _held(form)

    def _group(self, group: Iterable[ConfigRow]) -> QWidget:
        form = _form()
        for row in group:
            self._bind(row).add_to(form)
        return _held(form)

    def _bind(self, row: ConfigRow) -> LinkedSetting:
        self.settings[row.key] = setting = LinkedSetting(row)
        setting.changed.connect(self._react)
        return setting

    def _connect(self) -> None:
        self.start.start_changed.connect(self._apply_card)
        for signal in (
            self.start.start_changed,
            self.network.changed,
            self.image_size.size_changed,
            self.augmentation.changed,
        ):
            signal.connect(self._react)

    def _react(self) -> None:
        self._follow()
        self.changed.emit()

    def _apply_card(self) -> None:
        """Architecture, context and fields of view are those of the initial model."""
        card = self.start.card()
        if card is None:
            return
        fitted = with_card(self._given, card)
        self.network.show_value(fitted.architecture)
        self.image_size.show_value((fitted.trunk, fitted.liver))
        self.settings["context"].show_value(fitted.context)

    def _follow(self) -> None:
        """Enable what applies, and update the notes on what is chosen."""
        reason = "" if self.start.value()[1] is None else _LOCKED
        self.network.lock(reason)
        self.image_size.lock(reason)
        context = self.settings["context"].box
        context.setEnabled(not reason)
        context.setToolTip(reason or rows.CONTEXT.tip)
        self.locked.setText(f"The model {self._model()} decides network, size and context.")
        self.locked.setVisible(bool(reason))
        terms = str(self.settings["loss"].value()).split("+")
        self._loss_form.setRowVisible(self.settings["focal_gamma"].box, "focal" in terms)
        missed = any(term.endswith("tversky") for term in terms)
        self._loss_form.setRowVisible(self.settings["tversky_beta"].box, missed)
        self.settings["liver_share"].box.setEnabled(self.image_size.value()[1] is not None)
        self.early.setVisible(bool(self.settings["patience"].value()))
        self.freezing.setText(self._freezing())
        self.freezing.setVisible(bool(self.freezing.text()))

    def _model(self) -> str:
        return Path(self.start.value()[1] or "").name

    def _freezing(self) -> str:
        encoder_weights, _ = self.start.value()
        if not self.settings["fine_tune_epochs"].value():
            return ""
        if encoder_weights is None:
            return "All of the network learns in every epoch."
        return "Fine-tuning begins with one more epoch in which the encoder is held (frozen)."


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setVerticalSpacing(5)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _held(form: QFormLayout) -> QWidget:
    widget = QWidget()
    form.setContentsMargins(12, 0, 0, 4)
    widget.setLayout(form)
    return widget


def _add(form: QFormLayout, title: str, widget: QWidget) -> None:
    label = PlainLabel(title)
    label.setBuddy(widget)
    form.addRow(label, widget)


def _line(tone: str) -> QLabel:
    label = PlainLabel()
    label.setWordWrap(True)
    set_tone(label, tone)  # type: ignore[arg-type]
    return label
