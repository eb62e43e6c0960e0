"""Everything that decides a training, besides the data itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.augment import Augmentation
from training.looks import LIVER, TRUNK, Look
from training.synthetic import SyntheticTumors


@dataclass(frozen=True)
class TrainConfig:
    """The recipe. `epochs` of `fit_one_cycle` look at the whole trunk, coarsely and fast; then
    `fine_tune_epochs` of `fine_tune` look at the liver closer up in `liver_share` of the batches.
    One network learns both looks. Without a `liver` look fine-tuning stays with the trunk.

    `context` is the number of slices that the network sees, odd; `average` the decay of the moving
    average of the weights, which is what is kept (0: none).
    """

    architecture: str = "slim-resnet18"
    context: int = 5
    trunk: Look = TRUNK
    liver: Look | None = LIVER
    liver_share: float = 0.75
    epochs: int = 5
    fine_tune_epochs: int = 8
    learning_rate: float = 2e-3
    fine_tune_rate: float = 1e-3
    batch_size: int = 8
    loss: str = "dice+ce"
    average: float = 0.998
    seed: int = 0
    device: str = "auto"
    encoder_weights: Path | None = None
    start_from: str | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    synthetic: SyntheticTumors | None = field(default_factory=SyntheticTumors)

    @property
    def freeze_epochs(self) -> int:
        """`fine_tune` first trains the decoder alone; that serves a pretrained encoder only."""
        return int(self.fine_tune_epochs > 0 and self.encoder_weights is not None)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain values for a model card."""
        values = asdict(self)
        values["encoder_weights"] = self.encoder_weights and self.encoder_weights.name
        return values
