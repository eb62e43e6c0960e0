from __future__ import annotations

import weakref

import pytest
import torch
from torch import Tensor

from liverseg_gui.core.errors import SegmentationError
from liverseg_gui.segmentation.runtime.base import EXACT
from liverseg_gui.segmentation.runtime.choice_cache import RuntimeChoice
from liverseg_gui.segmentation.runtime.fallback import FallbackRuntime
from tests.segmentation.runtime.fake_runtimes import (
    FakeFactory,
    FakeRuntime,
    always,
    invalid,
    out_of_memory_above,
)

IMAGES = torch.arange(6 * 3 * 4 * 4, dtype=torch.uint8).reshape(6, 3, 4, 4)
HALF = "torch-float16"

OUT_OF_MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB)"),
    RuntimeError("XPU out of memory. Tried to allocate 16.00 GiB"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
]


def fallback(*runtimes: FakeRuntime, said: list[str] | None = None) -> FallbackRuntime:
    """The first of `runtimes`, the others to step in."""
    choice = RuntimeChoice(runtimes[0].name, runtimes[0].device, "asked for")
    report_fault = (lambda _: None) if said is None else said.append
    return FallbackRuntime(FakeFactory(*runtimes), choice, "thorax", report_fault)


def expected() -> Tensor:
    return FakeRuntime(EXACT, "cpu").scores(IMAGES)


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: str(error)[:12])
def test_a_gpu_short_of_memory_computes_fewer_slices_at_once(error: Exception) -> None:
    gpu = FakeRuntime(HALF, "cuda", out_of_memory_above(2, error))
    runtime = fallback(gpu, FakeRuntime(EXACT, "cpu"))
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert gpu.batches == [6, 3, 1, 1, 1, 1, 1, 1]
    assert (runtime.device, runtime.name) == ("cuda", HALF)
    assert len(runtime.notices) == 1
    assert "short of memory" in runtime.notices[0]
    runtime.scores(IMAGES)
    assert gpu.batches[8:] == [1] * 6
    assert len(runtime.notices) == 1


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=lambda error: str(error)[:12])
def test_a_gpu_too_small_for_one_slice_leaves_it_to_the_cpu(error: Exception) -> None:
    cpu = FakeRuntime(EXACT, "cpu")
    runtime = fallback(FakeRuntime(HALF, "cuda", always(error)), cpu)
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert (runtime.device, runtime.name) == ("cpu", EXACT)
    assert cpu.batches == [6]
    assert "cuda has too little free memory for one slice" in runtime.notices[-1]


def test_nothing_that_failed_stays_in_memory_while_it_is_tried_again() -> None:
    held: list[weakref.ref[Tensor]] = []
    alive: list[bool] = []

    def fault(runtime: FakeRuntime, images: Tensor) -> None:
        alive.append(any(reference() is not None for reference in held))
        activations = torch.zeros(3)
        held.append(weakref.ref(activations))
        if len(images) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")

    fallback(FakeRuntime(HALF, "cuda", fault)).scores(IMAGES)
    assert len(alive) > 3
    assert not any(alive)


@pytest.mark.parametrize("device", ["cuda", "mps", "xpu"])
def test_where_a_gpu_is_lost_the_cpu_goes_on(device: str) -> None:
    lost = always(RuntimeError("CUDA error: unspecified launch failure\nlong advice"))
    factory = FakeFactory(FakeRuntime(HALF, device, lost), FakeRuntime(EXACT, "cpu"))
    runtime = FallbackRuntime(factory, RuntimeChoice(HALF, device, "asked for"), "thorax")
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert runtime.device == "cpu"
    assert factory.left == [device]
    assert runtime.notices == (
        f"{device} stopped working (CUDA error: unspecified launch failure): the CPU computed "
        "from there on, which takes longer.",
    )
    runtime.scores(IMAGES)
    assert len(runtime.notices) == 1
    assert factory.made == [(HALF, device), (EXACT, "cpu")]


def test_a_gpu_that_cannot_even_take_the_network_leaves_it_to_the_cpu() -> None:
    class Full(FakeFactory):
        def make(self, name: str, device: str) -> FakeRuntime:
            if device == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().make(name, device)

    factory = Full(FakeRuntime(EXACT, "cpu"))
    runtime = FallbackRuntime(factory, RuntimeChoice(EXACT, "cuda", "asked for"), "thorax")
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert runtime.device == "cpu"


@pytest.mark.parametrize(
    ("name", "device"), [(HALF, "cuda"), ("torch-bfloat16", "cpu"), ("openvino-float32", "cpu")]
)
def test_invalid_numbers_of_another_runtime_are_computed_again_in_torch_float32(
    name: str, device: str
) -> None:
    said: list[str] = []
    runtime = fallback(FakeRuntime(name, device, invalid), FakeRuntime(EXACT, device), said=said)
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert (runtime.name, runtime.device) == (EXACT, device)
    assert "gave invalid numbers: torch float32 computed the slices again" in runtime.notices[0]
    assert len(said) == 1
    assert "gave invalid numbers" in said[0]


def test_openvino_that_fails_leaves_it_to_torch() -> None:
    said: list[str] = []
    broken = FakeRuntime("openvino-float32", "cpu", always(RuntimeError("Exception from src")))
    runtime = fallback(broken, FakeRuntime(EXACT, "cpu"), said=said)
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert said == ["OpenVINO float32 failed (Exception from src)"]


def test_invalid_numbers_of_float32_on_a_gpu_advise_the_cpu() -> None:
    with pytest.raises(SegmentationError, match="invalid numbers on cuda"):
        fallback(FakeRuntime(EXACT, "cuda", invalid)).scores(IMAGES)


def test_invalid_numbers_of_float32_on_the_cpu_name_the_broken_model() -> None:
    with pytest.raises(SegmentationError, match=r"'thorax' is broken.*Install it again"):
        fallback(FakeRuntime(EXACT, "cpu", invalid)).scores(IMAGES)


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")],
    ids=["python", "torch"],
)
def test_a_computer_short_of_memory_computes_fewer_slices_at_once(error: Exception) -> None:
    cpu = FakeRuntime(EXACT, "cpu", out_of_memory_above(1, error))
    runtime = fallback(cpu)
    assert torch.equal(runtime.scores(IMAGES), expected())
    assert cpu.batches[:3] == [6, 3, 1]
    assert "The CPU ran short of memory" in runtime.notices[0]


def test_a_computer_too_small_for_one_slice_says_what_to_do() -> None:
    runtime = fallback(FakeRuntime(EXACT, "cpu", always(MemoryError())))
    with pytest.raises(SegmentationError, match=r"a single slice\. Close other programs"):
        runtime.scores(IMAGES)


def test_a_mistake_in_the_network_itself_is_not_covered_up() -> None:
    with pytest.raises(RuntimeError, match="size of tensor"):
        fallback(FakeRuntime(EXACT, "cpu", always(RuntimeError("size of tensor a")))).scores(IMAGES)
