"""The observer of a training: the one interface of whoever watches it."""

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
    """Called at each event but progress (`Progress`); override what is of interest."""

    def cases(self, training: Sequence[str], held_out: Sequence[str]) -> None:
        """The names of the cases on each side of the split."""

    def works_on(self, case: str | None) -> None:
        """The case of this name is read or evaluated from now on; None: no single one is."""

    def start(self, plan: Plan) -> None:
        """Training begins, or begins again with a smaller batch."""

    def resumed(self, epochs: Sequence[EpochResult]) -> None:
        """The checkpoint that is gone on from has these epochs behind it."""

    def epoch(self, result: EpochResult) -> None:
        """An epoch is done and its checkpoint written."""

    def images(self, stage: str, epoch: int, path: Path) -> None:
        """Images of some validation slices after that epoch lie at `path`."""

    def note(self, text: str) -> None:
        """What a person should know."""

    def trained(self) -> None:
        """The last epoch is done; the held-out patients are evaluated next."""

    def case(self, metrics: CaseMetrics) -> None:
        """A held-out patient was evaluated."""

    def model(self, folder: Path) -> None:
        """The model was written to `folder`."""


NULL_OBSERVER = TrainingObserver()


class ObserverList(TrainingObserver):
    """Several observers, called one after another."""

    def __init__(self, *observers: TrainingObserver) -> None:
        self._observers = observers

    def cases(self, training: Sequence[str], held_out: Sequence[str]) -> None:
        """See `TrainingObserver`, as of all below."""
        for observer in self._observers:
            observer.cases(training, held_out)

    def works_on(self, case: str | None) -> None:
        for observer in self._observers:
            observer.works_on(case)

    def start(self, plan: Plan) -> None:
        for observer in self._observers:
            observer.start(plan)

    def resumed(self, epochs: Sequence[EpochResult]) -> None:
        for observer in self._observers:
            observer.resumed(epochs)

    def epoch(self, result: EpochResult) -> None:
        for observer in self._observers:
            observer.epoch(result)

    def images(self, stage: str, epoch: int, path: Path) -> None:
        for observer in self._observers:
            observer.images(stage, epoch, path)

    def note(self, text: str) -> None:
        for observer in self._observers:
            observer.note(text)

    def trained(self) -> None:
        for observer in self._observers:
            observer.trained()

    def case(self, metrics: CaseMetrics) -> None:
        for observer in self._observers:
            observer.case(metrics)

    def model(self, folder: Path) -> None:
        for observer in self._observers:
            observer.model(folder)
