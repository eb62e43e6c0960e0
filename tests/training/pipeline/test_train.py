"""The whole pipeline: from labelled slices to a model folder that loads."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from liverseg_gui.cli.main import main
from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import load_predictor
from liverseg_gui.segmentation.models.registry import find_model
from tests.training.tiny import TINY, a_job, tiny_network, write_lits2d
from training.config.train_config import TrainConfig
from training.data.dataset_layouts import find_sources
from training.data.merge_datasets import RenamedCase
from training.evaluation.worst_slices_file import load_worst
from training.export.weights import export_model
from training.learner.lr_finder import find_learning_rate
from training.pipeline.train import train
from training.runs.files import CHECKPOINT, HELD_OUT, LOG, REPORT, SPLIT, TABLE, WORST
from training.runs.training_job import TrainingJob


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small patients."""
    return write_lits2d(tmp_path_factory.mktemp("lits2d"))


def test_a_run_trains_evaluates_and_exports_a_model_that_loads(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("training.learner.build", "liverseg_gui.segmentation.inference"):
        monkeypatch.setattr(f"{place}.build_network", tiny_network)
    config = replace(TINY, epochs=1, architecture="slim-resnet18-ppm", loss="tversky+ce")
    notes = {"data": "phantoms", "size": "no figure"}
    job = a_job(data, tmp_path, name="tiny", folds=3, notes=notes, config=config)
    results = train(job, Progress(), command="liverseg train")
    card = find_model(str(tmp_path / "model"))
    assert [r.name for r in results] == [row["name"] for row in card.about["held_out"]]
    assert not {r.name for r in results} & set(card.about["trained_on"])
    assert card.about["data"] == "phantoms"
    assert card.size == (32, 64)
    figures = json.loads((tmp_path / HELD_OUT).read_text())
    assert figures["trained_on"] == card.about["trained_on"]
    assert [row["liver"]["dice"] for row in figures["cases"]] == [
        row["liver_dice"] for row in card.about["held_out"]
    ]
    assert "orst slices" in (tmp_path / REPORT).read_text()
    worst = load_worst(tmp_path / WORST)
    assert {saved.slice.name for saved in worst} == {r.name for r in results}
    assert TrainConfig.from_json(card.about["training"]) == config
    assert load_predictor(card, "cpu").runtime.device == "cpu"
    stages = [json.loads(line)["stage"] for line in (tmp_path / LOG).read_text().splitlines()]
    assert stages == ["one cycle", "fine-tune"]
    assert {path.name for path in tmp_path.iterdir()} == {
        CHECKPOINT,
        LOG,
        TABLE,
        SPLIT,
        HELD_OUT,
        REPORT,
        WORST,
        "pictures",
        "model",
    }


@pytest.mark.parametrize(
    ("folds", "fold", "message"),
    [
        (5, 0, "too few"),
        (3, 3, "no split"),
        (3, -1, "no split"),
        (0, 0, "no split"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(
    data: Path, tmp_path: Path, folds: int, fold: int, message: str
) -> None:
    with pytest.raises(LiverSegError, match=message):
        train(a_job(data, tmp_path, folds=folds, fold=fold), Progress())


def swap_labels(case: Path) -> None:
    """Call the liver tumor and the tumor liver."""
    for file in case.glob("*.png"):
        labels = np.asarray(Image.open(file))
        Image.fromarray(np.array([0, 2, 1], np.uint8)[labels]).save(file)


def test_cases_with_errors_are_refused_unless_they_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("training.learner.build", "liverseg_gui.segmentation.inference"):
        monkeypatch.setattr(f"{place}.build_network", tiny_network)
    data = write_lits2d(tmp_path / "data")
    swap_labels(data / "007")
    out = tmp_path / "out"
    config = replace(TINY, epochs=1, fine_tune_epochs=0)
    job = a_job(data, out, folds=3, config=config)
    for _ in range(2):  # as read, and as kept since
        with pytest.raises(LiverSegError, match=r"007: .*\(swapped-labels\)") as problem:
            train(job, Progress())
    assert "--allow-errors" in problem.value.remedy
    assert not (out / CHECKPOINT).exists()
    allowed = replace(job, data=replace(job.data, allow_errors=True))
    assert "--allow-errors" in allowed.arguments()
    assert TrainingJob.from_json(json.loads(json.dumps(allowed.to_json()))) == allowed
    assert train(allowed, Progress())
    without = replace(job, out=tmp_path / "b", data=replace(job.data, excluded=("007",), folds=2))
    assert train(without, Progress())


def test_a_phantom_that_is_mixed_in_is_held_against_no_case(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("training.learner.build", "liverseg_gui.segmentation.inference"):
        monkeypatch.setattr(f"{place}.build_network", tiny_network)
    alike = RenamedCase(find_sources(data)[0], "phantom-0", "phantom-0")
    monkeypatch.setattr("training.pipeline.train.PhantomCase", lambda _seed: alike)
    config = replace(TINY, epochs=1, fine_tune_epochs=0)
    assert train(a_job(data, tmp_path, folds=3, phantoms=1, config=config), Progress())


def test_one_scan_in_two_data_sets_is_refused_before_it_is_held_out(
    data: Path, tmp_path: Path
) -> None:
    again = write_lits2d(tmp_path / "again", (7, 20))
    (again / "007").rename(again / "099")
    manifest = {"cases": [{"case": 99, "stored_z_step": 2}, {"case": 20, "stored_z_step": 2}]}
    (again / "manifest.json").write_text(json.dumps(manifest))
    job = a_job(data, tmp_path / "out", folds=5)
    job = replace(job, data=replace(job.data, folders=(data, again)))
    with pytest.raises(LiverSegError, match=r"\(duplicate\)"):
        train(job, Progress())


def test_an_earlier_training_is_not_overwritten(data: Path, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).touch()
    with pytest.raises(LiverSegError, match="holds a training already"):
        train(a_job(data, tmp_path, folds=3), Progress())


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate is looked for in thirty steps of a small network, and not in a hundred."""
    monkeypatch.setattr("training.learner.build.build_network", tiny_network)
    monkeypatch.setattr(
        "training.pipeline.train.find_learning_rate", partial(find_learning_rate, steps=30)
    )


@pytest.mark.usefixtures("few_steps")
def test_the_command_prints_a_rate_and_trains_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--data", str(data), "--out", str(tmp_path), "--device", "cpu", "--batch-size", "4")
    words = "--context 3 --folds 3 --phantoms 0 --lr-find --precision float32"
    assert main(["train", *where, *words.split()]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("valley ")
    assert "slide " in printed
    assert "--learning-rate " in printed
    assert {path.name for path in tmp_path.iterdir()} == {"rates.json", "rates.csv"}


@pytest.mark.usefixtures("few_steps")
def test_a_program_that_looks_for_a_rate_is_told_how_far_it_is(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("liverseg_gui.cli.train_output._REPORT_S", 0.0)
    where = ("--data", str(data), "--out", str(tmp_path), "--device", "cpu", "--json")
    words = "--context 3 --folds 3 --phantoms 0 --lr-find --precision float32 --batch-size 4"
    assert main(["train", *where, *words.split()]) == 0
    *events, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["event"] for event in events} == {"progress"}
    fractions = [event["fraction"] for event in events]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] < 0.5 < fractions[-1] <= 1
    case_in = {event["phase"]: event["case"] for event in events}
    assert case_in["Looking for a learning rate"] is None
    assert {name for name in case_in.values() if name} < {"003", "007", "012"}
    assert all(name in phase for phase, name in case_in.items() if name)
    assert last["event"] == "rates"
    assert last["valley"] > 0


def test_a_model_with_numbers_that_are_none_is_not_written(tmp_path: Path) -> None:
    network = tiny_network()
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    with pytest.raises(SaveError, match="invalid numbers"):
        export_model(network, tmp_path / "model", {"name": "broken"})
    assert not (tmp_path / "model").exists()
