"""What the packaged program does before anything else."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest
import start


def test_without_a_console_what_is_written_is_lost_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = sys.stderr
    monkeypatch.setattr(sys, "stdout", None)
    start.have_streams()
    with sys.stdout as stream:
        assert stream.write("lost")
        assert not stream.isatty()
    assert sys.stderr is there


def test_what_the_finder_of_older_macos_adds_is_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["liverseg", "-psn_0_12345", "scan.nii"])
    start.forget_finders_word()
    assert sys.argv == ["liverseg", "scan.nii"]


@pytest.mark.parametrize("before", [None, "/opt/lib"])
def test_programs_of_the_system_get_their_own_library_path(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/liverseg/_internal")
    monkeypatch.setenv("PYINSTALLER_RESET_ENVIRONMENT", "0")
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    if before:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    start.forget_library_path()
    assert os.environ.get("LD_LIBRARY_PATH") == before
    assert os.environ["PYINSTALLER_RESET_ENVIRONMENT"] == "1"


@pytest.mark.parametrize("there", [True, False])
def test_torchs_smallest_library_is_loaded_where_it_can_be(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def load(library: str) -> None:
        asked.append(library)
        if not there:
            raise OSError(library)

    monkeypatch.setattr(sys, "_MEIPASS", "_internal", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", load)
    start.load_torchs_runtime_first()
    assert asked == [os.path.join("_internal", "torch", "lib", "c10.dll")]
