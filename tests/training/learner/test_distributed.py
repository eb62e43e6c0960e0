"""Distributed training: two processes, over gloo on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.distributed as dist

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import load_predictor
from liverseg_gui.segmentation.models.registry import find_model
from tests.training.tiny import TINY, tiny_slices, write_lits2d
from training.config.config_file import write_config_file
from training.learner import distributed
from training.learner.distributed import Processes, ShardedDL, ShareSteps, processes, together
from training.learner.lr_finder import find_learning_rate
from training.runs.files import LOG

ROOT = Path(__file__).parents[3]


def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    """Start two processes on this machine and wait for them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*command, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )


@pytest.mark.slow
def test_two_processes_draw_different_slices_and_end_with_the_same_weights(tmp_path: Path) -> None:
    done = torchrun("-m", "tests.training.ranks", str(tmp_path))
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"rank{n}.json").read_text()) for n in (0, 1))
    assert len(first["drawn"]) == len(second["drawn"]) == 3
    for mine, yours in zip(first["drawn"], second["drawn"], strict=True):
        assert len(mine) == len(yours) == 7
        assert mine != yours
    assert first["weights"] == second["weights"]
    assert first["epochs"] == ["one cycle", "one cycle", "fine-tune"]
    assert second["epochs"] == []
    left = [name for name in first["threads"] + second["threads"] if "gloo" in name]
    assert left == [], "they may abort Python when it ends"
    assert len((tmp_path / LOG).read_text().splitlines()) == 3


@pytest.mark.slow
def test_the_command_trains_on_two_processes_and_writes_one_model(tmp_path: Path) -> None:
    data, out = write_lits2d(tmp_path / "data"), tmp_path / "out"
    recipe = tmp_path / "recipe.toml"
    write_config_file(replace(TINY, epochs=1, fine_tune_epochs=0), recipe)
    where = ("--data", str(data), "--out", str(out), "--recipe", str(recipe))
    words = "--folds 3 --phantoms 0 --json"
    done = torchrun("-m", "liverseg_gui", "train", *where, *words.split())
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    kinds = [line["event"] for line in lines if line["event"] != "progress"]
    assert kinds == ["start", "pictures", "epoch", "patient", "end"]
    assert len((out / LOG).read_text().splitlines()) == 1
    assert load_predictor(find_model(str(out / "model")), "cpu").runtime.device == "cpu"


def test_chances_are_those_of_one_process_and_numbers_are_a_part() -> None:
    slices = tiny_slices(14)
    loader = ShardedDL(slices, parts=3, wgts=slices.weights, bs=2, shuffle=True, drop_last=True)
    assert len(loader) == 2
    np.random.seed(0)
    drawn = np.concatenate([loader.get_idxs() for _ in range(2000)])
    share = np.bincount(drawn, minlength=14) / len(drawn)
    assert len(drawn) == 2000 * 4
    assert np.abs(share - slices.weights).max() < 0.02


@pytest.fixture
def other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process that has zeros where this one has its numbers."""
    monkeypatch.setattr(dist, "all_reduce", lambda whole: whole)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)


@pytest.mark.usefixtures("other_half")
def test_gradients_and_batch_statistics_become_their_means() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
    network[0].weight.grad = torch.full((1, 1, 1, 1), 6.0)
    network[1].running_mean.fill_(4.0)
    network[1].num_batches_tracked.fill_(5)
    share = ShareSteps(Progress())
    share.learn = SimpleNamespace(model=network, loss=torch.tensor(0.0))
    share.before_step()
    assert float(network[0].weight.grad) == 3.0
    assert float(network[1].running_mean) == 2.0
    assert int(network[1].num_batches_tracked) == 5
    assert network[0].bias.grad is None


@pytest.mark.usefixtures("other_half")
def test_a_process_that_is_cancelled_ends_at_the_step_that_tells_the_others() -> None:
    progress = Progress()
    share = ShareSteps(progress)
    share.learn = SimpleNamespace(model=torch.nn.Identity(), loss=torch.tensor(0.0))
    share.before_step()
    shielded = ShareSteps.shielded(progress)
    progress.cancel()
    shielded.update(0.5, "between two steps")
    with pytest.raises(Cancelled):
        share.before_step()


def test_torchrun_says_which_process_this_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes() == Processes(0, 1, 0)
    for name, value in (("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert processes() == Processes(5, 8, 1)
    assert not processes().leads


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "processes", lambda: Processes(3, 4, 3))
    monkeypatch.setattr(distributed, "pick_device", lambda _: "cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(LiverSegError, match="There are 2 GPUs"), together("cuda"):
        pytest.fail("it went on")


def test_a_rate_is_looked_for_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.learner.lr_finder.processes", lambda: Processes(0, 2, 0))
    with pytest.raises(LiverSegError, match="without torchrun"):
        find_learning_rate(TINY, tiny_slices(8))
