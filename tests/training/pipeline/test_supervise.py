"""A supervised training: its events, its files and its commands."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from liverseg_gui.core.errors import Cancelled, LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY, a_job, tiny_network, write_lits2d
from training.config.config_file import read_config_file
from training.learner import build
from training.learner.losses import make_loss
from training.pipeline import supervise
from training.pipeline.supervise import run_supervised
from training.runs.control import Stopped, send_command
from training.runs.delete import delete_run
from training.runs.events import end_event, read_events
from training.runs.files import CHECKPOINT, EVENTS, NOTES, RECIPE, RUN
from training.runs.folder import RunState, held, read_run
from training.runs.registry import known_runs
from training.runs.training_job import TrainingJob
from training.runs.validation_image_file import read_validation_images

Event = dict[str, Any]
RECIPE_2 = replace(TINY, epochs=2, fine_tune_epochs=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small patients."""
    return write_lits2d(tmp_path_factory.mktemp("lits2d"))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "build_network", tiny_network)


def job(data: Path, out: Path, **changes: Any) -> TrainingJob:
    values: dict[str, Any] = {"folds": 3, "config": RECIPE_2} | changes
    return a_job(data, out, **values)


class Told:
    """Collects events, and may do something at one."""

    def __init__(self, at: str = "", do: Callable[[Event], None] = lambda _: None) -> None:
        self.events: list[Event] = []
        self._at, self._do = at, do

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if event["event"] == self._at:
            self._do(event)

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event["event"] == kind]


def carry_out(job: TrainingJob, told: Told | None = None, resume: bool = False) -> Told:
    told = told or Told()
    run_supervised(job, "liverseg train ...", Progress(), told, resume)
    return told


