"""Fallback to another runtime or device when one fails.

Where memory runs out it computes fewer slices at once, and then on the CPU; where a GPU is lost it
goes on on the CPU; where a reduced precision or OpenVINO fails, torch float32 computes the same
slices again. Each is told in a notice, and `device` is where it really computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from liverseg_gui.core.errors import SegmentationError
from liverseg_gui.segmentation.runtime.base import (
    EXACT,
    InvalidScoresError,
    Runtime,
    free_memory,
)
from liverseg_gui.segmentation.runtime.choice_cache import RuntimeChoice, choice_text
from liverseg_gui.segmentation.runtime.factory import RuntimeFactory
from liverseg_gui.system.memory_usage import is_out_of_memory


@dataclass(frozen=True)
class _Failure:
    """What went wrong, without the error itself: that would keep its tensors in memory."""

    kind: str
    slices: int
    message: str


class FallbackRuntime:
    """The chosen runtime of a model, with those that step in for it."""

    def __init__(
        self,
        factory: RuntimeFactory,
        choice: RuntimeChoice,
        model: str,
        report_fault: Callable[[str], None] = lambda _: None,
        notices: tuple[str, ...] = (),
    ) -> None:
        """Compute by `choice`; `model` is named where it turns out to be broken.

        `report_fault` gets the reason where the choice is no good: it labels with invalid numbers
        or fails, though its memory suffices.
        """
        self.choice, self.notices = choice, notices
        self.name, self.device = choice.runtime, choice.device
        self._factory, self._model, self._report_fault = factory, model, report_fault
        self._runtime: Runtime | None = None
        self._most: int | None = None

    @property
    def reason(self) -> str:
        """Why the choice was made, as long as it computes."""
        return self.choice.reason if self.name == self.choice.runtime else ""

    def scores(self, images: Tensor) -> Tensor:
        """See `Runtime.scores`.

        Raises:
            SegmentationError: the model is broken, or memory does not suffice for one slice.
        """
        while True:
            outcome = self._attempt(images)
            if isinstance(outcome, Tensor):
                return outcome
            self._go_on_after(outcome)

    def _attempt(self, images: Tensor) -> Tensor | _Failure:
        """The scores of all `images`, or what went wrong, once nothing refers to its tensors."""
        most = min(self._most or len(images), len(images))
        try:
            if self._runtime is None:
                self._runtime = self._factory.make(self.name, self.device)
            parts = [self._runtime.scores(part) for part in _parts(images, most)]
            return parts[0] if len(parts) == 1 else torch.cat(parts)
        except InvalidScoresError as error:
            return _Failure("invalid", most, str(error))
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                return _Failure("memory", most, "")
            if self.device == "cpu" and self.name == EXACT:
                raise
            return _Failure("stopped", most, (str(error).strip() or "no reason given"))

    def _go_on_after(self, failure: _Failure) -> None:
        if failure.kind == "memory":
            self._need_less(failure.slices)
        elif failure.kind == "invalid":
            self._be_exact(failure)
        elif self.device == "cpu":
            self._fall_back(f"{choice_text(self.name)} failed ({_first_line(failure.message)})")
        else:
            self._move_to_cpu(f"{self.device} stopped working ({_first_line(failure.message)})")

    def _need_less(self, slices: int) -> None:
        where = "The CPU" if self.device == "cpu" else self.device
        free_memory(self.device)
        if slices > 1:
            self._most = slices // 2
            self._add_notice(f"{where} ran short of memory: fewer slices were computed at once.")
        elif self.device != "cpu":
            self._move_to_cpu(f"{self.device} has too little free memory for one slice")
        else:
            raise SegmentationError(
                "There is not enough memory to segment a single slice. Close other programs and "
                "scans and try again, or choose a smaller model (--model)."
            )

    def _be_exact(self, failure: _Failure) -> None:
        if self.name != EXACT:
            self._fall_back(f"{choice_text(self.name)} gave invalid numbers")
        elif self.device != "cpu":
            raise InvalidScoresError(failure.message)
        else:
            raise InvalidScoresError(
                f"The model {self._model!r} is broken: it gives invalid numbers even in float32 "
                "on the CPU. Install it again, or choose another one (--model)."
            )

    def _fall_back(self, why: str) -> None:
        """Compute in torch float32 from now on, on the same device."""
        self._report_fault(why)
        self._add_notice(
            f"{why}: {choice_text(EXACT)} computed the slices again, which takes longer."
        )
        self._runtime, self.name = None, EXACT
        free_memory(self.device)

    def _move_to_cpu(self, why: str) -> None:
        lost = self.device
        self._add_notice(f"{why}: the CPU computed from there on, which takes longer.")
        self._runtime, self._most = None, None
        self.name, self.device = EXACT, "cpu"
        self._factory.leave(lost)
        free_memory(lost)

    def _add_notice(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices = (*self.notices, notice)


def _parts(images: Tensor, most: int) -> Iterator[Tensor]:
    return (images[start : start + most] for start in range(0, len(images), most))


def _first_line(text: str) -> str:
    return text.splitlines()[0][:120]
