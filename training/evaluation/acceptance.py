"""Acceptance of a fine-tuned model in place of the one it was made from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import read_card
from liverseg_gui.segmentation.models.history import choose_instead
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelChoice,
    find_installed,
    list_models,
)
from liverseg_gui.segmentation.models.store import ExpectedShapes, add_model
from liverseg_gui.segmentation.models.weights_check import expected_shapes
from liverseg_gui.system.atomic_write import write_text
from training.evaluation.comparison_text import difference_text
from training.evaluation.model_comparison import Comparison, Difference
from training.runs.files import DECISION, MODEL

TOLERANCE = 0.0005
"""How much lower a mean Dice of the new model may be: less than its third digit shows, and than
other rounding of the same weights can change."""
RULE = (
    "Accepted if neither the mean Dice of the liver nor that of tumors, over the held-out patients "
    "that neither model was trained on as far as names tell, is lower than the old model's by more "
    "than the tolerance. Tumors count in patients who have one."
)


@dataclass(frozen=True)
class AcceptanceDecision:
    """The old model (`comparison.baseline`) and the new one (`comparison.candidate`).

    `old_sha256` and `new_sha256` are the checksums of their weights, the only ones it is about.
    """

    comparison: Comparison
    old_sha256: str
    new_sha256: str
    tolerance: float = TOLERANCE

    @property
    def accepted(self) -> bool:
        """Whether the new model may take the old one's place."""
        liver, tumor = self.comparison.liver, self.comparison.tumor
        return liver is not None and not self._falls(liver) and not self._falls(tumor)

    @property
    def reasons(self) -> list[str]:
        """Why, in sentences."""
        liver, tumor = self.comparison.liver, self.comparison.tumor
        reasons = [self._reason("liver", liver), self._reason("tumor", tumor)]
        if liver is not None and tumor is None:
            reasons.append(
                "No held-out patient has a tumor: whether tumors are found as well as before is "
                "not known."
            )
        if liver is not None and liver.patients < _FEW:
            reasons.append(
                f"{liver.patients} held-out patient{'s' if liver.patients > 1 else ''} cannot tell "
                "a small difference from chance. More corrected patients make this surer."
            )
        return reasons

    def _falls(self, result: Difference | None) -> bool:
        return result is not None and result.candidate < result.baseline - self.tolerance

    def _reason(self, label: str, result: Difference | None) -> str:
        if result is None:
            return f"{label.capitalize()}: no held-out patient to tell it from."
        verb = "falls" if self._falls(result) else "does not fall"
        return f"{label.capitalize()} {verb}: {difference_text(result)}."

    def to_json(self) -> dict[str, Any]:
        """The decision with all figures; `from_json` reads it back."""
        return {
            "accepted": self.accepted,
            "rule": RULE,
            "tolerance": self.tolerance,
            "reasons": self.reasons,
            "old": {"name": self.comparison.baseline, "sha256": self.old_sha256},
            "new": {"name": self.comparison.candidate, "sha256": self.new_sha256},
            "comparison": self.comparison.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> AcceptanceDecision:
        """The decision that `to_json` wrote down."""
        comparison = Comparison.from_json(values["comparison"])
        old, new = values["old"]["sha256"], values["new"]["sha256"]
        return cls(comparison, old, new, float(values["tolerance"]))

    def on_card(self) -> dict[str, Any]:
        """What stands on the new model's card, under "improved_from"."""
        comparison = self.comparison.to_json()
        return {
            "name": self.comparison.baseline,
            "sha256": self.old_sha256,
            "accepted": self.accepted,
            "tolerance": self.tolerance,
            "liver_dice": comparison["liver"],
            "tumor_dice": comparison["tumor"],
            "patients": comparison["pairs"],
        }


_FEW = 5


def write_decision(decision: AcceptanceDecision, out: Path) -> None:
    """Write `decision` into `out`.

    Raises:
        SaveError: it could not be written.
    """
    write_text(out / DECISION, json.dumps(decision.to_json(), indent=1) + "\n")


def read_decision(out: Path) -> AcceptanceDecision:
    """The decision in `out`.

    Raises:
        UnreadableFileError: there is none, or it is damaged.
    """
    path = out / DECISION
    try:
        return AcceptanceDecision.from_json(parse_json(path.read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableFileError(
            f"{path} is missing or damaged. `liverseg train --improve` writes it once the new "
            "model is judged."
        ) from error


def accept(
    out: Path, settings: ModelChoice, name: str | None = None, progress: Progress | None = None
) -> InstalledModel:
    """Add the improved model in `out` to the reader's models, and use it from now on.

    It is called `name`, or as its card says, with a number where that is taken. The model used
    before is remembered: `liverseg_gui.segmentation.models.history.roll_back` uses it again.

    Raises:
        LiverSegError: the decision was against it, or is not there.
        ModelError: it cannot be added.
        Cancelled: `progress` was cancelled; nothing was changed.
    """
    return choose_instead(add_accepted(out, name, progress).name, settings)


def add_accepted(
    out: Path,
    name: str | None = None,
    progress: Progress | None = None,
    shapes_of: ExpectedShapes = expected_shapes,
) -> InstalledModel:
    """The first half of `accept`: the model is added, or was before, and not chosen yet.

    `shapes_of` is as for `liverseg_gui.segmentation.models.store.add_model`.

    Raises:
        LiverSegError, ModelError, Cancelled: as `accept`.
    """
    decision = read_decision(out)
    folder = out / MODEL
    if not decision.accepted:
        raise LiverSegError(
            f"The improved model in {out} was not accepted. {' '.join(decision.reasons)} To use "
            f"it all the same, add it with `liverseg models add {folder}` and choose it."
        )
    card = read_card(folder)
    if card.sha256 != decision.new_sha256:
        raise LiverSegError(
            f"The model in {folder} is not the one that was judged there. Improve again into "
            "another folder."
        )
    there = [model for model in list_models() if model.card and model.card.sha256 == card.sha256]
    if there:
        return there[0]
    return add_model(folder, name or _free_name(card.name), progress, shapes_of)


def _free_name(name: str) -> str:
    names = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(name for name in names if find_installed(name) is None)
