"""A program run as on a workstation that has nothing else of it: no Python, home, network, display.

`python -m tests.package.bare PROGRAM WORDS...` does so, too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

_SYSTEM_PATH = "/nonexistent"
"""No directory: whatever the program starts but itself is not found."""


def offline() -> list[str]:
    """What comes before a command to take the network away from it; empty where that is refused."""
    for words in (["unshare", "-n", "--"], ["unshare", "-rn", "--"]):
        program = shutil.which(words[0])
        if (
            program
            and not subprocess.run([program, *words[1:], "true"], capture_output=True).returncode
        ):
            return [program, *words[1:]]
    return []


def bare(command: Sequence[str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run `command` with an empty `home` and no more of an environment than that."""
    environment = {"HOME": str(home), "PATH": _SYSTEM_PATH, "LANG": "C.UTF-8"}
    return subprocess.run(
        [*offline(), *command],
        env=environment,
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        done = bare([str(Path(sys.argv[1]).absolute()), *sys.argv[2:]], Path(empty))
    print(done.stdout, end="")
    raise SystemExit(done.returncode)