def losses(out: Path) -> list[tuple[Any, ...]]:
    epochs = [event for event in read_events(out / EVENTS) if event["event"] == "epoch"]
    return [(e["stage"], e["epoch"], e["train_loss"], e["valid_loss"]) for e in epochs]


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingJob, Told]:
    """A training from beginning to end, and what it told."""
    wanted = job(data, tmp_path_factory.mktemp("whole"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "build_network", tiny_network)
        return wanted, carry_out(wanted)


def test_it_tells_plan_epochs_pictures_patients_and_its_end(
    whole: tuple[TrainingJob, Told],
) -> None:
    _, told = whole
    (plan,), (end,), (patient,) = (told.of(kind) for kind in ("start", "end", "patient"))
    assert plan["stages"] == [["one cycle", 2], ["fine-tune", 1]]
    assert (plan["device"], plan["precision"], plan["batch_size"]) == ("cpu", "float32", 4)
    assert sorted(plan["training"] + plan["held_out"]) == ["003", "007", "012"]
    assert plan["held_out"] == [patient["name"]]
    assert [(e["stage"], e["epoch"]) for e in told.of("epoch")] == [
        *(("one cycle", 1), ("one cycle", 2), ("fine-tune", 1))
    ]
    assert [e["path"] for e in told.of("pictures")] == [f"pictures/00{n}.npz" for n in (1, 2, 3)]
    assert 0 <= patient["liver"]["dice"] <= 1
    assert end == end_event("finished", model="model")
    assert told.events[-1] == end


def test_progress_comes_with_gauges_and_an_estimate(whole: tuple[TrainingJob, Told]) -> None:
    progress = whole[1].of("progress")
    assert list(progress[0]) == [
        *("event", "fraction", "phase", "case", "eta_s"),
        *("cpu_percent", "memory_mb", "gpu_percent", "gpu_memory_mb"),
    ]
    assert 20 < progress[0]["memory_mb"] < 100_000
    fractions = [event["fraction"] for event in progress]
    assert fractions == sorted(fractions)


def test_the_folder_keeps_all_that_was_told_and_the_recipe(whole: tuple[TrainingJob, Told]) -> None:
    wanted, told = whole
    lines = (wanted.out / EVENTS).read_text().splitlines()
    assert [json.loads(line) for line in lines] == json.loads(json.dumps(told.events))
    assert read_config_file(wanted.out / RECIPE) == wanted.config
    run = read_run(wanted.out)
    assert (run.state, run.job, run.model) == ("finished", wanted, wanted.out / "model")
    assert run.pid == os.getpid()
    assert wanted.out in [run.out for run in known_runs()]


def test_all_that_it_wrote_is_gone_once_it_is_discarded(
    whole: tuple[TrainingJob, Told], tmp_path: Path
) -> None:
    copied = shutil.copytree(whole[0].out, tmp_path / "copied")
    assert delete_run(copied)
    assert not copied.exists()


def test_pictures_show_the_same_slices_each_epoch_with_their_truth(
    whole: tuple[TrainingJob, Told],
) -> None:
    out = whole[0].out
    first, last = (read_validation_images(out / "pictures" / f"00{n}.npz") for n in (1, 3))
    assert first.names == last.names
    assert len(first.names) == 6
    assert {name.split()[0] for name in first.names} == set(whole[1].of("start")[0]["held_out"])
    assert first.images.shape == (6, *TINY.trunk.size)
    assert np.array_equal(first.images, last.images)
    assert np.array_equal(first.truth, last.truth)
    assert first.images.max() > 100
    assert set(np.unique(first.truth)) == {0, 1, 2}
    assert not np.array_equal(first.found, last.found)


def test_pictures_change_nothing_of_the_training(
    whole: tuple[TrainingJob, Told], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.learner.callbacks.validation_images.shown_slices", lambda _: [])
    told = carry_out(job(data, tmp_path))
    assert not told.of("pictures")
    assert losses(tmp_path) == losses(whole[0].out)


def test_a_stop_ends_after_the_epoch_and_going_on_gives_what_no_stop_would_have(
    whole: tuple[TrainingJob, Told], data: Path, tmp_path: Path
) -> None:
    wanted = job(data, tmp_path)
    told = Told("start", lambda _: send_command(tmp_path, "stop"))
    with pytest.raises(Stopped, match="go on with --resume"):
        carry_out(wanted, told)
    assert [e["epoch"] for e in told.of("epoch")] == [1]
    (end,) = told.of("end")
    assert (end["state"], end["reason"], end["action"]) == (
        "stopped",
        "Stopped as asked.",
        "resume",
    )
    assert end["message"] == read_run(tmp_path).message
    assert read_run(tmp_path).state is RunState.STOPPED
    assert read_run(tmp_path).checkpoint
    again = carry_out(wanted, resume=True)
    assert [e["event"] for e in again.events[:1]] == ["resumed"]
    assert losses(tmp_path) == losses(whole[0].out)
    ends = [e for e in read_events(tmp_path / EVENTS) if e["event"] == "end"]
    assert [end["state"] for end in ends] == ["finished"]


def test_a_stop_that_is_taken_back_does_not_stop(data: Path, tmp_path: Path) -> None:
    def hesitate(event: Event) -> None:
        send_command(tmp_path, "stop")
        send_command(tmp_path, "go")

    told = carry_out(job(data, tmp_path, config=replace(TINY, epochs=1)), Told("start", hesitate))
    assert told.of("end")[0]["state"] == "finished"


def test_a_cancelled_training_keeps_its_last_whole_epoch(data: Path, tmp_path: Path) -> None:
    told = Told("epoch", lambda _: send_command(tmp_path, "cancel"))
    with pytest.raises(Cancelled) as caught:
        carry_out(job(data, tmp_path), told)
    assert not isinstance(caught.value, Stopped)
    assert [e["epoch"] for e in told.of("epoch")] == [1]
    run = read_run(tmp_path)
    assert run.state is RunState.CANCELLED
    assert run.checkpoint
    assert "--resume" in run.message


def test_a_paused_training_waits_until_it_may_go_on(data: Path, tmp_path: Path) -> None:
    seen: list[str] = []

    def go(event: Event) -> None:
        seen.append(json.loads((tmp_path / RUN).read_text())["state"])
        send_command(tmp_path, "go")

    class Pausing(Told):
        def __call__(self, event: Event) -> None:
            super().__call__(event)
            if event["event"] == "start":
                send_command(tmp_path, "pause")
            if event["event"] == "progress" and event["phase"] == "Paused":
                go(event)

    told = carry_out(job(data, tmp_path, config=replace(TINY, epochs=1)), Pausing())
    assert seen == ["paused"]
    kinds = [event["event"] for event in told.events]
    assert kinds.index("paused") < kinds.index("resumed") < kinds.index("epoch")
    assert told.of("end")[0]["state"] == "finished"


def test_what_was_asked_of_an_earlier_training_is_forgotten(data: Path, tmp_path: Path) -> None:
    send_command(tmp_path, "cancel")
    told = carry_out(job(data, tmp_path, config=replace(TINY, epochs=1, fine_tune_epochs=0)))
    assert told.of("end")[0]["state"] == "finished"


def test_a_wish_of_the_moment_in_which_it_begins_is_carried_out(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = supervise.refuse_earlier

    def asked_meanwhile(out: Path, resume: bool) -> None:
        refuse(out, resume)
        send_command(out, "cancel")

    send_command(tmp_path, "pause")  # of an earlier one
    monkeypatch.setattr(supervise, "refuse_earlier", asked_meanwhile)
    with pytest.raises(Cancelled):
        carry_out(job(data, tmp_path))
    assert read_run(tmp_path).state is RunState.CANCELLED


def test_a_second_training_leaves_the_first_ones_folder_alone(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.runs.folder._PATIENCE_S", 0.0)
    (tmp_path / RUN).write_text("{}")
    told = Told()
    with held(tmp_path), pytest.raises(LiverSegError, match="is being trained into already"):
        carry_out(job(data, tmp_path), told)
    assert [event["state"] for event in told.events] == ["failed"]
    assert {path.name for path in tmp_path.iterdir()} == {RUN, "training.lock"}
    assert (tmp_path / RUN).read_text() == "{}"


def test_a_finished_training_is_not_begun_again(whole: tuple[TrainingJob, Told]) -> None:
    before = (whole[0].out / RUN).read_text()
    with pytest.raises(LiverSegError, match="holds a training already"):
        carry_out(whole[0])
    assert (whole[0].out / RUN).read_text() == before


class Failing(nn.Module):
    """A loss that works until `calls` are left over."""

    def __init__(self, after: int, fail: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self._loss, self._left, self._fail = make_loss("ce"), after, fail

    def forward(self, scores: Tensor, labels: Tensor) -> Tensor:
        self._left -= 1
        value: Tensor = self._loss(scores, labels)
        return value if self._left >= 0 else self._fail(value, scores)


def test_a_loss_that_is_no_number_is_told_with_a_better_rate(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss = Failing(7, lambda value, _: value * float("nan"))  # in the second epoch
    monkeypatch.setattr(build, "make_loss", lambda *_: loss)
    told = Told()
    with pytest.raises(LiverSegError):
        carry_out(job(data, tmp_path), told)
    (end,) = told.of("end")
    assert end["state"] == "failed"
    assert end["message"].startswith("The loss is no number any more in epoch 2 of one cycle")
    assert "0.0002" in end["message"]
    assert read_run(tmp_path).message == end["message"]
    assert (tmp_path / CHECKPOINT).exists()


def test_a_batch_that_was_halved_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def limited(value: Tensor, scores: Tensor) -> Tensor:
        if len(scores) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return value

    monkeypatch.setattr(build, "make_loss", lambda *_: Failing(0, limited))
    told = carry_out(job(data, tmp_path, config=replace(TINY, epochs=1, fine_tune_epochs=0)))
    assert "batches of 2 slices" in told.of("note")[0]["text"]
    assert [event["batch_size"] for event in told.of("start")] == [4, 2]


def test_a_case_that_cannot_be_read_is_named_apart_from_the_words(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.runs.monitor._REPORT_S", 0.0)
    copied = shutil.copytree(data, tmp_path / "data")
    (picture,) = list((copied / "007").glob("*.png"))[:1]
    picture.unlink()
    told = Told()
    with pytest.raises(LiverSegError) as caught:
        carry_out(job(copied, tmp_path / "out"), told)
    (end,) = told.of("end")
    assert (end["case"], end["action"], end["model"]) == ("007", None, None)
    assert end["message"] == str(caught.value)
    cases = {event["phase"]: event["case"] for event in told.of("progress")}
    assert {phase: name for phase, name in cases.items() if name and name not in phase} == {}
    assert end["case"] in cases.values()


def test_a_full_disk_is_told_with_what_to_do(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if not content.startswith(b'{"stage"'):  # a row of the log
            return write(path, content)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    told = Told()
    with pytest.raises(SaveError, match=r"Make room and go on with --resume\.$"):
        carry_out(job(data, tmp_path), told)
    (end,) = told.of("end")
    assert end["action"] == "make-room"
    assert (
        end["reason"] == f"The log {tmp_path / 'log.jsonl'} could not be written: No space left "
        "on device."
    )
    assert end["case"] is None


def test_an_unexpected_error_is_recorded_and_goes_on_its_way(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> nn.Module:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr(build, "make_loss", broken)
    with pytest.raises(ZeroDivisionError):
        carry_out(job(data, tmp_path))
    assert read_run(tmp_path).state is RunState.FAILED
    assert "ZeroDivisionError: odd" in read_run(tmp_path).message


def test_without_any_tumor_a_note_says_so_and_training_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.data import case as cases
    from training.data import lits2d_case as lits2d

    read = lits2d.SliceCase.read

    def liver_alone(source: lits2d.SliceCase) -> cases.Case:
        case = read(source)
        return replace(case, labels=np.minimum(case.labels, 1))

    monkeypatch.setattr(lits2d.SliceCase, "read", liver_alone)
    monkeypatch.setattr(lits2d.SliceCase, "fingerprint", lambda _: "liver alone")
    config = replace(TINY, epochs=1, fine_tune_epochs=0, synthetic=None)
    told = carry_out(job(data, tmp_path, config=config))
    (note,) = told.of("note")
    assert note["text"].startswith("No tumor is marked in any of the 2 cases")
    assert (tmp_path / NOTES).read_text().splitlines() == [note["text"]]
    assert told.of("end")[0]["state"] == "finished"


def test_a_resume_with_other_settings_changes_no_record_of_the_first(
    whole: tuple[TrainingJob, Told],
) -> None:
    wanted = whole[0]
    with pytest.raises(LiverSegError, match="other settings"):
        carry_out(replace(wanted, config=replace(RECIPE_2, seed=3)), resume=True)
    run = read_run(wanted.out)
    assert (run.job, run.state) == (wanted, "finished")
    assert read_config_file(wanted.out / RECIPE) == wanted.config
