"""The registry of trainings, and the states of their folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from liverseg_gui.core.errors import LiverSegError, SaveError, UnreadableFileError
from liverseg_gui.system import atomic_write
from tests.training.tiny import TINY
from training.runs import folder as run_folder
from training.runs.control import (
    RunCommand,
    clear_commands,
    last_command,
    read_command,
    send_command,
)
from training.runs.files import EVENTS, RUN
from training.runs.folder import RunState, held, is_held, read_run
from training.runs.registry import known_runs, new_run_folder, register_run, unregister_run
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(run_folder, "_PATIENCE_S", 0.0)


def new_state_file(out: Path, name: str = "tiny") -> RunStateFile:
    out.mkdir(parents=True, exist_ok=True)
    return RunStateFile(TrainingJob(out=out, name=name, config=TINY), "liverseg train")


def test_a_training_is_running_as_long_as_its_process_holds_the_lock(tmp_path: Path) -> None:
    writing = new_state_file(tmp_path)
    with held(tmp_path):
        assert read_run(tmp_path).state is RunState.RUNNING
        writing.enter(RunState.PAUSED)
        assert read_run(tmp_path).state == "paused"
        assert is_held(tmp_path)
    run = read_run(tmp_path)
    assert run.state is RunState.INTERRUPTED
    assert run.resumable
    assert not is_held(tmp_path)


def test_the_record_gives_back_the_job_and_how_it_ended(tmp_path: Path) -> None:
    new_state_file(tmp_path).enter(RunState.FAILED, "The disk is full.")
    run = read_run(tmp_path)
    assert (run.state, run.message, run.name) == ("failed", "The disk is full.", "tiny")
    assert run.job == TrainingJob(out=tmp_path, name="tiny", config=TINY)
    assert not run.checkpoint


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nothing can be written until it was waited for once; the waits, which take no time."""
    waits: list[float] = []
    plain = atomic_write.write_text

    def refused_once(path: Path, text: str) -> None:
        if not waits:
            raise SaveError("It is being read.")
        plain(path, text)

    monkeypatch.setattr(atomic_write, "write_text", refused_once)
    monkeypatch.setattr(atomic_write.time, "sleep", waits.append)
    return waits


def test_a_record_that_somebody_reads_just_then_is_written_a_moment_later(
    tmp_path: Path, waited: list[float]
) -> None:
    waited.append(0.0)
    writing = new_state_file(tmp_path)
    waited.clear()
    writing.enter(RunState.FINISHED)
    assert len(waited) == 1
    assert read_run(tmp_path).state is RunState.FINISHED


def test_a_wish_is_asked_though_the_training_just_reads_the_last_one(
    tmp_path: Path, waited: list[float]
) -> None:
    send_command(tmp_path, "cancel")
    assert len(waited) == 1
    assert read_command(tmp_path) is RunCommand.CANCEL


def test_a_wish_that_cannot_be_written_is_told_after_a_few_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(atomic_write.time, "sleep", waits.append)
    with pytest.raises(SaveError, match="could not be written"):
        send_command(tmp_path / "gone", "stop")
    assert 0 < sum(waits) < 0.5


def test_a_folder_that_was_moved_is_read_where_it_is(tmp_path: Path) -> None:
    new_state_file(tmp_path / "a").enter(RunState.FINISHED, model="model")
    (tmp_path / "a").rename(tmp_path / "b")
    run = read_run(tmp_path / "b")
    assert run.job.out == tmp_path / "b"
    assert run.model == tmp_path / "b" / "model"
    assert run.fraction == 1.0
    assert not run.resumable


def test_a_second_training_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    new_state_file(tmp_path)
    values = json.loads((tmp_path / RUN).read_text()) | {"pid": 4711}
    (tmp_path / RUN).write_text(json.dumps(values))
    with held(tmp_path), pytest.raises(LiverSegError, match="by process 4711"), held(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_folder.FileLock, "acquire", refuse)
    with pytest.raises(SaveError, match=r"could not be written: Permission denied\. Choose"):
        held(tmp_path).__enter__()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"job": {"out": 3}}'])
def test_a_record_that_is_damaged_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / RUN).write_text(text)
    with pytest.raises(UnreadableFileError, match=str(tmp_path)):
        read_run(tmp_path)


def test_known_runs_leave_out_what_is_gone_or_forgotten(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        new_state_file(tmp_path / name, name)
        register_run(tmp_path / name)
    register_run(tmp_path / "one")
    assert sorted(run.name for run in known_runs()) == ["one", "three", "two"]
    shutil.rmtree(tmp_path / "two")
    unregister_run(tmp_path / "three")
    assert [run.name for run in known_runs()] == ["one"]


def test_a_new_folder_is_fresh_each_time() -> None:
    folders = [new_run_folder("my / model") for _ in range(3)]
    assert len(set(folders)) == 3
    assert all(not list(folder.iterdir()) for folder in folders)
    assert folders[0].name == "my-model"


def test_the_latest_wish_counts_and_goes_with_its_training(tmp_path: Path) -> None:
    assert read_command(tmp_path) is RunCommand.GO
    for wish in ("pause", "stop", "cancel", "go"):
        send_command(tmp_path, wish)
        assert read_command(tmp_path) == wish
    send_command(tmp_path, "stop")
    clear_commands(tmp_path, last_command(tmp_path))
    assert read_command(tmp_path) is RunCommand.GO
    with pytest.raises(LiverSegError, match="pause, go, stop, cancel"):
        send_command(tmp_path, "hurry")


def test_a_wish_that_is_asked_while_a_training_begins_is_not_forgotten(tmp_path: Path) -> None:
    for before in ("cancel", "pause"):
        send_command(tmp_path, before)
        earlier = last_command(tmp_path)
        send_command(tmp_path, "cancel")
        clear_commands(tmp_path, earlier)
        assert read_command(tmp_path) is RunCommand.CANCEL


def test_the_first_wish_of_all_is_not_forgotten(tmp_path: Path) -> None:
    earlier = last_command(tmp_path)
    send_command(tmp_path, "cancel")
    clear_commands(tmp_path, earlier)
    assert read_command(tmp_path) is RunCommand.CANCEL


@pytest.mark.parametrize("told", [{}, {"fraction": "x", "phase": ""}, {"fraction": []}])
def test_one_with_damaged_events_is_known_all_the_same(
    tmp_path: Path, told: dict[str, Any]
) -> None:
    out = tmp_path / "one"
    new_state_file(out).enter(RunState.STOPPED)
    register_run(out)
    (out / EVENTS).write_text(json.dumps({"event": "progress", **told}) + "\n")
    assert [(run.name, run.fraction) for run in known_runs()] == [("tiny", 0.0)]
