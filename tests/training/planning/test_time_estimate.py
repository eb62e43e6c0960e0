from __future__ import annotations

from dataclasses import replace

import pytest

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY
from training.config.train_config import TrainConfig
from training.planning.time_estimate import Estimate, duration, estimate_time, whole_time


def test_the_time_is_that_of_all_steps_and_validations() -> None:
    config = TrainConfig(epochs=2, fine_tune_epochs=4, liver_share=0.75, batch_size=10)
    one_cycle = 2 * (12 * 1.0 + 3 * 0.5)
    fine_tune = 4 * (12 * (0.75 * 2.0 + 0.25 * 1.0) + 3 * 0.5)
    assert whole_time(config, 125, 21, 1.0, 2.0, 0.5) == pytest.approx(one_cycle + fine_tune)


def test_a_frozen_epoch_counts_too() -> None:
    config = TrainConfig(epochs=0, fine_tune_epochs=1, batch_size=10, encoder_weights="imagenet")
    plain = whole_time(replace(config, encoder_weights=None), 100, 0, 1.0, 1.0, 0.0)
    assert whole_time(config, 100, 0, 1.0, 1.0, 0.0) == 2 * plain


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (50, "50 s"),
        (725, "12 min"),
        (4230, "1 h 10 min"),
        (7200, "2 h"),
        (190_000, "2 days 5 h"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_an_estimate_is_said_in_a_line() -> None:
    found = Estimate(4230, 3210, "cpu", "float32", 1.0, 1.0, 1.0)
    assert str(found) == "about 1 h 10 min on this CPU, 3.2 GB"
    assert str(replace(found, memory_mb=None)) == "about 1 h 10 min on this CPU"


def test_real_steps_are_measured_in_a_process_of_their_own() -> None:
    found = estimate_time(TINY, 100, 20, Progress())
    assert found.device == "cpu"
    assert found.precision == "float32"
    assert min(found.trunk_s, found.liver_view_s, found.valid_s) > 0
    steps = (found.trunk_s, found.liver_view_s, found.valid_s)
    assert found.seconds == pytest.approx(whole_time(TINY, 100, 20, *steps))


def test_what_does_not_run_here_is_said_in_words() -> None:
    with pytest.raises(LiverSegError, match="fp16 is not offered on cpu"):
        estimate_time(replace(TINY, precision="fp16"), 100, 20, Progress())


def test_an_estimate_can_be_cancelled() -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        estimate_time(TINY, 100, 20, progress)
