"""How the program starts itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from liverseg_gui import __version__
from liverseg_gui.system.relaunch import own_command

ROOT = Path(__file__).parents[2]


def test_from_source_python_runs_the_program() -> None:
    command = own_command("--version")
    assert command == [sys.executable, "-m", "liverseg_gui", "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"liverseg {__version__}"


@pytest.mark.parametrize(
    ("running", "started"),
    [
        ("/opt/liverseg/liverseg", "/opt/liverseg/liverseg"),
        ("/opt/liverseg/liverseg-window.exe", "/opt/liverseg/liverseg.exe"),
    ],
)
def test_packaged_the_program_with_streams_is_the_command(
    monkeypatch: pytest.MonkeyPatch, running: str, started: str
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", running)
    assert own_command("train", "--json") == [str(Path(started)), "train", "--json"]


def test_no_other_module_makes_such_a_command_of_its_own() -> None:
    own = ROOT / "liverseg_gui" / "system" / "relaunch.py"
    modules = [*ROOT.glob("liverseg_gui/**/*.py"), *ROOT.glob("training/**/*.py")]
    assert own in modules
    assert [m for m in modules if m != own and "sys.executable" in m.read_text("utf-8")] == []
