"""The registry of the trainings on this computer, wherever their folders are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

from liverseg_gui.core.errors import SaveError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.file_lock import locked
from liverseg_gui.system.paths import data_folder
from training.runs.folder import RunRecord, read_run

_LIST, _FOLDER = "trainings.json", "trainings"


def known_runs() -> list[RunRecord]:
    """The trainings that are remembered, the latest first; what is gone is left out."""
    runs = []
    for out in _read():
        try:
            runs.append(read_run(out))
        except UnreadableFileError:
            continue
    return sorted(runs, key=lambda run: run.started, reverse=True)


def register_run(out: Path) -> None:
    """Keep in mind that there is a training in `out`.

    Raises:
        SaveError: the list cannot be written.
    """
    place = out.absolute()
    _change(lambda folders: [place, *(folder for folder in folders if folder != place)])


def unregister_run(out: Path) -> None:
    """Take the training in `out` off the list; its files stay.

    Raises:
        SaveError: the list cannot be written.
    """
    place = out.absolute()
    _change(lambda folders: [folder for folder in folders if folder != place])


def new_run_folder(name: str) -> Path:
    """A fresh folder for a training called `name`, below the program's own data.

    Raises:
        SaveError: it cannot be made.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:60].strip("-") or "training"
    for number in count(1):
        out = data_folder() / _FOLDER / (plain if number == 1 else f"{plain}-{number}")
        try:
            out.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise SaveError(
                f"{out} could not be made: {error.strerror}. Choose another folder."
            ) from error
        return out
    raise AssertionError


def _read() -> list[Path]:
    try:
        folders = parse_json((data_folder() / _LIST).read_text("utf-8"))["folders"]
        return [Path(folder) for folder in folders]
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _change(change: Callable[[list[Path]], list[Path]]) -> None:
    """Several programs may change the list at the same time."""
    path = data_folder() / _LIST
    with locked(path):
        folders = [str(folder) for folder in change(_read())]
        write_text(path, json.dumps({"folders": folders}, indent=1) + "\n")
