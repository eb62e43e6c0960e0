"""How long commands take from their start to a window on an X display, side by side.

`xvfb-run -s -noreset python tools/start_time.py dist/liverseg/liverseg .venv/bin/liverseg`: the
commands take turns, so that what else the computer does slows both. Needs xwininfo.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

_TURNS = 6
"""The first is told apart: files are read from the disk then."""
_LONGEST_S = 120
_WINDOW = re.compile(rb'"[^"]*LiverSeg[^"]*".*\) +([0-9]{3,})x([0-9]{3,})')


def start_s(command: str, home: str) -> float:
    """Seconds until `command` has a window; it is ended then."""
    environment = {**os.environ, "LIVERSEG_HOME": home, "QT_QPA_PLATFORM": "xcb"}
    began = time.monotonic()
    process = subprocess.Popen([command], env=environment, stderr=subprocess.DEVNULL)
    try:
        while not _WINDOW.search(_tree()):
            if process.poll() is not None or time.monotonic() - began > _LONGEST_S:
                raise SystemExit(f"{command} shows no window.")
        return time.monotonic() - began
    finally:
        process.kill()
        process.wait()


def _tree() -> bytes:
    """What X shows; a window that goes meanwhile makes xwininfo fail, and is no news."""
    return subprocess.run(["xwininfo", "-root", "-tree"], capture_output=True).stdout


def main() -> None:
    """Print first, least and median seconds of each command."""
    commands = sys.argv[1:]
    took: dict[str, list[float]] = {command: [] for command in commands}
    with tempfile.TemporaryDirectory() as home:
        for _ in range(_TURNS):
            for command in commands:
                took[command].append(start_s(command, home))
    for command, (first, *later) in took.items():
        print(
            f"{command}: first {first:.2f} s, then {min(later):.2f} s at best, "
            f"{statistics.median(later):.2f} s in the middle"
        )


if __name__ == "__main__":
    main()
