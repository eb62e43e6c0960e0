from __future__ import annotations

from dataclasses import replace

import psutil
import pytest

from liverseg_gui.core.errors import LiverSegError
from training.config.train_config import TrainConfig
from training.planning.batch_size import MemoryNeed, find_batch_size, memory_left, memory_need

RECIPE = TrainConfig(precision="float32", device="cpu")
GB = 10**9


def test_a_larger_network_picture_or_context_needs_more() -> None:
    usual = memory_need(RECIPE, "cpu")
    assert memory_need(replace(RECIPE, architecture="slim-resnet50"), "cpu").of(8) > usual.of(8)
    assert memory_need(replace(RECIPE, liver=None), "cpu").per_slice < usual.per_slice
    assert memory_need(replace(RECIPE, context=9), "cpu").per_slice > usual.per_slice


def test_the_need_is_near_the_peaks_that_were_measured() -> None:
    usual = memory_need(RECIPE, "cpu")
    for batch, measured_mb in ((2, 1260), (8, 1529), (24, 2393)):
        assert usual.of(batch) / 1e6 == pytest.approx(measured_mb, rel=0.12)


def test_half_precision_needs_less_for_a_slice() -> None:
    half = memory_need(replace(RECIPE, precision="bf16"), "cpu")
    assert half.per_slice < memory_need(RECIPE, "cpu").per_slice
    assert half.fixed == memory_need(RECIPE, "cpu").fixed


def test_the_batch_fits_and_a_larger_one_would_not() -> None:
    need = MemoryNeed(fixed=1 * GB, per_slice=0.1 * GB)
    found = need.largest_batch(4 * GB)
    assert found == 20
    assert need.of(found) <= 0.8 * 4 * GB < need.of(found + 4)


@pytest.mark.parametrize(("left", "batch"), [(100 * GB, 64), (1.5 * GB, 2), (1 * GB, 0)])
def test_batches_are_small_where_memory_is_and_never_endless(left: float, batch: int) -> None:
    assert MemoryNeed(fixed=1 * GB, per_slice=0.1 * GB).largest_batch(left) == batch


def test_where_not_a_slice_fits_it_is_said_how_much_is_missing() -> None:
    with pytest.raises(LiverSegError, match=r"0\.5 GB are free, and a single slice needs 1\.\d GB"):
        find_batch_size(RECIPE, "cpu", GB // 2)


def test_the_free_memory_of_the_computer_is_taken_where_there_is_no_gpu() -> None:
    assert 0 < memory_left("cpu") < psutil.virtual_memory().total
