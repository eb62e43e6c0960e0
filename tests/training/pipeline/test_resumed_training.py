"""Resuming a killed training from its checkpoint."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.models import resnet18

from liverseg_gui.core.errors import Cancelled, LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from tests.training import resumable
from tests.training.tiny import TINY, Calls, tiny_network, tiny_slices
from training.learner import build
from training.learner.checkpoint import VERSION
from training.learner.fit import fit
from training.runs.epoch_log import EpochResult
from training.runs.files import CHECKPOINT, LOG, TABLE

ROOT = Path(__file__).parents[3]
ONE = replace(TINY, epochs=2, fine_tune_epochs=0, liver=None)


def start(out: Path, *words: str) -> subprocess.Popen[str]:
    out.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.training.resumable", str(out), *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, text=True, cwd=ROOT, env=environment, **pipes)


def kill_at(process: subprocess.Popen[str], epoch: str, batches: int) -> None:
    """SIGKILL at a batch of the epoch that follows `epoch`."""
    assert process.stdin is not None
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen = seen + 1 if seen else int(line.startswith(f"done: {epoch}"))
        if seen > batches:
            break
        process.stdin.write("\n")
        process.stdin.flush()
    process.kill()
    process.communicate()
    assert process.returncode == -9, f"it ended before it could be killed: {process.returncode}"


def rows(out: Path) -> list[dict[str, object]]:
    """The log without the clock."""
    lines = (out / LOG).read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.mark.slow
def test_a_training_killed_twice_has_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    torch.save(resnet18(weights=None).state_dict(), tmp_path / "encoder.pth")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    resumable.main(whole, resume=False)
    kill_at(start(killed), "one cycle 1", 2)
    kill_at(start(killed, "--resume"), "one cycle 2", 3)  # in the frozen stage
    resumable.main(killed, resume=True)
    expected = torch.load(whole / resumable.WEIGHTS, weights_only=True)
    found = torch.load(killed / resumable.WEIGHTS, weights_only=True)
    assert expected.keys() == found.keys()
    apart = max(float((expected[k].double() - found[k].double()).abs().max()) for k in expected)
    assert apart <= 1e-6
    assert rows(killed) == rows(whole)
    assert [row["epoch"] for row in rows(whole)] == [1, 2, 1, 1]


@pytest.fixture(scope="module")
def _small() -> Iterator[None]:
    """What is kept and refused is the same with a network of two layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "build_network", tiny_network)
        yield


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory: pytest.TempPathFactory, _small: None) -> Path:
    """A folder with a training that was cancelled after its first epoch."""
    out = tmp_path_factory.mktemp("stopped_run")
    progress = Progress()
    slices = tiny_slices(8)
    with pytest.raises(Cancelled):
        fit(ONE, slices, slices, out, progress, observer=Calls(lambda _: progress.cancel()))
    return out


