"""The window's process never loads a library of networks, wherever its reader goes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training import layouts
from tests.training.layouts import small
from tests.ui.training_window.results.conftest import figures, run_at

ROOT = Path(__file__).parents[3]
ON_A_DISPLAY = ("xvfb-run", "-a", "-s", "-screen 0 1280x1000x24 +extension GLX")


def test_a_tour_of_the_whole_program_loads_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With OpenGL where it can be had: there a library that is loaded ends the program."""
    display = ON_A_DISPLAY if shutil.which(ON_A_DISPLAY[0]) else ()
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))
    layouts.pair(small(1), tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz")
    layouts.decathlon(tmp_path / "data", tuple(range(1, 8)))
    run_at(tmp_path / "run", [figures("liver_1", 2), figures("liver_2", 4)])
    places = {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "xcb" if display else "offscreen"}
    done = subprocess.run(
        [*display, sys.executable, "-m", "tests.ui.app.tour", str(tmp_path)],
        **{"cwd": tmp_path, "env": {**os.environ, **places}},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["loaded"] == []
    assert told["problems"] == []
    rooms = {"licenses", "models", "data", "recipe", "fine-tune", "run", "result"}
    assert rooms <= set(told["visited"])
