"""Entry point: `liverseg [PATH]` opens the window, `liverseg COMMAND ...` works without one."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import multiprocessing
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from liverseg_gui import __version__
from liverseg_gui.cli.console import has_display, say
from liverseg_gui.core.errors import Cancelled, LiverSegError, system_error_text
from liverseg_gui.system.devices import DEVICES
from liverseg_gui.system.memory_usage import NO_MEMORY, is_out_of_memory, require_memory
from liverseg_gui.system.plain_text import one_line
from liverseg_gui.system.temporary_files import sweep_temporary


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0, 1 failed, 2 wrong usage, 130 cancelled."""
    multiprocessing.freeze_support()  # first: children of a frozen program start here, too
    _make_streams_usable()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        require_memory()
        sweep_temporary()
        if _opens_window(words):
            if words and _is_no_path(words[0]):
                return _no_command(words[0])
            return _window(words)
        _enable_fault_handler()
        arguments = command_parser().parse_args(words)
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except (Cancelled, KeyboardInterrupt):
        say("liverseg: cancelled", stream=sys.stderr)
        if argv is None and words[:1] == ["segment"]:
            _leave_at_once(130)
        return 130
    except Exception as error:
        if is_out_of_memory(error):
            say(f"liverseg: {NO_MEMORY}", stream=sys.stderr)
        elif isinstance(error, LiverSegError):
            say(f"liverseg: {' '.join(str(error).split())}", stream=sys.stderr)
        elif not isinstance(error, OSError):
            raise
        elif not (isinstance(error, BrokenPipeError) and _reader_is_gone()):
            say(f"liverseg: {system_error_text(error)}", stream=sys.stderr)
        return 1


def _make_streams_usable() -> None:
    """A windowed program has no standard streams, and fastprogress asks for them on import."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names need not fit the console


def _reader_is_gone() -> bool:
    """Whether nobody reads our output any more, as where `head` has enough; the rest is dropped."""
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _enable_fault_handler() -> None:
    """Have a crash in native code print on stderr where it was: a training's goes to stderr.txt."""
    if not faulthandler.is_enabled():
        with contextlib.suppress(RuntimeError, OSError, ValueError):  # no stream to write to
            faulthandler.enable()


def _leave_at_once(code: int) -> NoReturn:
    """End the process without taking torch apart, which takes a second or two."""
    from liverseg_gui.io.archives import remove_unpacked

    remove_unpacked()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(code)


def _opens_window(words: list[str]) -> bool:
    """Whether the words name no command: nothing at all, or scan and mask to open."""
    if not words or words[0] in ("--device", "--model"):
        return True
    return not words[0].startswith("-") and words[0] not in _COMMANDS


def _is_no_path(word: str) -> bool:
    """Whether nobody can mean a scan by `word`, which is neither an option nor a command."""
    looks_like_one = word.startswith("-") or any(mark in word for mark in "./\\:")
    return not looks_like_one and not os.path.exists(word)


def _no_command(word: str) -> int:
    """Say that there is nothing called `word`, and what may be meant; returns the exit code."""
    import difflib

    close = difflib.get_close_matches(word.lower(), _COMMANDS, 1)
    meant = f"Did you mean {close[0]!r}?" if close else "`liverseg --help` lists the commands."
    say(f"liverseg: {word!r} is no command, and no file or folder here. {meant}", stream=sys.stderr)
    return 2


class _Parser(argparse.ArgumentParser):
    """Tells of wrong words in a line that does nothing to the terminal."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        super().error(one_line(message))


def window_parser() -> argparse.ArgumentParser:
    """What the window takes, where no command is named."""
    parser = _Parser(prog="liverseg")
    parser.add_argument("path", type=Path, nargs="?", help="scan to open")
    parser.add_argument("mask", type=Path, nargs="?", help="mask to open over it")
    parser.add_argument(
        "--device",
        choices=tuple(DEVICES),
        help="what computes, in place of the one in the preferences",
    )
    parser.add_argument("--model", help="name or folder of a model, in place of the chosen one")
    return parser


def _window(words: list[str]) -> int:
    arguments = window_parser().parse_args(words)
    if not has_display() and "QT_QPA_PLATFORM" not in os.environ:
        raise LiverSegError(
            "There is no display to open a window on. Use `liverseg segment`, or set "
            "QT_QPA_PLATFORM."
        )
    try:
        from liverseg_gui.ui.app.app import run_window
    except ImportError as error:
        missing = any(phrase in str(error) for phrase in _LIBRARY_MISSING)
        if not missing or is_out_of_memory(error):
            raise
        raise LiverSegError(
            f"The window needs a library of the system: {error}. Install it "
            "(docs/troubleshooting.md names the packages), or use `liverseg segment`."
        ) from error

    return run_window(arguments.path, arguments.mask, arguments.model, arguments.device)


_LIBRARY_MISSING = ("shared object", "DLL load failed", "Library not loaded")
"""Phrases of Linux, Windows and macOS for a library that is missing."""

_COMMANDS = (
    "segment",
    "measure",
    "info",
    "models",
    "phantom",
    "demo",
    "train",
    "evaluate",
    "self-test",
)


def command_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    from liverseg_gui.cli import demo, evaluate, info, models, phantom, segment, train
    from liverseg_gui.cli.self_test import command as self_test

    parser = _Parser(
        prog="liverseg",
        usage="liverseg [PATH [MASK]] | liverseg COMMAND ...",
        description="Liver and tumor segmentation in abdominal CT. Research use only.",
        epilog="Without a command the window opens, on the scan at PATH if one is given.",
    )
    parser.add_argument("--version", action="version", version=f"liverseg {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, prog="liverseg"
    )
    for module in (segment, info, models, phantom, demo, train, evaluate, self_test):
        module.add_parser(commands)
    return parser