def test_only_what_is_left_is_trained(stopped_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / CHECKPOINT
    copy.write_bytes((stopped_run / CHECKPOINT).read_bytes())
    seen: list[EpochResult] = []
    slices = tiny_slices(8)
    fit(ONE, slices, slices, tmp_path, Progress(), resume=True, observer=Calls(seen.append))
    assert [(row.stage, row.epoch) for row in seen] == [("one cycle", 2)]
    table = list(csv.DictReader((tmp_path / TABLE).read_text().splitlines()))
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert [row["epoch"] for row in lines] == [1, 2]
    assert [{k: str(v) for k, v in row.items()} for row in lines] == table


def test_an_epoch_is_logged_with_all_its_figures(stopped_run: Path) -> None:
    (row,) = [json.loads(line) for line in (stopped_run / LOG).read_text().splitlines()]
    assert list(row) == [
        *("stage", "epoch", "train_loss", "valid_loss", "liver_dice", "tumor_dice", "seconds"),
        *("accuracy", "learning_rate", "batch_size"),
    ]
    assert 0 < row["learning_rate"] <= ONE.learning_rate
    assert row["batch_size"] == 4
    assert 0 <= row["accuracy"] <= 1


def resume(out: Path, **changes: object) -> None:
    slices = tiny_slices(8)
    fit(replace(ONE, **changes), slices, slices, out, Progress(), resume=True)


def test_a_checkpoint_of_another_recipe_is_refused(stopped_run: Path) -> None:
    with pytest.raises(LiverSegError, match="other settings"):
        resume(stopped_run, learning_rate=1e-3)


def test_a_checkpoint_of_another_version_is_refused(stopped_run: Path, tmp_path: Path) -> None:
    state = torch.load(stopped_run / CHECKPOINT, weights_only=True)
    torch.save({**state, "version": VERSION - 1}, tmp_path / CHECKPOINT)
    with pytest.raises(LiverSegError, match="another version"):
        resume(tmp_path)


@pytest.mark.parametrize("part", [0, 100, -100])
def test_a_damaged_checkpoint_is_named(stopped_run: Path, tmp_path: Path, part: int) -> None:
    (tmp_path / CHECKPOINT).write_bytes((stopped_run / CHECKPOINT).read_bytes()[:part])
    with pytest.raises(LiverSegError, match=r"checkpoint\.pt is damaged"):
        resume(tmp_path)


def reshaped(values: object) -> object:
    """The same, with every tensor of several axes a row shorter."""
    if isinstance(values, dict):
        return {name: reshaped(value) for name, value in values.items()}
    if isinstance(values, list):
        return [reshaped(value) for value in values]
    return values[:-1] if isinstance(values, torch.Tensor) and values.dim() > 1 else values


ALTERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another kind": lambda state: [1, 2],
    "no identity": lambda state: {k: v for k, v in state.items() if k != "identity"},
    "no stages": lambda state: {k: v for k, v in state.items() if k != "done"},
    "stages of another kind": lambda state: state | {"done": 3},
    "no model": lambda state: {k: v for k, v in state.items() if k != "model"},
    "other shapes": lambda state: state | {"model": reshaped(state["model"])},
    "another optimizer": lambda state: state | {"optimizer": {"state": []}},
    "optimizer of other shapes": lambda state: state | {"optimizer": reshaped(state["optimizer"])},
    "log of another kind": lambda state: state | {"log": [{"epoch": 1}]},
    "unknown settings": lambda state: state | {"recipe": {"speed": 3}},
    "no random numbers": lambda state: state | {"random": [{}]},
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_checkpoint_is_damaged(stopped_run: Path, tmp_path: Path, how: str) -> None:
    state = torch.load(stopped_run / CHECKPOINT, weights_only=True)
    torch.save(ALTERED[how](state), tmp_path / CHECKPOINT)
    with pytest.raises(LiverSegError, match=r"checkpoint\.pt (is damaged|was written by another)"):
        resume(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full to stand for a full disk")
def test_on_a_full_disk_the_last_checkpoint_is_kept_and_named(
    stopped_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (stopped_run / CHECKPOINT).read_bytes()
    (tmp_path / CHECKPOINT).write_bytes(before)
    half = tmp_path / f".{CHECKPOINT}.4711"
    half.write_bytes(before[:100])
    os.utime(half, (1, 1))  # left by a process long ago
    save = torch.save

    def save_to_a_full_disk(state: object, _: object) -> None:
        with open("/dev/full", "wb") as device:
            save(state, device)

    with monkeypatch.context() as full:
        full.setattr(torch, "save", save_to_a_full_disk)
        with pytest.raises(SaveError, match=r"No space left.*one cycle, epoch 1, is kept.*--resu"):
            resume(tmp_path)
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert list(tmp_path.glob(f".{CHECKPOINT}*")) == []
    resume(tmp_path)
    assert len((tmp_path / LOG).read_text().splitlines()) == 2
