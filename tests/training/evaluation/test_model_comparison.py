"""A comparison of models in a process of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from liverseg_gui.core.errors import Cancelled, LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.evaluate import evaluate_case
from tests.training.tiny import TINY, a_job, write_lits2d
from training.data.dataset_layouts import find_sources
from training.evaluation.model_comparison import compare_run_apart, read_comparison
from training.export.model_card import add_to_card
from training.runs.files import HELD_OUT
from training.runs.folder import RunState
from training.runs.state_file import RunStateFile


@pytest.mark.parametrize("known", [True, False])
def test_both_models_are_judged_and_it_tells_how_far_it_is(
    tmp_path: Path, untrained_model: Path, known: bool
) -> None:
    data, out = write_lits2d(tmp_path / "data", (3, 7)), tmp_path / "run"
    out.mkdir()
    record = RunStateFile(a_job(data, out, excluded=("gone",), config=TINY), "liverseg train")
    shutil.copytree(untrained_model, out / "model")
    add_to_card(out / "model", {"name": "new", "trained_on": ["003"]})
    source = next(s for s in find_sources(data) if s.name == "007")
    labels = source.read().labels
    perfect = evaluate_case("007", labels, labels, None, axial_axis=0).to_json()
    fingerprints = {"fingerprints": {"007": source.fingerprint()}} if known else {}
    (out / HELD_OUT).write_text(json.dumps({"cases": [perfect], **fingerprints}))
    record.enter(RunState.FINISHED, model="model")
    told: list[str] = []
    progress = Progress(lambda _, phase: told.append(phase))
    found = compare_run_apart(out, str(untrained_model), progress)
    assert (found.candidate, found.baseline) == ("new", "untrained")
    (pair,) = found.pairs
    assert found.changed == () if known else ("007",)
    assert pair.candidate.liver == 1.0 if known else pair.candidate == pair.baseline
    assert pair.baseline.liver < 0.9
    assert read_comparison(out) == found
    assert len(set(told)) > 1


def test_what_went_wrong_there_is_told_here(tmp_path: Path) -> None:
    with pytest.raises(LiverSegError, match="holds no training"):
        compare_run_apart(tmp_path, "default", Progress())


def test_it_is_cancelled_at_once(tmp_path: Path) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        compare_run_apart(tmp_path, "default", progress)
