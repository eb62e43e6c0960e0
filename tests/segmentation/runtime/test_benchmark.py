"""Which runtime is taken: with fake ones on a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.runtime import benchmark
from liverseg_gui.segmentation.runtime.base import EXACT
from liverseg_gui.segmentation.runtime.choice_cache import RuntimeChoice
from tests.segmentation.runtime.fake_runtimes import FakeFactory, FakeRuntime, always, invalid

Choose = Callable[..., RuntimeChoice | None]
BRAIN, VINO, HALF = "torch-bfloat16", "openvino-float32", "torch-float16"
GRAY = torch.linspace(0, 255, 64 * 96).to(torch.uint8).reshape(1, 1, 64, 96)
BATCHES = (GRAY.expand(4, 3, 64, 96), GRAY.expand(2, 3, 64, 96))


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Choose:
    def run(*runtimes: FakeRuntime, progress: Progress | None = None) -> RuntimeChoice | None:
        factory = FakeFactory(*runtimes)
        monkeypatch.setattr(benchmark, "time", SimpleNamespace(perf_counter=factory.clock))
        return benchmark.fastest_runtime(factory, runtimes[0].device, BATCHES, progress)

    return run


def test_a_faster_runtime_with_the_same_labels_is_taken_and_the_reason_says_so(
    choose: Choose,
) -> None:
    found = choose(
        FakeRuntime(EXACT, "cpu", ms=20.4),
        FakeRuntime(BRAIN, "cpu", ms=30.0),
        FakeRuntime(VINO, "cpu", ms=16.7),
    )
    assert found == RuntimeChoice(
        VINO,
        "cpu",
        "OpenVINO float32: 16.7 ms a slice, torch float32 20.4 ms; same labels (Dice 1.000)",
        (
            "torch float32: 20.4 ms a slice, same labels (Dice 1.000)",
            "torch bfloat16: 30.0 ms a slice, same labels (Dice 1.000)",
            "OpenVINO float32: 16.7 ms a slice, same labels (Dice 1.000)",
        ),
    )


def test_the_fastest_of_several_is_taken(choose: Choose) -> None:
    found = choose(
        FakeRuntime(EXACT, "cpu", ms=20),
        FakeRuntime(BRAIN, "cpu", ms=5),
        FakeRuntime(VINO, "cpu", ms=12),
    )
    assert found.runtime == BRAIN


def test_a_runtime_that_is_hardly_faster_is_not_taken(choose: Choose) -> None:
    found = choose(FakeRuntime(EXACT, "cpu", ms=20), FakeRuntime(VINO, "cpu", ms=19.5))
    assert found.runtime == EXACT
    assert "nothing else is clearly faster" in found.reason
    assert found.tried[1] == "OpenVINO float32: 19.5 ms a slice, same labels (Dice 1.000)"


def test_a_runtime_with_other_labels_is_not_taken_however_fast(choose: Choose) -> None:
    found = choose(FakeRuntime(EXACT, "cpu", ms=20), FakeRuntime(BRAIN, "cpu", ms=1, level=0.505))
    assert found.runtime == EXACT
    assert "other labels (Dice 0.99" in found.tried[1]


def test_other_labels_in_slices_of_another_size_are_noticed_too(choose: Choose) -> None:
    fast = FakeRuntime(VINO, "cpu", ms=1)

    def fixed(runtime: FakeRuntime, images: torch.Tensor) -> None:
        runtime.level = 0.5 if len(images) != 2 else 0.7

    fast.fault = fixed
    assert choose(FakeRuntime(EXACT, "cpu", ms=20), fast).runtime == EXACT


def test_a_runtime_that_gives_invalid_numbers_is_not_taken(choose: Choose) -> None:
    found = choose(FakeRuntime(EXACT, "cpu", ms=20), FakeRuntime(BRAIN, "cpu", invalid, ms=1))
    assert found.runtime == EXACT
    assert found.tried[1] == "torch bfloat16: invalid numbers"


@pytest.mark.parametrize("error", [ImportError("no DLL"), ValueError("odd"), RuntimeError("odd")])
def test_a_runtime_that_does_not_run_is_not_taken(choose: Choose, error: Exception) -> None:
    found = choose(FakeRuntime(EXACT, "cpu", ms=20), FakeRuntime(VINO, "cpu", always(error), ms=1))
    assert found.runtime == EXACT
    assert "does not run here (" in found.tried[1]


def test_a_slow_runtime_is_measured_no_further(choose: Choose) -> None:
    slow, very_slow = FakeRuntime(BRAIN, "cpu", ms=200), FakeRuntime(VINO, "cpu", ms=1600)
    found = choose(FakeRuntime(EXACT, "cpu", ms=20), slow, very_slow)
    assert found.runtime == EXACT
    assert slow.batches == [1, 1]
    assert very_slow.batches == [1]
    assert found.tried[1] == "torch bfloat16: slow, measured no further"


def test_on_a_busy_computer_measuring_comes_to_an_end(choose: Choose) -> None:
    others = [FakeRuntime(name, "cpu", ms=700) for name in (VINO, HALF, BRAIN)]
    found = choose(FakeRuntime(EXACT, "cpu", ms=700), *others)
    assert found.runtime == EXACT
    assert found.tried[3] == "torch bfloat16: not tried, as measuring took too long"
    assert others[2].batches == []
    assert others[0].batches


def test_a_slow_model_is_measured_all_the_same(choose: Choose) -> None:
    found = choose(FakeRuntime(EXACT, "cpu", ms=3000), FakeRuntime(VINO, "cpu", ms=2000))
    assert found.runtime == VINO


def test_a_slow_start_alone_is_no_reason(choose: Choose) -> None:
    fast = FakeRuntime(VINO, "cpu", ms=900)

    def warm(runtime: FakeRuntime, images: torch.Tensor) -> None:
        runtime.ms = 10

    fast.fault = warm
    assert choose(FakeRuntime(EXACT, "cpu", ms=20), fast).runtime == VINO


def test_a_gpu_that_labels_as_the_cpu_does_is_used(choose: Choose) -> None:
    found = choose(
        FakeRuntime(EXACT, "cuda", ms=2),
        FakeRuntime(HALF, "cuda", ms=1),
        FakeRuntime(EXACT, "cpu", ms=20),
    )
    assert (found.runtime, found.device) == (HALF, "cuda")


def test_a_gpu_with_other_labels_than_the_cpu_is_not_used(choose: Choose) -> None:
    found = choose(FakeRuntime(EXACT, "mps", ms=2, level=0.6), FakeRuntime(EXACT, "cpu", ms=20))
    assert (found.runtime, found.device) == (EXACT, "cpu")
    assert "mps gives other labels (Dice 0." in found.reason


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("?")])
def test_a_gpu_that_fails_while_it_is_measured_is_not_judged(
    choose: Choose, error: Exception
) -> None:
    failing = FakeRuntime(EXACT, "cuda", always(error))
    assert choose(failing, FakeRuntime(EXACT, "cpu", ms=20)) is None


def test_a_broken_model_is_not_judged(choose: Choose) -> None:
    assert choose(FakeRuntime(EXACT, "cpu", invalid)) is None


def test_without_any_liver_the_labels_count_all_the_same(choose: Choose) -> None:
    dark = FakeRuntime(EXACT, "cpu", ms=20, level=2.0)
    assert choose(dark, FakeRuntime(VINO, "cpu", ms=10, level=2.0)).runtime == VINO


def test_measuring_can_be_cancelled(choose: Choose) -> None:
    progress = Progress(lambda _, phase: "OpenVINO" in phase and progress.cancel())
    with pytest.raises(Cancelled):
        choose(FakeRuntime(EXACT, "cpu"), FakeRuntime(VINO, "cpu"), progress=progress)
