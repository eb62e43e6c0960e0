"""The deletion of a training: what it wrote, and nothing that others put into its folder."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.system.partial_files import is_partial
from training.runs.files import FILES, IMAGES, LOCK, MODEL, RUN
from training.runs.folder import held, is_held, read_record
from training.runs.registry import unregister_run

_FOLDERS = {
    MODEL: re.compile(r"weights\.safetensors|card\.json"),
    IMAGES: re.compile(r"\d{3,}\.npz"),
}
_KNOWN = re.compile("|".join(map(re.escape, FILES)))
_RECORD = re.compile(re.escape(RUN))
_HALF = re.compile(r"\.(.+)\.\d+|(.+)\.part")
"""What an earlier version that was killed while it wrote a file has left of it."""
_CHECKPOINT_HALF = "checkpoint.part"


def delete_run(out: Path) -> bool:
    """Delete what the training in `out` wrote, and take it off the list of trainings.

    Its lock is held meanwhile, so that nobody goes on with what is half deleted. Returns whether
    the folder is gone too; it stays where there is anything else in it.

    Raises:
        UnreadableFileError: there is no training.
        LiverSegError: it still runs, or a process just begins to go on with it.
        SaveError: something could not be deleted.
    """
    read_record(out)
    if is_held(out):
        raise LiverSegError(f"The training in {out} still runs. Stop it first.")
    try:
        with held(out):
            _delete_written(out)
            with contextlib.suppress(PermissionError):  # Windows: not as long as it is held
                _delete_lock(out)
        _delete_lock(out)
    except OSError as error:
        raise SaveError(
            f"{out} could not be deleted: {error.strerror or error}. Close the program that uses "
            "it, or delete the folder yourself."
        ) from error
    unregister_run(out)
    return not out.exists()


def _delete_written(out: Path) -> None:
    """The record goes last: what could not be deleted can be discarded again."""
    for name, known in _FOLDERS.items():
        folder = out / name
        if folder.is_dir() and not folder.is_symlink():
            _delete_known(folder, known)
            _delete_if_empty(folder)
    _delete_known(out, _KNOWN)
    (out / _CHECKPOINT_HALF).unlink(missing_ok=True)
    _delete_known(out, _RECORD)


def _delete_known(folder: Path, known: re.Pattern[str]) -> None:
    for path in list(folder.iterdir()):
        half = _HALF.fullmatch(path.name)
        name = (half[1] or half[2]) if half else path.name
        ours = known.fullmatch(name) or is_partial(path.name)
        if ours and (path.is_file() or path.is_symlink()):
            path.unlink(missing_ok=True)


def _delete_lock(out: Path) -> None:
    """The lock, and the folder where nothing else is left in it."""
    if out.exists():
        (out / LOCK).unlink(missing_ok=True)
        _delete_if_empty(out)


def _delete_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
