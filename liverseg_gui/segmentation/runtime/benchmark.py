"""Benchmark of runtimes: the fastest one that gives the same labels (docs/adr/0009).

A network takes a fifth of its time in bfloat16 on one processor and ten times as long on the next.
So each runtime labels slices of a phantom; one is taken if it gives the labels of torch float32 on
the CPU and is clearly faster than torch float32 on the device.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.runtime.base import (
    EXACT,
    InvalidScoresError,
    Runtime,
    free_memory,
)
from liverseg_gui.segmentation.runtime.choice_cache import RuntimeChoice, choice_text
from liverseg_gui.segmentation.runtime.factory import RuntimeFactory
from liverseg_gui.system.memory_usage import is_out_of_memory

SAME = 0.998
"""Dice of the liver, and share of all pixels, that have to be labelled as float32 labels them."""
FASTER = 0.95
"""The share of torch float32's time that a runtime may take at most."""
_ROUNDS, _ROUNDS_SECONDS = 5, 3.0
_SLOW = 2.0
"""As many times as long as torch float32 for the second slice is slow, and measured no further."""
_VERY_SLOW, _VERY_SLOW_SECONDS = 4.0, 1.5
"""As many times as long, and so long, for the first slice, which includes what is done once."""
_ALL_SECONDS, _ALL_SLICES = 12.0, 20
"""So long, or so many slices of torch float32, and nothing more is tried: a busy computer waits."""

Batches = tuple[Tensor, Tensor]


@dataclass
class _Trial:
    """A runtime at its trial; `fault` says in words why it is out."""

    name: str
    runtime: Runtime | None = None
    fault: str = ""
    dice: float = 0.0
    slice_seconds: float = float("inf")
    ms: float = float("inf")

    def __str__(self) -> str:
        timed = f"{self.ms:.1f} ms a slice, same labels (Dice {self.dice:.3f})"
        return f"{choice_text(self.name)}: {self.fault or timed}"


def fastest_runtime(
    factory: RuntimeFactory, device: str, batches: Batches, progress: Progress | None = None
) -> RuntimeChoice | None:
    """The fastest runtime on `device` that labels `batches` as torch float32 does on the CPU.

    It is one of the CPU where a GPU gives other labels. None where torch float32 itself could not
    be measured: for lack of memory, or because the model is broken.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    trials = [_Trial(name) for name in factory.names(device)]
    exact = trials[0]
    progress.update(0.0, "Finding out what computes fastest here, once")
    began = time.perf_counter()
    try:
        reference = _labels(factory.make(EXACT, "cpu"), batches)
    except (InvalidScoresError, RuntimeError, MemoryError):
        return None
    for count, trial in enumerate(trials):
        progress.update(count / len(trials), f"Trying {choice_text(trial.name)}, once")
        enough = max(_ALL_SECONDS, _ALL_SLICES * exact.slice_seconds)
        if count and time.perf_counter() - began > enough:
            trial.fault = "not tried, as measuring took too long"
            continue
        _try(trial, factory, device, batches, reference, exact)
        if trial is exact and trial.fault:
            return _on_the_cpu_instead(exact, device)
    _race([trial for trial in trials if not trial.fault], batches[0], progress)
    return _decide(trials, device) if not exact.fault else None


def _try(
    trial: _Trial,
    factory: RuntimeFactory,
    device: str,
    batches: Batches,
    reference: list[Tensor],
    exact: _Trial,
) -> None:
    """Make the runtime of `trial`, and find its fault if it has one."""
    try:
        trial.runtime = factory.make(trial.name, device)
        first = _seconds(trial.runtime, batches[0][:1])
        if first > max(_VERY_SLOW_SECONDS, _VERY_SLOW * exact.slice_seconds):
            trial.fault = "slow, measured no further"
            return
        trial.slice_seconds = _seconds(trial.runtime, batches[0][:1])
        if trial.slice_seconds > _SLOW * exact.slice_seconds:
            trial.fault = "slow, measured no further"
            return
        mine = reference if trial is exact and device == "cpu" else _labels(trial.runtime, batches)
        trial.dice, agreement = _agreement(mine, reference)
        if min(trial.dice, agreement) < SAME:
            trial.fault = f"other labels (Dice {trial.dice:.3f}, {agreement:.2%} of the pixels)"
    except Cancelled:
        raise
    except Exception as error:  # whatever a library raises, it is only not taken
        trial.fault = _what_failed(error)
    if trial.fault:
        trial.runtime = None
        free_memory(device)


def _what_failed(error: Exception) -> str:
    if is_out_of_memory(error):
        return "not enough memory"
    if isinstance(error, InvalidScoresError):
        return "invalid numbers"
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"does not run here ({first[:120]})"


def _race(trials: list[_Trial], batch: Tensor, progress: Progress) -> None:
    """Time all of `trials` in turn, so that what else the computer does meets all of them alike."""
    began = time.perf_counter()
    for count in range(_ROUNDS):
        progress.update(1.0, f"Measuring what is fastest here, {count + 1} of {_ROUNDS}")
        for trial in trials:
            assert trial.runtime is not None
            try:
                seconds = _seconds(trial.runtime, batch)
            except (InvalidScoresError, RuntimeError, MemoryError) as error:
                trial.fault = _what_failed(error)
                trial.ms = float("inf")
                continue
            if not trial.fault:
                trial.ms = min(trial.ms, 1000 * seconds / len(batch))
        if time.perf_counter() - began > _ROUNDS_SECONDS:
            return


def _decide(trials: list[_Trial], device: str) -> RuntimeChoice:
    exact, *others = trials
    best = min(trials, key=lambda trial: trial.ms)
    if best.ms <= FASTER * exact.ms:
        reason = (
            f"{choice_text(best.name)}: {best.ms:.1f} ms a slice, {choice_text(exact.name)} "
            f"{exact.ms:.1f} ms; same labels (Dice {best.dice:.3f})"
        )
    else:
        best = exact
        why = "nothing else is clearly faster with the same labels"
        reason = f"{choice_text(exact.name)}: {exact.ms:.1f} ms a slice; " + (
            why if others else "there is nothing else to try"
        )
    return RuntimeChoice(best.name, device, reason, tuple(str(trial) for trial in trials))


def _on_the_cpu_instead(exact: _Trial, device: str) -> RuntimeChoice | None:
    """A GPU that labels otherwise than the CPU is not used; one that fails may not fail again."""
    if device == "cpu" or not exact.fault.startswith("other labels"):
        return None
    reason = f"{device} gives {exact.fault} than the CPU: it is not used"
    return RuntimeChoice(EXACT, "cpu", reason, (str(exact),))


def _seconds(runtime: Runtime, batch: Tensor) -> float:
    began = time.perf_counter()
    runtime.scores(batch)  # has looked at every score: a GPU is done with them
    return time.perf_counter() - began


def _labels(runtime: Runtime, batches: Batches) -> list[Tensor]:
    return [runtime.scores(batch).argmax(1).cpu() for batch in batches]


def _agreement(labels: list[Tensor], reference: list[Tensor]) -> tuple[float, float]:
    """Dice of liver with tumor, and the share of pixels with the same label."""
    a, b = (torch.cat([part.flatten() for part in parts]) for parts in (labels, reference))
    sizes = int((a > 0).sum() + (b > 0).sum())
    both = int(((a > 0) & (b > 0)).sum())
    return 2 * both / sizes if sizes else 1.0, float((a == b).float().mean())
