"""Split and cases of a resumed training, whatever happens to the data meanwhile."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY, Calls, a_job, tiny_network, write_lits2d
from training.data.dataset_layouts import find_sources
from training.data.splits import Split, save_split
from training.pipeline.resume import resumed_cases
from training.pipeline.train import train
from training.runs.files import CHECKPOINT, HELD_OUT, SPLIT
from training.runs.training_job import TrainingJob

RECIPE = replace(TINY, epochs=2, fine_tune_epochs=0, liver=None)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("training.learner.build", "liverseg_gui.segmentation.inference"):
        monkeypatch.setattr(f"{place}.build_network", tiny_network)


@pytest.fixture(scope="module")
def cancelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and a training that was cancelled after its first epoch."""
    folder = tmp_path_factory.mktemp("begun")
    write_lits2d(folder / "data", (3, 7, 12))
    progress = Progress()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.learner.build.build_network", tiny_network)
        with pytest.raises(Cancelled):
            train(job_in(folder), progress, observer=Calls(lambda _: progress.cancel()))
    return folder


@pytest.fixture
def folder(cancelled: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoiled."""
    return Path(shutil.copytree(cancelled, tmp_path / "begun"))


def job_in(folder: Path, **changes: Any) -> TrainingJob:
    return a_job(folder / "data", folder / "out", **({"folds": 3, "config": RECIPE} | changes))


def resume(folder: Path, **changes: Any) -> int:
    """Go on, and return how many epochs were trained."""
    epochs: list[object] = []
    train(job_in(folder, **changes), Progress(), resume=True, observer=Calls(epochs.append))
    return len(epochs)


def test_a_case_that_was_added_since_takes_no_part(folder: Path) -> None:
    before = (folder / "out" / SPLIT).read_text()
    write_lits2d(folder / "more", (20,))
    shutil.move(folder / "more" / "020", folder / "data" / "020")
    rows = [{"case": n, "stored_z_step": 2} for n in (3, 7, 12, 20)]
    (folder / "data" / "manifest.json").write_text(json.dumps({"cases": rows}))
    assert resume(folder) == 1
    assert (folder / "out" / SPLIT).read_text() == before
    held_out = json.loads((folder / "out" / HELD_OUT).read_text())
    assert [row["name"] for row in held_out["cases"]] == json.loads(before)["validation"]
    assert held_out["trained_on"] == json.loads(before)["training"]
    there = {s.name: s.fingerprint() for s in find_sources(folder / "data")}
    assert held_out["fingerprints"] == {n: there[n] for n in json.loads(before)["validation"]}


def test_another_fold_is_refused_as_before(folder: Path) -> None:
    with pytest.raises(LiverSegError, match="other settings, patients or fold"):
        resume(folder, fold=1)


@pytest.mark.parametrize("side", ["training", "validation"])
def test_a_mask_that_was_saved_again_is_told_and_not_trained_on(folder: Path, side: str) -> None:
    name = json.loads((folder / "out" / SPLIT).read_text())[side][0]
    mask = next((folder / "data" / name).glob("*.png"))
    Image.new("L", (96, 96)).save(mask)
    with pytest.raises(LiverSegError, match=r"Scans or masks .* have changed since"):
        resume(folder)


def test_a_checkpoint_that_does_not_know_its_masks_is_gone_on_with(folder: Path) -> None:
    path = folder / "out" / CHECKPOINT
    state = torch.load(path, weights_only=True)
    del state["content"]
    torch.save(state, path)
    assert resume(folder) == 1


def test_a_case_that_is_gone_is_named(folder: Path) -> None:
    rows = [{"case": n, "stored_z_step": 2} for n in (3, 12)]
    (folder / "data" / "manifest.json").write_text(json.dumps({"cases": rows}))
    with pytest.raises(LiverSegError, match=r"was begun with 007, which the data no longer holds"):
        resume(folder)


def test_a_case_that_was_left_out_may_be_gone_and_no_other_may_be_left_out(tmp_path: Path) -> None:
    data = write_lits2d(tmp_path / "data", (3, 7, 12))
    save_split(Split(("003",), ("007",), ("012",)), tmp_path / SPLIT)
    found = resumed_cases(tmp_path / SPLIT, [data], False, ["099"])
    assert [source.name for source in found] == ["003", "007", "012"]
    with pytest.raises(LiverSegError, match="007 cannot be left out any more"):
        resumed_cases(tmp_path / SPLIT, [data], False, ["007"])
