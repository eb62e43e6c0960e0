"""Choice of the initial weights: a model, ImageNet, a file, or random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.segmentation.models.registry import InstalledModel, find_model, list_models
from liverseg_gui.system.plain_text import one_line, printable
from liverseg_gui.ui.training_window.config.linked_setting import disable_choices
from liverseg_gui.ui.widgets.file_dialogs import ask_file
from training.config.field_of_view import LIVER_VIEW, FieldOfView
from training.config.train_config import IMAGENET, TrainConfig

InitialWeights = tuple[str | None, str | None]
"""`encoder_weights` and `start_from` of a configuration."""

_FILE = "file"
_MOST_CONTEXT = 15
_TIP = (
    "What the model knows before it sees your scans. A model that segments livers already needs "
    "the fewest of them"
)


class InitialWeightsBox(QComboBox):
    """Emits `start_changed` on another choice; `value` is the chosen one."""

    start_changed = Signal()

    def __init__(self, ask_file: Callable[[QWidget], Path | None]) -> None:
        super().__init__()
        self._ask_file = ask_file
        self._value: InitialWeights = (None, None)
        self._imagenet_problem = ""
        self.setToolTip(_TIP)
        self.setAccessibleName("Start from")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(22)
        self._fill()
        self.activated.connect(self._choose)

    def value(self) -> InitialWeights:
        """`encoder_weights` and `start_from` as they are now."""
        return self._value

    def show_start(self, value: InitialWeights) -> None:
        """Show `value`, a model or file not listed yet included, without a signal."""
        self._value = value
        self._fill()

    def show_imagenet_problem(self, problem: str) -> None:
        """Grey out the download with the reason, or offer it again."""
        self._imagenet_problem = problem
        disable_choices(self, {IMAGENET: problem})

    def card(self) -> ModelCard | None:
        """The card of the initial model; None where there is none, or it cannot be read."""
        name = self._value[1]
        try:
            return None if name is None else find_model(name)
        except ModelError:
            return None

    def _fill(self) -> None:
        self.blockSignals(True)
        self.clear()
        for model in list_models():
            self._add_model(model)
        self.addItem("ImageNet weights, by download", IMAGENET)
        self.addItem("ImageNet weights, from a file ...", _FILE)
        self.addItem("Scratch: random weights", "")
        self.setItemData(self.findData(""), "Needs the most patients", _ROLE)
        encoder, model_name = self._value
        key = f"model {model_name}" if model_name is not None else encoder or ""
        if self.findData(key) < 0:
            self.insertItem(0, one_line(Path(model_name or key).name), key)
            self.setItemData(0, printable(model_name or key), _ROLE)
        self.setCurrentIndex(self.findData(key))
        disable_choices(self, {IMAGENET: self._imagenet_problem})
        self.blockSignals(False)

    def _add_model(self, model: InstalledModel) -> None:
        self.addItem(one_line(f"Model: {model.name} ({model.origin})"), f"model {model.name}")
        at = self.count() - 1
        problem = model_problem(model)
        if problem:
            self.model().item(at).setEnabled(False)  # type: ignore[attr-defined]
        self.setItemData(at, printable(problem) or _facts(model), _ROLE)

    def _choose(self, at: int) -> None:
        data = str(self.itemData(at))
        chosen: InitialWeights = (data or None, None)
        if data.startswith("model "):
            chosen = (None, data.removeprefix("model "))
        elif data == _FILE:
            path = self._ask_file(self)
            chosen = (str(path), None) if path is not None else self._value
        changed = chosen != self._value
        self.show_start(chosen)
        if changed:
            self.start_changed.emit()


_ROLE = Qt.ItemDataRole.ToolTipRole


def model_problem(model: InstalledModel) -> str:
    """Why no training can start from `model`; nothing where one can."""
    if model.card is None:
        return model.problem
    if model.card.context > _MOST_CONTEXT:
        return f"It sees {model.card.context} slices at once; training offers {_MOST_CONTEXT}."
    return ""


def with_card(config: TrainConfig, card: ModelCard) -> TrainConfig:
    """`config` with the architecture, context and fields of view of the model on `card`.

    The size of the liver view is the one it was trained with, where the card says so.
    """
    trunk = FieldOfView(card.size, card.size)
    if card.liver_view_size is None:
        return replace(
            config, architecture=card.architecture, context=card.context, trunk=trunk, liver=None
        )
    liver = FieldOfView(_liver_view_size(card), card.liver_view_size)
    return replace(
        config, architecture=card.architecture, context=card.context, trunk=trunk, liver=liver
    )


def _liver_view_size(card: ModelCard) -> tuple[int, int]:
    try:
        rows, columns = card.about["training"]["liver"]["size"]
        return int(rows), int(columns)
    except (KeyError, TypeError, ValueError):
        return LIVER_VIEW.size


def _facts(model: InstalledModel) -> str:
    assert model.card is not None
    rows, columns = model.card.size
    return (
        f"{model.card.architecture}, {model.card.context} slices at once, {rows} x {columns} pixels"
    )


def ask_weights_file(parent: QWidget) -> Path | None:
    """Which file of encoder weights to begin with."""
    kinds = "Weights of a ResNet (*.pth *.pt *.safetensors)"
    return ask_file(parent, "Weights of ImageNet", kinds)
