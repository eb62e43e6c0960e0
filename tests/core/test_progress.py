from __future__ import annotations

import pytest

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.progress import Progress


def test_a_part_reports_into_its_share_of_the_whole() -> None:
    seen: list[tuple[float, str]] = []
    whole = Progress(lambda fraction, phase: seen.append((fraction, phase)))
    whole.part(0.5, 1.0).part(0.0, 0.5).update(0.5, "half of a half")
    assert seen == [(0.625, "half of a half")]


def test_cancelling_the_whole_stops_its_parts() -> None:
    whole = Progress()
    part = whole.part(0.0, 0.5)
    whole.cancel()
    with pytest.raises(Cancelled):
        part.update(0.1, "")


def test_fractions_stay_between_zero_and_one() -> None:
    seen: list[float] = []
    progress = Progress(lambda fraction, _: seen.append(fraction))
    progress.update(-1, "")
    progress.update(7, "")
    assert seen == [0.0, 1.0]
