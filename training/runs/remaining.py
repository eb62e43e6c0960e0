"""How long a training will go on, from the seconds of its epochs so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from training.runs.epoch_log import EpochResult


class Remaining:
    """Counts epochs. A stage lasts as long as its own epochs did, else as those of the others."""

    def __init__(self) -> None:
        self._stages: tuple[tuple[str, int], ...] = ()
        self._seconds: dict[str, dict[int, float]] = defaultdict(dict)

    def plan(self, stages: Sequence[tuple[str, int]]) -> None:
        """The stages of the training: (name, epochs)."""
        self._stages = tuple(stages)

    def done(self, result: EpochResult) -> None:
        """An epoch is done; one that is done again counts once."""
        self._seconds[result.stage][result.epoch] = result.seconds

    def seconds(self, within: float) -> float | None:
        """Seconds from now to the end of the last epoch; None before the first one's end.

        `within` seconds were trained since the end of the last epoch. An epoch that takes longer
        than the ones before it is taken to end now.
        """
        every = [value for known in self._seconds.values() for value in known.values()]
        if not every:
            return None
        total, current = 0.0, True
        for name, epochs in self._stages:
            known = self._seconds.get(name) or {}
            own = list(known.values()) or every
            each = sum(own) / len(own)
            for _ in range(epochs - max(known, default=0) if not self._ended(name) else 0):
                total += max(each - within, 0.0) if current else each
                current = False
        return total

    def _ended(self, name: str) -> bool:
        """Whether a later stage has begun: early stopping leaves epochs out."""
        names = [stage for stage, _ in self._stages]
        return any(self._seconds.get(later) for later in names[names.index(name) + 1 :])
