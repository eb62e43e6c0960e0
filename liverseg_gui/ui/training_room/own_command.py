"""How this program starts itself for work in a process of its own."""

from __future__ import annotations

import sys


def own_command() -> tuple[str, ...]:
    """What stands before the words of a `liverseg` command line."""
    frozen = bool(getattr(sys, "frozen", False))  # a built program is the command itself
    return (sys.executable,) if frozen else (sys.executable, "-m", "liverseg_gui")
