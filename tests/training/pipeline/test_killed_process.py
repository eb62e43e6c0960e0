"""`liverseg train` as a process that is killed, gone on with, and left alone by its window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from liverseg_gui.cli.main import main
from tests.training.tiny import TINY, a_job, write_lits2d
from training.config.config_file import write_config_file
from training.runs.events import read_events
from training.runs.files import EVENTS, RECIPE
from training.runs.folder import RunState, read_run
from training.runs.training_job import TrainingJob

ROOT = Path(__file__).parents[3]
STANDS_STILL = """
import json, signal, sys
from liverseg_gui.cli import train_output
from liverseg_gui.cli.main import main
from training.runs import monitor
phase, print_line = sys.argv[1], train_output.print_line

def print_and_stand_still(line, stream=None):
    print_line(line, stream)
    event = json.loads(line)
    if event["event"] == "progress" and event["phase"] == phase:
        signal.pause()

monitor._REPORT_S, train_output.print_line = 0.0, print_and_stand_still
sys.exit(main(sys.argv[2:]))
"""
"""The command, which goes no further once it has told that it is in a phase."""


def write_recipe(job: TrainingJob) -> None:
    job.out.mkdir(exist_ok=True)
    write_config_file(job.config, job.out / RECIPE)


def start(job: TrainingJob, *program: str, more: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    write_recipe(job)
    command = [sys.executable, *program, *job.arguments(), "--json", *more]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


def kill_in_epoch(process: subprocess.Popen[str], phase: str) -> None:
    """SIGKILL as soon as it says that it is in `phase`."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "progress" and event["phase"] == phase:
            break
    process.kill()
    process.communicate()
    assert process.returncode == -9, f"it ended before it could be killed: {process.returncode}"


def epochs(out: Path) -> list[dict[str, Any]]:
    return [event for event in read_events(out / EVENTS) if event["event"] == "epoch"]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As in the processes, for the sums depend on it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_killed_training_is_seen_gone_on_with_and_ends_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    data = write_lits2d(tmp_path / "data")
    config = replace(TINY, epochs=2, fine_tune_epochs=1)
    whole, killed = (
        a_job(data, tmp_path / name, folds=3, config=config) for name in ("whole", "killed")
    )
    second = "Training: one cycle, epoch 2"
    standing_still = start(killed, "-c", STANDS_STILL, second)
    write_recipe(whole)
    assert main([*whole.arguments(), "--json"]) == 0
    kill_in_epoch(standing_still, second)
    run = read_run(killed.out)
    assert run.state is RunState.INTERRUPTED
    assert run.checkpoint
    assert run.resumable
    assert len(epochs(killed.out)) == 1
    resumed = start(run.job, "-m", "liverseg_gui", more=("--resume",))
    assert resumed.stdout is not None
    resumed.stdout.close()  # the window is gone: nobody reads any more
    assert resumed.wait() == 0
    assert read_run(killed.out).state is RunState.FINISHED
    expected, found = epochs(whole.out), epochs(killed.out)
    assert [(e["stage"], e["epoch"]) for e in found] == [
        *(("one cycle", 1), ("one cycle", 2), ("fine-tune", 1))
    ]
    for one, other in zip(expected, found, strict=True):
        for figure in ("train_loss", "valid_loss", "liver_dice", "tumor_dice"):
            assert other[figure] == pytest.approx(one[figure], abs=1e-6)
