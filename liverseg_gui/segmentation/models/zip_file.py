"""A model as one zip file, to be carried to another workstation."""

from __future__ import annotations

import json
import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from liverseg_gui.core.errors import ModelError, SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import CARD, MOST_CARD_BYTES, WEIGHTS, ModelCard
from liverseg_gui.segmentation.models.weights_file import is_foreign_weights, why_refused
from liverseg_gui.system.atomic_write import atomic_write, not_written

_CHUNK = 1 << 20
_JUNK_FOLDER, _JUNK = "__MACOSX", (".DS_Store", "Thumbs.db")
"""What file managers put into an archive that a person makes by hand; it is never unpacked."""
DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, RuntimeError, UnicodeDecodeError),
)


def model_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """The card and the weights in the archive at `path`, by their names.

    They stand at the top or in one folder, and nothing else is there.

    Raises:
        ModelError: the archive holds anything else, a name that leads out of it, or a link.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    folders = set()
    for member in archive.infolist():
        place = _place(member, path)
        if member.is_dir() or place.parts[0] == _JUNK_FOLDER or place.name in _JUNK:
            continue
        if is_foreign_weights(Path(place.name)):
            raise ModelError(why_refused(path / place))
        if place.name not in (CARD, WEIGHTS) or len(place.parts) > 2 or place.name in members:
            raise ModelError(
                f"{path} is no model: it holds {str(place)[:80]!r}. The zip of a model holds one "
                f"{CARD} and one {WEIGHTS}, as `liverseg models export` writes it."
            )
        members[place.name] = member
        folders.add(place.parent)
    missing = [name for name in (CARD, WEIGHTS) if name not in members]
    if missing or len(folders) > 1:
        raise ModelError(
            f"{path} is no model: {' and '.join(missing) or 'one folder with both files'} is "
            "missing in it. `liverseg models export` writes the zip of a model."
        )
    return members


def _place(member: zipfile.ZipInfo, path: Path) -> PurePosixPath:
    """Where a member says it belongs.

    Raises:
        ModelError: outside of the archive, or it is a link.
    """
    name = member.filename
    place = PurePosixPath(name)
    leads_out = place.is_absolute() or ".." in place.parts or not place.parts
    if leads_out or "\\" in name or ":" in name or stat.S_ISLNK(member.external_attr >> 16):
        raise ModelError(
            f"{path} is refused: {name[:80]!r} in it leads to a place outside of the archive. Do "
            "not trust it; ask whoever made the model for another."
        )
    return place


def read_card_text(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> str:
    """The text of the card in an archive.

    Raises:
        ModelError: it is too large to be one.
    """
    if member.file_size > MOST_CARD_BYTES:
        raise ModelError(f"{path} is refused: the {CARD} in it is too large for a model card.")
    return archive.read(member).decode("utf-8")


def unpack_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, progress: Progress
) -> None:
    """Write one member to `target`, never more than the archive says it has."""
    done = 0
    with archive.open(member) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            progress.update(done / max(member.file_size, 1), "Unpacking the weights")
            done += len(chunk)
            file.write(chunk)


def write_model_zip(card: ModelCard, weights: bytes, path: Path, progress: Progress) -> None:
    """Write a model to the zip `path`: beside it first, read back, then renamed over it.

    Raises:
        SaveError: it is no zip's name, could not be written, or would replace what is no model.
        Cancelled: `progress` was cancelled; nothing is left.
    """
    if path.suffix.lower() != ".zip":
        raise SaveError(f"{path.name}: a model is exported as .zip. Choose such a name.")
    if not path.parent.is_dir():
        raise SaveError(
            f"{path} could not be written: there is no folder {path.parent}. Choose another."
        )
    if not _is_model_or_nothing(path):
        raise SaveError(f"{path} is no model, and is not replaced.", "Choose another name.")
    text = json.dumps({**card.about, "name": card.name}, indent=1) + "\n"

    problem = not_written(path, "Choose another folder or free some space; nothing was changed.")
    with atomic_write(path, problem) as beside:
        with zipfile.ZipFile(beside, "w") as archive:
            # not by name alone, which would add the time: the same model, other bytes
            archive.writestr(zipfile.ZipInfo(f"{card.name}/{CARD}"), text)
            with archive.open(f"{card.name}/{WEIGHTS}", "w", force_zip64=True) as file:
                for start in range(0, len(weights), _CHUNK):
                    progress.update(start / len(weights), "Exporting the model")
                    file.write(weights[start : start + _CHUNK])
        _require_same(beside, f"{card.name}/{WEIGHTS}", weights, path)


def _is_model_or_nothing(path: Path) -> bool:
    """Whether at `path` is the zip of a model, or nothing to lose."""
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            model_members(archive, path)
    except (ModelError, OSError, *DAMAGED):
        return False
    return True


def _require_same(beside: Path, member: str, weights: bytes, path: Path) -> None:
    with zipfile.ZipFile(beside) as archive:
        if archive.read(member) != weights:
            raise SaveError(f"{path} did not read back as it was written. Choose another disk.")
