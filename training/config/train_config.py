"""The configuration of a training: everything that decides it, besides the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.parsing import read_dataclass
from liverseg_gui.segmentation.networks.architectures import ARCHITECTURES
from liverseg_gui.system.devices import DEVICES
from training.config.augmentation_config import Augmentation, SyntheticTumors
from training.config.field_of_view import LIVER_VIEW, TRUNK_VIEW, FieldOfView

LOSSES = {
    "dice+ce": "Dice of liver and tumor, and cross-entropy (the default)",
    "ce": "cross-entropy alone: every pixel counts the same, few tumors are found",
    "dice": "Dice alone: liver and tumor count the same, however large they are",
    "focal": "focal loss: pixels that are right already count less",
    "dice+focal": "Dice, and the focal loss",
    "tversky": "Tversky: as Dice, but a missed pixel costs more than a false one",
    "tversky+ce": "Tversky, and cross-entropy",
    "focal-tversky": "focal Tversky: the class that is found worse counts more",
    "focal-tversky+ce": "focal Tversky, and cross-entropy",
}
"""What `--loss` takes, and what it does."""
PRECISIONS = {
    "auto": "float16 on CUDA; on the CPU the faster of float32 and bfloat16, measured at the start",
    "float32": "full precision",
    "bf16": "bfloat16 where it does no harm, weights and loss in float32",
    "fp16": "float16 with a scaled loss, on CUDA only",
}
"""What `--precision` takes, and what it does."""
MULTI_SCALE = {"ppm": "pyramid pooling between encoder and decoder, for slim networks"}
"""What `--multi-scale` takes, and what it does."""
IMAGENET = "imagenet"
"""In place of a file of encoder weights: torchvision's own, by download."""
_RANGES: dict[str, tuple[float, float]] = {
    "context": (1, 15),
    "liver_share": (0, 1),
    "epochs": (0, 10_000),
    "fine_tune_epochs": (0, 10_000),
    "learning_rate": (1e-8, 10),
    "fine_tune_rate": (1e-8, 10),
    "batch_size": (1, 4096),
    "accumulate": (1, 4096),
    "focal_gamma": (0, 10),
    "tversky_beta": (0, 1),
    "weight_decay": (0, 1),
    "clip": (0, 1e6),
    "average": (0, 0.99999),
    "patience": (0, 10_000),
    "seed": (0, 2**32 - 1),
}
_COARSEST, _FINEST = 32, 4096
"""Sizes are multiples of the first: the encoders halve five times."""


@dataclass(frozen=True)
class TrainConfig:
    """The configuration. `epochs` of `fit_one_cycle` see the whole trunk, coarsely and fast;
    then `fine_tune_epochs` of `fine_tune` see the liver closer up in `liver_share` of the batches.
    One network learns both views. Without a `liver` view fine-tuning stays with the trunk.

    `context` is the number of slices that the network sees, odd. A step is made after `accumulate`
    batches of `batch_size`, with gradients no longer than `clip` (0: as long as they are).
    `average` is the decay of the moving average of the weights, which is what is kept (0: none).
    A stage ends after `patience` epochs that did not better the validation Dice (0: never); that
    chooses by the validation slices, so it has no place where metrics of these are reported.
    `encoder_weights` is a file, "imagenet", or None for random ones; `start_from` a model.

    Raises:
        LiverSegError: a setting out of its range.
    """

    architecture: str = "slim-resnet18"
    context: int = 5
    trunk: FieldOfView = TRUNK_VIEW
    liver: FieldOfView | None = LIVER_VIEW
    liver_share: float = 0.75
    epochs: int = 5
    fine_tune_epochs: int = 8
    learning_rate: float = 2e-3
    fine_tune_rate: float = 1e-3
    batch_size: int = 8
    accumulate: int = 1
    loss: str = "dice+ce"
    focal_gamma: float = 2.0
    tversky_beta: float = 0.7
    weight_decay: float = 0.01
    clip: float = 1.0
    average: float = 0.998
    patience: int = 0
    precision: str = "auto"
    seed: int = 0
    device: str = "auto"
    encoder_weights: str | None = None
    start_from: str | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    synthetic: SyntheticTumors | None = field(default_factory=SyntheticTumors)

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise LiverSegError(
                    f"The recipe's {name} is {value}. Choose one from {low:g} to {high:g}."
                )
        if self.context % 2 == 0:
            raise LiverSegError(f"The recipe's context is {self.context}. Choose an odd number.")
        if not self.epochs + self.fine_tune_epochs:
            raise LiverSegError("The recipe has no epochs. Choose at least one.")
        _known("architecture", self.architecture, ARCHITECTURES)
        _known("loss", self.loss, LOSSES)
        _known("precision", self.precision, PRECISIONS)
        _known("device", self.device, DEVICES)
        for view in (self.trunk, self.liver):
            if view is not None and (
                any(s % _COARSEST for s in view.size)
                or not all(_COARSEST <= s <= _FINEST for s in (*view.size, *view.of_trunk))
            ):
                rows, columns = view.size
                raise LiverSegError(
                    f"The recipe looks at {rows} x {columns} pixels of a trunk of "
                    f"{view.of_trunk[0]} x {view.of_trunk[1]}. Choose multiples of {_COARSEST}, "
                    f"and none above {_FINEST}."
                )

    @property
    def freeze_epochs(self) -> int:
        """`fine_tune` first trains the decoder alone; that serves a pretrained encoder only."""
        return int(self.fine_tune_epochs > 0 and self.encoder_weights is not None)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain values; `from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> TrainConfig:
        """The configuration of plain values, as JSON and TOML give them; what is not named is
        default.

        Raises:
            LiverSegError: an unknown setting, or a value of another type or out of its range.
        """
        return read_dataclass(cls, values, "The recipe")


def _known(setting: str, value: str, choices: tuple[str, ...] | dict[str, str]) -> None:
    if value not in choices:
        raise LiverSegError(
            f"The recipe's {setting} is {value!r}. Choose one of {', '.join(choices)}."
        )
