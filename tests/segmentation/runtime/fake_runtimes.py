"""Runtimes that are simple rules, fail as they are told to, and take the time they say."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from liverseg_gui.segmentation.runtime.base import InvalidScoresError

Fault = Callable[["FakeRuntime", Tensor], None]


def nothing(runtime: FakeRuntime, images: Tensor) -> None:
    """The fault of a runtime that has none."""


def out_of_memory_above(most: int, error: BaseException) -> Fault:
    def fault(runtime: FakeRuntime, images: Tensor) -> None:
        if len(images) > most:
            raise error

    return fault


def always(error: BaseException) -> Fault:
    def fault(runtime: FakeRuntime, images: Tensor) -> None:
        raise error

    return fault


def invalid(runtime: FakeRuntime, images: Tensor) -> None:
    raise InvalidScoresError(f"invalid numbers on {runtime.device}")


class FakeRuntime:
    """Calls liver what is bright in the first slice of each row."""

    notices: tuple[str, ...] = ()
    reason = ""

    def __init__(
        self, name: str, device: str, fault: Fault = nothing, ms: float = 10.0, level: float = 0.5
    ) -> None:
        self.name, self.device, self.level = name, device, level
        self.fault, self.ms = fault, ms
        self.batches: list[int] = []
        self.seconds = 0.0

    def scores(self, images: Tensor) -> Tensor:
        self.batches.append(len(images))
        self.seconds += len(images) * self.ms / 1000
        self.fault(self, images)
        level = images[:, 0].float() / 255 - self.level
        return torch.stack([-level, level, torch.full_like(level, -9.0)], 1)


class FakeFactory:
    """Hands out `runtimes`, and counts how often each was made."""

    def __init__(self, *runtimes: FakeRuntime) -> None:
        self.runtimes = {(runtime.name, runtime.device): runtime for runtime in runtimes}
        self.made: list[tuple[str, str]] = []
        self.left: list[str] = []

    def names(self, device: str) -> tuple[str, ...]:
        return tuple(name for name, where in self.runtimes if where == device)

    def make(self, name: str, device: str) -> FakeRuntime:
        self.made.append((name, device))
        return self.runtimes[name, device]

    def leave(self, device: str) -> None:
        self.left.append(device)

    def clock(self) -> float:
        """Seconds that the runtimes have taken so far."""
        return sum(runtime.seconds for runtime in self.runtimes.values())
