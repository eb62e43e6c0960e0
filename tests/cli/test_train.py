"""`liverseg train`: what it prints, what it refuses before any time is lost, and how it ends."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.cli import train as command
from liverseg_gui.cli.main import main
from tests.training import layouts
from tests.training.tiny import TINY, tiny_network, write_lits2d
from training.config.config_file import write_config_file
from training.learner import build
from training.runs.control import send_command
from training.runs.epoch_log import EpochResult
from training.runs.folder import read_run


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small patients."""
    return write_lits2d(tmp_path_factory.mktemp("lits2d"))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "build_network", tiny_network)


def train(data: Path, out: Path, *words: str) -> int:
    config = out.with_suffix(".toml")
    write_config_file(replace(TINY, epochs=1, fine_tune_epochs=0), config)
    where = ["--data", str(data), "--out", str(out), "--recipe", str(config)]
    return main(["train", *where, "--folds", "3", "--phantoms", "0", *words])


def test_json_has_a_line_for_every_event_with_the_fields_of_an_epoch(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(data, tmp_path / "out", "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (epoch,) = [event for event in events if event["event"] == "epoch"]
    assert set(epoch) == {"event", *asdict(EpochResult("", 0, 0, 0, 0, 0, 0))}
    kinds = {event["event"] for event in events}
    assert kinds == {"progress", "start", "pictures", "epoch", "patient", "end"}


def test_for_people_it_prints_epochs_and_held_out_patients(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(data, tmp_path / "out") == 0
    epoch, patient = capsys.readouterr().out.splitlines()
    assert epoch.startswith("one cycle 1: loss ")
    assert patient.startswith("held out 0")


@pytest.fixture
def nothing_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr("training.pipeline.train.fit", refuse)


def refused(capsys: pytest.CaptureFixture[str], code: int) -> str:
    assert code == 1
    return capsys.readouterr().err


@pytest.mark.usefixtures("nothing_trained")
def test_a_single_patient_cannot_be_held_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_lits2d(tmp_path / "one", (3,))
    words = refused(capsys, train(data, tmp_path / "out"))
    assert "single patient" in words
    assert "--folds 1" in words


@pytest.mark.usefixtures("nothing_trained")
def test_an_unknown_name_that_should_be_left_out_is_an_error_with_near_ones(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = refused(capsys, train(data, tmp_path / "out", "--exclude", "07"))
    assert "07 should be left out, but no case is called so. Is 007" in words


@pytest.mark.usefixtures("nothing_trained")
def test_labels_that_mean_nothing_are_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.decathlon(tmp_path / "d", (1, 2, 3))
    mask = tmp_path / "d" / "labelsTr" / "liver_2.nii.gz"
    stored = nib.load(mask)
    labels = np.asarray(stored.dataobj).astype(np.uint8)
    labels[:4] = 77
    nib.save(nib.Nifti1Image(labels, stored.affine), mask)
    assert "liver_2" in refused(capsys, train(tmp_path / "d", tmp_path / "out"))


@pytest.mark.usefixtures("nothing_trained")
def test_a_mask_of_another_scan_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.decathlon(tmp_path / "d", (1, 2, 3))
    mask = tmp_path / "d" / "labelsTr" / "liver_2.nii.gz"
    stored = nib.load(mask)
    affine = stored.affine.copy()
    affine[:3, 3] += 7.3
    nib.save(nib.Nifti1Image(np.asarray(stored.dataobj).astype(np.uint8), affine), mask)
    assert "liver_2" in refused(capsys, train(tmp_path / "d", tmp_path / "out"))
    assert read_run(tmp_path / "out").state == "failed"


@pytest.mark.usefixtures("nothing_trained")
def test_a_folder_that_cannot_be_made_is_an_error(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    config = tmp_path / "r.toml"
    write_config_file(TINY, config)
    where = ["--data", str(data), "--out", str(tmp_path / "file" / "out"), "--recipe", str(config)]
    words = refused(capsys, main(["train", *where]))
    assert "could not be made" in words


def test_neither_data_nor_corrected_studies_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "--out", str(tmp_path)])
    assert caught.value.code == 2


def test_several_folders_are_trained_on_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = write_lits2d(tmp_path / "a", (3, 7)), write_lits2d(tmp_path / "b", (7, 12))
    assert train(one, tmp_path / "out", "--data", str(other), "--exclude", "a-007") == 0
    split = json.loads((tmp_path / "out" / "split.json").read_text())
    assert sorted(split["training"] + split["validation"]) == ["003", "012", "b-007"]


def do_at(monkeypatch: pytest.MonkeyPatch, kind: str, do: Any) -> None:
    """`do` something when an event of that `kind` is printed."""
    plain = command.print_text

    def printed(event: dict[str, Any]) -> None:
        plain(event)
        if event["event"] == kind:
            do()

    monkeypatch.setattr(command, "print_text", printed)


def test_ctrl_c_ends_with_130_and_a_word_about_going_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_at(monkeypatch, "epoch", lambda: os.kill(os.getpid(), signal.SIGINT))
    assert train(data, tmp_path / "out") == 130
    run = read_run(tmp_path / "out")
    assert run.state == "cancelled"
    assert run.checkpoint


def test_a_stop_that_was_asked_for_is_no_failure(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    wishes = iter(("stop", "go"))
    do_at(monkeypatch, "start", lambda: send_command(out, next(wishes)))
    assert train(data, out) == 0
    assert "Stopped as asked" in capsys.readouterr().err
    assert read_run(out).state == "stopped"
    assert train(data, out, "--resume") == 0
    assert read_run(out).state == "finished"
