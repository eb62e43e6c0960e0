"""Run folders written by an earlier version: `tests/training/before/run.zip`.

It holds three phantoms as `data`, a training that was stopped after its first epoch (`out`) and
the same one finished (`finished`), made with the two-layer network of `tests.training.tiny` by
version 0.1.0 before its modules moved. `@ROOT@` stands for the folder that they lay in.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import read_card
from liverseg_gui.ui.training_window.results.run_results import read_results
from tests.training.tiny import TINY, tiny_network
from training.data.selection import DataSelection
from training.learner import build
from training.pipeline.supervise import run_supervised
from training.runs.events import read_events
from training.runs.files import EVENTS
from training.runs.folder import RunState, read_run
from training.runs.validation_image_file import read_validation_images

ARCHIVE = Path(__file__).parents[1] / "before" / "run.zip"
MADE_S = 1_700_000_000
"""When its scans were changed last: a checkpoint knows the time of each."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "build_network", tiny_network)
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        if file.suffix in (".json", ".jsonl"):
            file.write_text(file.read_text().replace("@ROOT@", str(tmp_path)))
        os.utime(file, (MADE_S, MADE_S))
    return tmp_path


def log(out: Path) -> list[dict[str, object]]:
    rows = map(json.loads, (out / "log.jsonl").read_text().splitlines())
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_what_is_known_of_a_stopped_training_is_read(root: Path) -> None:
    run = read_run(root / "out")
    assert (run.state, run.name, run.checkpoint) == (RunState.STOPPED, "before", True)
    assert run.job.config == replace(TINY, epochs=2, fine_tune_epochs=1)
    assert run.job.data == DataSelection(folders=(root / "data",), folds=3)
    assert run.job.phantoms == 0
    assert dict(run.job.notes) == {"data": "three phantoms"}


def test_it_goes_on_to_what_it_would_have_come_to(root: Path) -> None:
    job = read_run(root / "out").job
    run_supervised(job, "liverseg train", Progress(), lambda _: None, resume=True)
    assert read_run(root / "out").state is RunState.FINISHED
    found, expected = log(root / "out"), log(root / "finished")
    assert [(row["stage"], row["epoch"]) for row in found] == [
        (row["stage"], row["epoch"]) for row in expected
    ]
    assert [row["train_loss"] for row in found] == pytest.approx(
        [row["train_loss"] for row in expected], rel=1e-2
    )


def test_what_a_finished_training_left_is_shown(root: Path) -> None:
    run = read_run(root / "finished")
    assert (run.state, run.model) == (RunState.FINISHED, root / "finished" / "model")
    results = read_results(root / "finished")
    assert [row["name"] for row in results.rows] == ["007"]
    assert results.worst
    assert read_card(root / "finished" / "model").name == "before"
    events = read_events(root / "finished" / EVENTS)
    pictures = [event["path"] for event in events if event["event"] == "pictures"]
    assert pictures == ["pictures/001.npz", "pictures/002.npz", "pictures/003.npz"]
    assert len(read_validation_images(root / "finished" / pictures[0]).images) > 0
