"""Command that starts this program as another process: from Python, and packaged."""

from __future__ import annotations

import sys
from pathlib import Path

_CONSOLE_PROGRAM = "liverseg"
"""The executable of the package that has standard streams: its windowed twin has none."""


def own_command(*arguments: str) -> list[str]:
    """The command that runs `liverseg` with these words: program first, then its arguments.

    A packaged program has no Python to give `-m` to: it is the command itself.
    """
    if is_packaged():
        program = Path(sys.executable)
        return [str(program.with_name(_CONSOLE_PROGRAM + program.suffix)), *arguments]
    return [sys.executable, "-m", "liverseg_gui", *arguments]


def is_packaged() -> bool:
    """Whether this is the packaged program, and not Python running its source."""
    return bool(getattr(sys, "frozen", False))
