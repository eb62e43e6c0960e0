"""`liverseg train` as a process that is killed, gone on with, and left alone by its window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import TINY, a_job, write_lits2d
from training.config.config_file import write_config_file
from training.runs.events import read_events
from training.runs.files import EVENTS, RECIPE
from training.runs.folder import RunState, read_run
from training.runs.training_job import TrainingJob

ROOT = Path(__file__).parents[3]


def start(job: TrainingJob, *words: str) -> subprocess.Popen[str]:
    job.out.mkdir(exist_ok=True)
    write_config_file(job.config, job.out / RECIPE)
    command = [sys.executable, "-m", "liverseg_gui", *job.arguments(), "--json", *words]
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


@pytest.mark.slow
def test_a_killed_training_is_seen_gone_on_with_and_ends_as_if_nothing_had_been(
    tmp_path: Path,
) -> None:
    data = write_lits2d(tmp_path / "data")
    config = replace(TINY, epochs=2, fine_tune_epochs=1)
    whole, killed = (
        a_job(data, tmp_path / name, folds=3, config=config) for name in ("whole", "killed")
    )
    undisturbed = start(whole)
    kill_in_epoch(start(killed), "Training: one cycle, epoch 2")
    run = read_run(killed.out)
    assert run.state is RunState.INTERRUPTED
    assert run.checkpoint
    assert run.resumable
    assert len(epochs(killed.out)) == 1
    undisturbed.communicate()
    assert undisturbed.returncode == 0
    resumed = start(run.job, "--resume")
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
