"""What the commands write as JSON, on small phantoms and from trainings of a tiny network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from liverseg_gui.cli import train
from liverseg_gui.cli.main import main
from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.report.measurements import Report, write_report
from liverseg_gui.segmentation.models.registry import user_models
from tests.training import layouts
from tests.training.pipeline.test_fine_tune import an_outcome
from tests.training.tiny import TINY, tiny_network, write_lits2d
from tests.training.verdicts import BETTER
from training.config.config_file import write_config_file
from training.config.train_config import TrainConfig
from training.export.weights import export_model
from training.runs.control import send_command


def told(*words: str, code: int = 0) -> str:
    """What a command prints."""
    printed = StringIO()
    with redirect_stdout(printed):
        assert main(words) == code
    return printed.getvalue()


def phantom_files(folder: Path, *words: str) -> Path:
    told(
        "phantom",
        "-o",
        str(folder),
        "--size",
        "80",
        "80",
        "20",
        "--spacing",
        "5",
        "5",
        "10",
        *words,
    )
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms with a tumor, with another, and without any."""
    folder = tmp_path_factory.mktemp("made")
    phantom_files(folder / "one", "--tumors", "36")
    phantom_files(folder / "other", "--tumors", "30", "20")
    phantom_files(folder / "none", "--tumors")
    phantom_files(folder / "dicom", "--tumors", "36", "--dicom")
    return folder


@pytest.fixture(scope="module")
def reports(
    made: Path, untrained_model: Path, phantom: Phantom, tmp_path_factory: pytest.TempPathFactory
) -> list[Any]:
    folder = tmp_path_factory.mktemp("reports")
    scan, out = str(made / "one" / "scan.nii.gz"), folder / "segmented.json"
    how = ("--model", str(untrained_model), "--device", "cpu")
    told("segment", scan, "-o", str(folder / "m.nii.gz"), "--report", str(out), *how)
    truth = str(made / "one" / "truth.nii.gz")
    told("measure", scan, truth, "--report", str(folder / "measured.json"))
    told("segment", scan, "-o", str(folder / "cohort"), *how)
    write_report(Report(phantom.volume, None, annotations=annotations()), folder / "readings.json")
    measured = measure(phantom.volume, phantom.truth)
    write_report(Report(phantom.volume, measured, annotations=annotations()), folder / "all.json")
    paths = sorted(folder.rglob("*.json"), key=lambda path: path.name != "all.json")
    assert len(paths) == 5
    return [json.loads(path.read_text("utf-8")) for path in paths]


def annotations() -> tuple[Annotation, ...]:
    """One of each kind, and one that has no figures."""
    points = ((1, 1, 3), (9, 1, 3), (9, 9, 3), (1, 9, 3))
    counts = zip(AnnotationKind, (1, 2, 4, 3, 2, 4, 2, 1), strict=True)
    empty = Annotation(AnnotationKind.ELLIPSE, Plane.AXIAL, 3, ((5.2, 6.2, 3), (5.4, 6.4, 3)))
    return (*(Annotation(kind, Plane.AXIAL, 3, points[:n]) for kind, n in counts), empty)


@pytest.fixture(scope="module")
def infos(made: Path) -> list[Any]:
    sorted((made / "dicom" / "dicom").iterdir())[3].unlink()
    gap = json.loads(told("info", str(made), "--json"))
    assert any(volume["spacing_mm"][2] is None for volume in gap["volumes"])
    assert all(volume["findings"] for volume in gap["volumes"])
    return [gap, json.loads(told("info", str(made / "dicom"), "--json", "--hide-patient"))]


