"""The observer that turns a training into events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from liverseg_gui.evaluation.case_metrics import CaseMetrics
from training.runs.epoch_log import EpochResult
from training.runs.events import Tell
from training.runs.observer import Plan, TrainingObserver


class EventReporter(TrainingObserver):
    """Makes events of what the training in `out` reports, and gives them to all `sinks`."""

    def __init__(self, out: Path, sinks: Sequence[Tell]) -> None:
        self._out, self._sinks = out, sinks
        self._reported: set[tuple[str, int]] = set()
        self._cases: dict[str, list[str]] = {"training": [], "held_out": []}

    def emit(self, event: str, **values: Any) -> None:
        """Give an event to all sinks."""
        for sink in self._sinks:
            sink({"event": event, **values})

    def mark_reported(self, epochs: Iterable[tuple[str, int]]) -> None:
        """Leave out epochs, as (stage, epoch), that an earlier process has reported."""
        self._reported |= set(epochs)

    def cases(self, training: Sequence[str], held_out: Sequence[str]) -> None:
        """See `TrainingObserver.cases`: part of the event of the plan."""
        self._cases = {"training": list(training), "held_out": list(held_out)}

    def start(self, plan: Plan) -> None:
        """See `TrainingObserver.start`."""
        stages = [list(stage) for stage in plan.stages]
        self.emit("start", **(asdict(plan) | {"stages": stages} | self._cases))

    def resumed(self, epochs: Sequence[EpochResult]) -> None:
        """See `TrainingObserver`: a process killed behind a checkpoint did not report its epoch."""
        for result in epochs:
            if (result.stage, result.epoch) not in self._reported:
                self.epoch(result)

    def note(self, text: str) -> None:
        """What a person should know."""
        self.emit("note", text=text)

    def epoch(self, result: EpochResult) -> None:
        """An epoch is done and its checkpoint written."""
        self._reported.add((result.stage, result.epoch))
        self.emit("epoch", **asdict(result))

    def images(self, stage: str, epoch: int, path: Path) -> None:
        """See `TrainingObserver.images`."""
        place = path.relative_to(self._out).as_posix()
        self.emit("pictures", stage=stage, epoch=epoch, path=place)

    def case(self, metrics: CaseMetrics) -> None:
        """See `TrainingObserver.case`."""
        self.emit("patient", **metrics.to_json())
