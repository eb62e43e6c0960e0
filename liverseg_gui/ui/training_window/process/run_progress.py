"""Progress of a training, collected from its events. Free of Qt.

The cases that it names may be called after patients: their names are remembered as secrets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from liverseg_gui.system.privacy import remember_case
from training.runs.epoch_log import EpochResult
from training.runs.events import Event, NextStep, case_of
from training.runs.folder import RunState

_EPOCH = tuple(field.name for field in fields(EpochResult))

_NEXT: dict[str | None, str] = {
    NextStep.RESUME: "What was trained up to the last whole epoch is kept; press Go on.",
    NextStep.RESTART: "No epoch was done yet; Go on begins again.",
    NextStep.MAKE_ROOM: "Make room and press Go on.",
}
_STATES_IN_MESSAGE = (RunState.STOPPED, RunState.CANCELLED)
"""States that the message at a training's end begins with."""


@dataclass(frozen=True)
class RunStep:
    """An epoch and where it is on the axis: 1 for the first, counted on over the stages."""

    at: int
    result: EpochResult


@dataclass(frozen=True)
class ImageFile:
    """The pictures after an epoch, at `path` relative to the training's folder."""

    at: int
    stage: str
    epoch: int
    path: Path


@dataclass(frozen=True)
class Usage:
    """Resource usage of the process; None where the computer does not report it."""

    cpu_percent: float | None = None
    memory_mb: float | None = None
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None


class RunProgress:
    """Takes events in their order. An epoch that is reported again, after a kill, counts once;
    `log` holds lines for a person, the latest last."""

    def __init__(self) -> None:
        self.stages: tuple[tuple[str, int], ...] = ()
        self.fraction, self.phase = 0.0, ""
        self.eta_s: float | None = None
        self.usage = Usage()
        self.log: list[str] = []
        self.state_changes = 0
        """How often the training ended, or changed its state, so far."""
        self.outcome = ""
        """How it ended, as the window puts it."""
        self._epochs: dict[tuple[str, int], EpochResult] = {}
        self._pictures: dict[tuple[str, int], str] = {}

    def add(self, event: Event) -> None:
        """Add `event`; one of another version of the program, with other fields, is left out."""
        handle = _HANDLERS.get(event["event"])
        if handle is None:
            return
        try:
            handle(self, event)
        except (LookupError, TypeError, ValueError, AttributeError):
            return

    @property
    def epochs(self) -> int:
        """How many are planned over all stages, 0 while that is not known."""
        return sum(count for _, count in self.stages)

    @property
    def stage_starts(self) -> tuple[tuple[str, int], ...]:
        """(stage, epochs before it)."""
        before, out = 0, []
        for name, count in self.stages:
            out.append((name, before))
            before += count
        return tuple(out)

    @property
    def steps(self) -> tuple[RunStep, ...]:
        """The epochs that are done, from left to right."""
        steps = [RunStep(self._at(*key), result) for key, result in self._epochs.items()]
        return tuple(sorted(steps, key=lambda step: step.at))

    @property
    def pictures(self) -> tuple[ImageFile, ...]:
        """The pictures of all epochs, the earliest first."""
        files = [
            ImageFile(self._at(stage, epoch), stage, epoch, Path(path))
            for (stage, epoch), path in self._pictures.items()
        ]
        return tuple(sorted(files, key=lambda file: file.at))

    def _at(self, stage: str, epoch: int) -> int:
        return dict(self.stage_starts).get(stage, 0) + epoch

    def _append_log(self, text: str) -> None:
        self.log.append(text)

    def _start(self, event: Event) -> None:
        for name in (*event["training"], *event["held_out"]):
            remember_case(str(name))
        self.stages = tuple((str(name), int(count)) for name, count in event["stages"])
        held_out = _count(event["held_out"], "none")
        self._append_log(
            f"Trains on {_count(event['training'], 'no case')}, held out: {held_out}. "
            f"{event['device']}, {event['precision']}, {event['batch_size']} slices in a batch."
        )

    def _progress(self, event: Event) -> None:
        self.fraction, self.phase = float(event["fraction"]), str(event["phase"])
        hide_case(event)
        self.eta_s = _number(event["eta_s"])
        names = (field.name for field in fields(Usage))
        self.usage = Usage(**{name: _number(event.get(name)) for name in names})

    def _note(self, event: Event) -> None:
        self._append_log(str(event["text"]))

    def _epoch(self, event: Event) -> None:
        result = EpochResult(**{name: event[name] for name in _EPOCH if name in event})
        key = (result.stage, result.epoch)
        if key not in self._epochs:
            self._append_log(_epoch_text(result))
        self._epochs[key] = result

    def _take_pictures(self, event: Event) -> None:
        self._pictures[str(event["stage"]), int(event["epoch"])] = str(event["path"])

    def _patient(self, event: Event) -> None:
        remember_case(str(event["name"]))
        dice = [_dice(event[label].get("dice")) for label in ("liver", "tumor")]
        self._append_log(
            f"Held-out patient {event['name']}: Dice liver {dice[0]}, tumor {dice[1]}."
        )

    def _paused(self, _: Event) -> None:
        self.state_changes += 1
        self._append_log("Paused.")

    def _resumed(self, _: Event) -> None:
        self.state_changes += 1
        self.outcome = ""
        self._append_log("Goes on.")

    def _end(self, event: Event) -> None:
        self.state_changes += 1
        self.eta_s, self.usage = None, Usage()
        hide_case(event)
        self.outcome = _end_text(event)
        state = "" if event["state"] in _STATES_IN_MESSAGE else f"{event['state'].capitalize()}. "
        self._append_log(f"{state}{self.outcome}".strip())


def hide_case(event: Event) -> None:
    """Remember the case that `event` names: cases are read before the "start" event lists them."""
    remember_case(case_of(event) or "")


def _end_text(event: Event) -> str:
    """The message of an "end" is for a person at a command line: this for one at the window."""
    next_step = _NEXT.get(event.get("action"))
    return f"{event['reason']} {next_step}" if next_step else str(event["message"] or "")


def _epoch_text(result: EpochResult) -> str:
    return (
        f"{result.stage}, epoch {result.epoch}: loss {result.train_loss:.3f}, validation "
        f"{result.valid_loss:.3f}; Dice liver {result.liver_dice:.3f}, tumor "
        f"{result.tumor_dice:.3f}; {result.seconds:.0f} s."
    )


def _count(names: Sequence[str], none: str) -> str:
    if not names:
        return none
    return f"{len(names)} case{'s' if len(names) > 1 else ''}"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _dice(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


_HANDLERS: dict[str, Callable[[RunProgress, Event], None]] = {
    "start": RunProgress._start,
    "progress": RunProgress._progress,
    "note": RunProgress._note,
    "epoch": RunProgress._epoch,
    "pictures": RunProgress._take_pictures,
    "patient": RunProgress._patient,
    "paused": RunProgress._paused,
    "resumed": RunProgress._resumed,
    "end": RunProgress._end,
}