@pytest.fixture(scope="module")
def evaluations(made: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("evaluated")
    for side, names in (("pred", ("one", "one", "other")), ("truth", ("other", "none", "one"))):
        (folder / side).mkdir()
        for number, name in enumerate(names):
            shutil.copy(made / name / "truth.nii.gz", folder / side / f"{number}.nii.gz")
    shutil.copy(made / "one" / "truth.nii.gz", folder / "pred" / "alone.nii.gz")
    where = ("--pred", str(folder / "pred"), "--truth", str(folder / "truth"))
    single = (
        "--pred",
        str(made / "one" / "truth.nii.gz"),
        "--truth",
        str(made / "none" / "truth.nii.gz"),
    )
    return [json.loads(told("evaluate", *words, "--json")) for words in (where, single)]


@pytest.fixture(scope="module")
def lists_of_models() -> Iterator[list[Any]]:
    broken = user_models() / "broken"
    broken.mkdir(parents=True)
    (broken / "card.json").write_text("{}")
    yield [json.loads(told("models", "--json"))]
    shutil.rmtree(broken)


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    folder = tmp_path_factory.mktemp("checked")
    layouts.decathlon(folder, (1, 2))
    (folder / "labelsTr" / "liver_2.nii.gz").unlink()
    slices = write_lits2d(tmp_path_factory.mktemp("lits2d"), (3, 7))
    return [
        json.loads(told("train", "--check", str(folder), "--json", code=1)),
        json.loads(told("train", "--check", str(slices), "--json")),
    ]


@pytest.fixture(scope="module")
def events(untrained_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What trainings tell: one that pauses, one that fails, an improvement, a search for a rate."""
    data = write_lits2d(tmp_path_factory.mktemp("lits2d"))
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        for place in (
            "training.learner.build",
            "training.evaluation.evaluate_model",
            "liverseg_gui.segmentation.inference",
        ):
            patch.setattr(f"{place}.build_network", tiny_network)
        patch.setattr("liverseg_gui.cli.train_output._REPORT_S", 0.0)
        patch.setenv("LIVERSEG_HOME", str(folder / "home"))
        lines = trained(data, folder)
        accepted = an_outcome(folder / "accepted", untrained_model, BETTER)
        lines += told("train", "--accept", "--json", "--out", str(accepted))
    return [json.loads(line) for line in lines.splitlines()]


def trained(data: Path, folder: Path) -> str:
    small, config = replace(TINY, epochs=1, fine_tune_epochs=0), folder / "recipe.toml"
    write_config_file(small, config)
    out, old, better = folder / "out", an_old_model(folder, small), folder / "better"
    usual = ("--data", str(data), "--phantoms", "0", "--json")
    plain = ("train", *usual, "--recipe", str(config), "--folds", "3", "--out")
    fine = "--fine-tune-epochs 1 --precision float32 --device cpu --batch-size 4"
    with pytest.MonkeyPatch.context() as pausing:
        pause_once(out, pausing)
        lines = told(*plain, str(out))
    lines += told(*plain, str(out), code=1)
    lines += told(*plain, str(folder / "rate"), "--lr-find")
    improve = ("train", "--improve", *usual, "--start-from", str(old), "--out", str(better))
    lines += told(*improve, *fine.split())
    lines += told("train", "--compare", str(old), "--json", "--device", "cpu", "--out", str(better))
    return lines


def an_old_model(folder: Path, config: TrainConfig) -> Path:
    card = {
        "name": "old",
        "architecture": config.architecture,
        "size": config.trunk.size,
        "context": config.context,
        "closer": (64, 96),
        "window_hu": (-40.0, 160.0),
        "training": config.to_json(),
        "trained_on": ["003"],
    }
    return export_model(tiny_network(), folder / "old", card)


def pause_once(out: Path, patch: pytest.MonkeyPatch) -> None:
    """Ask the training in `out` to pause when it starts, and to go on once it has."""
    plain = train.print_event

    def printed(event: dict[str, Any]) -> None:
        plain(event)
        if event["event"] in ("start", "paused"):
            send_command(out, "pause" if event["event"] == "start" else "go")

    patch.setattr(train, "print_event", printed)


@pytest.fixture(scope="module")
def written(
    made: Path,
    reports: list[Any],
    infos: list[Any],
    evaluations: list[Any],
    lists_of_models: list[Any],
    checks: list[Any],
    events: list[Any],
) -> dict[str, list[Any]]:
    """All that was written, by the schema it should have."""
    return {
        "report": reports,
        "info": infos,
        "evaluation": evaluations,
        "models": lists_of_models,
        "train-check": checks,
        "train-event": events,
        "truth": [json.loads((made / "one" / "truth.json").read_text("utf-8"))],
    }
