"""The request for a training, and the command that carries it out."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from liverseg_gui.cli.main import command_parser
from liverseg_gui.cli.train import _job
from tests.training.tiny import TINY
from training.config.config_file import write_config_file
from training.data.selection import DataSelection
from training.runs.files import RECIPE
from training.runs.training_job import TrainingJob


def job(out: Path) -> TrainingJob:
    """One with nothing left at its default."""
    return TrainingJob(
        out=out,
        data=DataSelection(
            folders=(out / "site A", out / "site B"),
            corrected=True,
            excluded=("-7", "two words"),
            folds=3,
            fold=2,
            seed=9,
            split_file=out / "split.json",
        ),
        name="-mine",
        phantoms=1,
        config=replace(TINY, synthetic=None, start_from="other", epochs=4),
        notes={"data": "ours = good"},
        fine_tune=True,
    )


def test_the_command_asks_for_the_same_job(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    write_config_file(wanted.config, tmp_path / RECIPE)
    asked = _job(command_parser().parse_args(wanted.arguments()))
    assert replace(asked, fine_tune=True) == wanted


def test_the_command_line_is_quoted_for_a_shell(tmp_path: Path) -> None:
    line = job(tmp_path).command_line()
    assert line.startswith("liverseg train --improve --data ")
    assert f"'{tmp_path / 'site A'}'" in line


def test_a_job_comes_back_from_json_as_it_was(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    assert TrainingJob.from_json(json.loads(json.dumps(wanted.to_json()))) == wanted


def test_what_the_window_needs_of_a_training_loads_no_torch() -> None:
    root = Path(__file__).parents[3]
    runs = [f"training.runs.{module.stem}" for module in (root / "training" / "runs").glob("*.py")]
    words = (
        f"import sys, training.config.config_file, {', '.join(runs)}; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", words], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
