"""Entry point: `liverseg [PATH]` opens the window, `liverseg COMMAND ...` works without one."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence

from liverseg_gui import __version__
from liverseg_gui.cli import train
from liverseg_gui.core.errors import Cancelled, LiverSegError

_COMMANDS = (train,)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 failed, 2 wrong usage, 130 cancelled."""
    multiprocessing.freeze_support()
    words = list(sys.argv[1:] if argv is None else argv)
    parser = _parser()
    arguments = parser.parse_args(words)
    try:
        return int(arguments.run(arguments))
    except LiverSegError as error:
        print(f"liverseg: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except (Cancelled, KeyboardInterrupt):
        print("liverseg: cancelled", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="liverseg",
        description="Liver and tumor segmentation in abdominal CT. Research use only.",
    )
    parser.add_argument("--version", action="version", version=f"liverseg {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser
