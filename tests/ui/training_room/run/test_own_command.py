"""The program starts itself, as a script and when it is built."""

from __future__ import annotations

import sys

import pytest

from liverseg_gui.ui.training_room.own_command import own_command


def test_a_script_is_run_by_its_python() -> None:
    assert own_command() == (sys.executable, "-m", "liverseg_gui")


def test_a_built_program_is_the_command_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command() == (sys.executable,)
