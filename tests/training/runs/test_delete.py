"""Deleting a training: all that it wrote goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from tests.training.tiny import TINY
from training.runs import delete
from training.runs.delete import delete_run
from training.runs.files import LOCK, RUN, STDERR
from training.runs.folder import RunState, held
from training.runs.registry import known_runs, register_run
from training.runs.state_file import RunStateFile
from training.runs.training_job import TrainingJob

_WRITTEN = (
    *("checkpoint.pt", "control", "events.jsonl", "log.csv", STDERR, LOCK),
    *("model/card.json", "model/weights.safetensors", "pictures/001.npz", "pictures/1000.npz"),
)
_HALF_WRITTEN = ("checkpoint.part", ".run.json.4711", "log.csv.part", "pictures/002.npz.part")
_OTHERS = (
    *("model/notes.txt", "model/liver.stl", "pictures/ward.npz", "pictures/holiday.jpg"),
    *("pictures/old/001.npz", "log.txt", "thesis.part"),
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A training that was stopped, and is known to the program."""
    out = tmp_path / "run"
    out.mkdir()
    RunStateFile(TrainingJob(out=out, config=TINY), "liverseg train").enter(RunState.STOPPED)
    register_run(out)
    return out


def put(out: Path, *names: str) -> None:
    for name in names:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("x")


def files(out: Path) -> list[str]:
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def test_all_that_a_training_writes_goes_and_its_folder(out: Path) -> None:
    put(out, *_WRITTEN)
    assert delete_run(out)
    assert not out.exists()
    assert known_runs() == []


def test_what_a_killed_process_had_half_written_goes_too(out: Path) -> None:
    put(out, *_HALF_WRITTEN)
    assert delete_run(out)


def test_what_others_put_into_its_folders_stays(out: Path) -> None:
    put(out, *_WRITTEN, *_OTHERS)
    assert not delete_run(out)
    assert files(out) == sorted(_OTHERS)
    assert known_runs() == []


def test_a_folder_that_is_a_link_to_elsewhere_is_left_alone(out: Path, tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/card.json")
    (out / "model").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert not delete_run(out)
    assert (tmp_path / "elsewhere" / "card.json").exists()


def test_nobody_can_begin_while_it_is_deleted(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.runs.folder._PATIENCE_S", 0.0)
    refused: list[str] = []
    plain = delete._delete_written

    def beginning(out: Path) -> None:
        with pytest.raises(LiverSegError, match="trained into already") as caught, held(out):
            pass
        refused.append(str(caught.value))
        plain(out)

    monkeypatch.setattr(delete, "_delete_written", beginning)
    assert delete_run(out)
    assert len(refused) == 1


def test_one_that_runs_is_refused_and_untouched(out: Path) -> None:
    put(out, *_WRITTEN)
    before = files(out)
    with held(out), pytest.raises(LiverSegError, match="still runs"):
        delete_run(out)
    assert files(out) == before
    assert [run.out for run in known_runs()] == [out]


def test_a_folder_without_a_training_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "model/card.json")
    with pytest.raises(UnreadableFileError):
        delete_run(tmp_path)
    assert (tmp_path / "model" / "card.json").exists()


def test_where_a_file_cannot_be_deleted_the_training_can_be_discarded_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(out, "log.csv")
    with monkeypatch.context() as patch:
        plain = Path.unlink

        def refused(path: Path, missing_ok: bool = False) -> None:
            if path.name == "log.csv":
                raise PermissionError(13, "Permission denied")
            plain(path, missing_ok)

        patch.setattr(Path, "unlink", refused)
        with pytest.raises(LiverSegError, match="could not be deleted: Permission denied"):
            delete_run(out)
    assert (out / RUN).exists()
    assert delete_run(out)
