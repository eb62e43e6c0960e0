from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.progress import Progress
from liverseg_gui.system import memory_usage
from liverseg_gui.system.child_process import call_in_child
from liverseg_gui.system.memory_usage import (
    available_memory,
    is_out_of_memory,
    memory_mb,
    peak_memory_mb,
)


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory_usage, "_CONTAINER", tmp_path)
    return tmp_path


def limit(container: Path, most: str, taken: int) -> None:
    (container / "memory.max").write_text(f"{most}\n")
    (container / "memory.current").write_text(f"{taken}\n")


def hold_300_mb(_: Progress) -> tuple[float, float, float, float]:
    before = memory_mb()
    block = bytearray(b"1") * 300_000_000
    held = memory_mb()
    del block
    return before, held, memory_mb(), peak_memory_mb()


def test_a_process_holds_what_it_asks_for_and_has_held_it() -> None:
    before, held, after, peak = call_in_child(
        hold_300_mb, Progress(), "Starting", LiverSegError("It ended.")
    )
    assert 250 < held - before < 350
    assert after < before + 50
    assert peak > before + 250


def test_no_more_is_free_than_there_is() -> None:
    assert 0 < available_memory() < psutil.virtual_memory().total


@pytest.mark.parametrize(("taken", "left"), [(900, 100), (1000, 0), (1200, 0)])
def test_a_container_allows_less(container: Path, taken: int, left: int) -> None:
    limit(container, "1000", taken)
    assert available_memory() == left


@pytest.mark.parametrize("most", ["max", str(2**62)])
def test_a_container_without_a_limit_or_with_a_large_one_changes_nothing(
    container: Path, most: str
) -> None:
    limit(container, most, 0)
    assert available_memory() > 1000


def test_without_a_container_the_computer_is_asked(container: Path) -> None:
    assert available_memory() > 1000


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (MemoryError(), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("could not create a primitive"), True),
        (RuntimeError("could not create a primitive descriptor for a convolution"), False),
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (RuntimeError("can't start new thread"), True),
        (ValueError("a file is damaged"), False),
        (LiverSegError("There is not enough memory for a batch. Halve it."), False),
    ],
)
def test_what_libraries_say_of_memory_is_understood(problem: Exception, expected: bool) -> None:
    assert is_out_of_memory(problem) is expected
    wrapped = LiverSegError("The weights are damaged.")
    wrapped.__cause__ = problem
    assert is_out_of_memory(wrapped) is expected


@pytest.mark.skipif(sys.platform != "linux", reason="has no such limit")
def test_a_limit_too_low_for_the_program_is_one_line_and_no_cancellation() -> None:
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (270 << 20,) * 2);"
        "from liverseg_gui.cli.main import main; sys.exit(main(['info', 'x.nii']))"
    )
    run = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.startswith("liverseg: This process may take 283 MB of memory")
    assert run.stderr.count("\n") == 1
