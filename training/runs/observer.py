"""Who is told how a training goes, besides epochs and notes: a window, or the file of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.evaluation.case_metrics import CaseMetrics
from training.runs.epoch_log import EpochResult


@dataclass(frozen=True)
class Plan:
    """What a training is about to do, once cases and network are ready.

    `stages` are (name, epochs). `precision` and `batch_size` are those fitted to the computer.
    """

    stages: tuple[tuple[str, int], ...]
    device: str
    precision: str
    batch_size: int


class TrainingObserver:
    """Is told what happens; whoever listens overrides what it wants to know."""

    def cases(self, training: Sequence[str], held_out: Sequence[str]) -> None:
        """The names of the cases on each side of the split."""

    def works_on(self, case: str | None) -> None:
        """The case of this name is read or judged from now on; None: no single one is."""

    def start(self, plan: Plan) -> None:
        """Training begins, or begins again with a smaller batch."""

    def resumed(self, epochs: Sequence[EpochResult]) -> None:
        """The checkpoint that is gone on from has these epochs behind it."""

    def trained(self) -> None:
        """The last epoch is done; the held-out patients are judged next."""

    def pictures(self, stage: str, epoch: int, path: Path) -> None:
        """Pictures of some validation slices after that epoch lie at `path`."""

    def patient(self, figures: CaseMetrics) -> None:
        """A held-out patient was judged."""

    def model(self, folder: Path) -> None:
        """The model was written to `folder`."""


NULL_OBSERVER = TrainingObserver()
"""Listens to nothing."""
