"""The estimate of the time that a training has left."""

from __future__ import annotations

import pytest

from training.runs.epoch_log import EpochResult
from training.runs.monitor import EtaEstimator

STAGES = (("one cycle", 3), ("fine-tune", 2))


def after(*epochs: tuple[str, int, float]) -> EtaEstimator:
    remaining = EtaEstimator()
    remaining.plan(STAGES)
    for stage, number, seconds in epochs:
        remaining.done(EpochResult(stage, number, 1.0, 1.0, 0.5, 0.5, seconds))
    return remaining


def test_before_the_first_epoch_nobody_knows() -> None:
    assert after().seconds(5.0) is None


def test_a_stage_that_is_still_to_come_lasts_as_the_epochs_so_far() -> None:
    assert after(("one cycle", 1, 10.0)).seconds(0.0) == pytest.approx(40.0)


def test_what_the_present_epoch_has_done_is_taken_off() -> None:
    assert after(("one cycle", 1, 10.0)).seconds(4.0) == pytest.approx(36.0)
    assert after(("one cycle", 1, 10.0)).seconds(25.0) == pytest.approx(30.0)


def test_each_stage_lasts_as_its_own_epochs() -> None:
    done = [("one cycle", n, 10.0) for n in (1, 2, 3)]
    assert after(*done, ("fine-tune", 1, 30.0)).seconds(0.0) == pytest.approx(30.0)


def test_epochs_that_early_stopping_left_out_are_not_waited_for() -> None:
    assert after(("one cycle", 1, 10.0), ("fine-tune", 1, 30.0)).seconds(0.0) == pytest.approx(30.0)


def test_after_the_last_epoch_nothing_remains() -> None:
    done = [("one cycle", n, 10.0) for n in (1, 2, 3)] + [("fine-tune", n, 9.0) for n in (1, 2)]
    assert after(*done).seconds(3.0) == 0.0
