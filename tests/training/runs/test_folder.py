"""A training begins only where it replaces nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from liverseg_gui.core.errors import LiverSegError
from training.runs.folder import refuse_earlier


def record(out: Path, state: str) -> None:
    (out / "run.json").write_text(json.dumps({"state": state}))


def model(out: Path) -> None:
    (out / "model").mkdir()
    (out / "model" / "card.json").write_text("{}")
    (out / "model" / "weights.safetensors").write_bytes(b"weights")


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("state", ["finished", "failed", None])
def test_a_finished_training_whose_checkpoint_was_deleted_is_not_overwritten(
    state: str | None, resume: bool, tmp_path: Path
) -> None:
    model(tmp_path)
    if state:
        record(tmp_path, state)
    with pytest.raises(LiverSegError, match=r"holds a finished training\. Choose another folder"):
        refuse_earlier(tmp_path, resume)


def test_the_log_of_a_finished_training_stays_without_its_model_too(tmp_path: Path) -> None:
    record(tmp_path, "finished")
    with pytest.raises(LiverSegError, match="holds a finished training"):
        refuse_earlier(tmp_path, False)


@pytest.mark.parametrize("name", ["model", "pictures", "log.csv", "held_out.html"])
@pytest.mark.parametrize("resume", [False, True])
def test_what_others_keep_under_the_names_of_a_training_stays(
    name: str, resume: bool, tmp_path: Path
) -> None:
    if "." in name:
        (tmp_path / name).write_text("mine")
    else:
        (tmp_path / name).mkdir()
    with pytest.raises(LiverSegError, match=rf"{name} is not of a training.*Choose another folder"):
        refuse_earlier(tmp_path, resume)


@pytest.mark.parametrize("state", ["failed", "cancelled", "running", "stopped"])
def test_what_ended_before_its_first_checkpoint_is_begun_again(state: str, tmp_path: Path) -> None:
    record(tmp_path, state)
    for name in ("events.jsonl", "split.json", "recipe.toml", "log.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"half")
    refuse_earlier(tmp_path, False)
    refuse_earlier(tmp_path, True)


def test_other_files_are_in_nobodys_way(tmp_path: Path) -> None:
    for name in ("notes.md", "stderr.txt", "rates.json", "training.lock", "control"):
        (tmp_path / name).write_text("")
    refuse_earlier(tmp_path, False)


def test_a_checkpoint_is_gone_on_with_only_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").touch()
    with pytest.raises(LiverSegError, match="holds a training already"):
        refuse_earlier(tmp_path, False)
    refuse_earlier(tmp_path, True)
