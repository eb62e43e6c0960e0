"""Table of the plain training settings: labels, tool tips and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from liverseg_gui.system.devices import DEVICES
from training.config.train_config import LOSSES, PRECISIONS


@dataclass(frozen=True)
class ConfigRow:
    """Row for a field of `TrainConfig`: a number from `low` to `high`, or one of `choices`.

    `zero` is what 0 is called; without `step` a step is a tenth of the number's size.
    """

    key: str
    label: str
    tip: str
    low: float = 0.0
    high: float = 1.0
    step: float = 0.0
    whole: bool = False
    zero: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)


def _count(key: str, label: str, tip: str, low: int, high: int, zero: str = "") -> ConfigRow:
    return ConfigRow(key, label, tip, low, high, 1, True, zero)


EPOCHS = _count(
    "epochs",
    "Epochs, whole trunk",
    "How often the model sees all slices while it learns to find the liver in the whole trunk",
    *(0, 10_000),
    zero="none",
)
FINE_TUNE_EPOCHS = _count(
    "fine_tune_epochs",
    "Epochs, fine-tuning",
    "How often it sees them while it learns details, with the liver closer up",
    *(0, 10_000),
    zero="none",
)
LEARNING_RATE = ConfigRow(
    "learning_rate",
    "Learning rate",
    "How large the steps are by which the model learns: too small is slow, too large forgets. "
    "Find measures which suits your scans",
    *(1e-8, 10),
)
BATCH_SIZE = _count(
    "batch_size",
    "Slices in a batch",
    "How many slices it looks at before it changes; more need more memory. Find takes what fits",
    *(1, 4096),
)
LOSS = ConfigRow(
    "loss",
    "Loss",
    "What counts as a mistake, and how much",
    choices=LOSSES,
)
FOCAL_GAMMA = ConfigRow(
    "focal_gamma",
    "Focal gamma",
    "How little pixels count that are right already; 0 counts all the same",
    *(0, 10, 0.5),
)
TVERSKY_BETA = ConfigRow(
    "tversky_beta",
    "Missed pixels weigh",
    "How much a missed pixel of liver or tumor weighs; a false one weighs the rest to 1",
    *(0, 1, 0.05),
)
CONTEXT = _count(
    "context",
    "Slices of context",
    "How many neighboring slices the model sees at once, the one it draws in the middle: odd",
    *(1, 15),
)
LIVER_SHARE = ConfigRow(
    "liver_share",
    "Closer looks",
    "The part of the batches of fine-tuning that look at the liver closer up",
    *(0, 1, 0.05),
)
DETAILS = (
    ConfigRow(
        "fine_tune_rate",
        "Rate of fine-tuning",
        "The highest learning rate while details are learned; usually half the other one",
        *(1e-8, 10),
    ),
    _count(
        "accumulate",
        "Batches to a step",
        "The model changes after so many batches: works like a larger batch in the same memory",
        *(1, 4096),
    ),
    ConfigRow(
        "weight_decay",
        "Weight decay",
        "Keeps the model simple, so that it does not learn single patients by heart",
        *(0, 1),
        zero="none",
    ),
    ConfigRow(
        "clip",
        "Longest step",
        "Cuts off steps that single odd slices would make too large",
        *(0, 1e6),
        zero="any",
    ),
    ConfigRow(
        "average",
        "Moving average",
        "What is kept is an average of the last weights, which is steadier; nearer to 1 is longer",
        *(0, 0.99999, 0.001),
        zero="none",
    ),
    _count(
        "patience",
        "Early stopping after",
        "Ends a stage after so many epochs that did not get better on the held-out patients",
        *(0, 10_000),
        zero="never",
    ),
    _count(
        "seed",
        "Random seed",
        "The same number gives the same training again; another one shows how much is chance",
        *(0, 2**32 - 1),
    ),
)
PRECISION = ConfigRow(
    "precision",
    "Precision",
    "In how many digits it computes: fewer are faster on some computers",
    choices=PRECISIONS,
)
DEVICE = ConfigRow(
    "device", "Train on", "Which part of this computer does the work", choices=DEVICES
)
