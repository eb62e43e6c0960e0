"""`liverseg self-test`: checks of this installation on a phantom, offline."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui import __version__
from liverseg_gui.cli.console import has_display, say
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.system.relaunch import is_packaged
from liverseg_gui.system.temporary_files import temporary_folder

if TYPE_CHECKING:
    from liverseg_gui.cli.self_test.bench import Bench
    from liverseg_gui.cli.self_test.checks import Check


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("self-test", help="check that this installation works")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep all that it writes here")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry out every check, print a line for each, and return 1 where one failed."""
    from liverseg_gui.cli.self_test.bench import Bench
    from liverseg_gui.cli.self_test.checks import CHECKS

    kind = "packaged" if is_packaged() else "from source"
    say(f"LiverSeg {__version__}, {kind}")
    with _folder(arguments.keep) as folder, _own_home(folder / "home"):
        bench = Bench(folder)
        failed = [check.name for check in CHECKS if not _passes(check, bench)]
    if failed:
        say(f"FAILED: {', '.join(failed)}")
        return 1
    say(f"All {len(CHECKS)} checks passed.")
    return 0


def _passes(check: Check, bench: Bench) -> bool:
    """Whether `check` found nothing wrong; whatever goes wrong is a finding, and printed."""
    began = time.monotonic()
    try:
        text, status = check.run(bench), "ok"
    except LiverSegError as error:
        text, status = " ".join(str(error).split()), "FAILED"
    except Exception as error:
        text, status = f"{type(error).__name__}: {' '.join(str(error).split())}", "FAILED"
    say(f"{status:<7}{check.name}: {text} ({time.monotonic() - began:.1f} s)")
    return status == "ok"


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with temporary_folder() as folder:
        yield folder


@contextmanager
def _own_home(home: Path) -> Iterator[None]:
    """Settings, models and logs of the test stay apart from the reader's and the site's."""
    before = dict(os.environ)
    os.environ["LIVERSEG_HOME"] = str(home)
    os.environ["LIVERSEG_SITE"] = str(home / "site")
    if not has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
