"""Store of models: adding, removing and exporting.

What is added is checked whole, copied beside its place and renamed, so that a program that was
killed leaves no half model.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from liverseg_gui.core.errors import ModelError, NameTakenError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.card import (
    CARD,
    WEIGHTS,
    ModelCard,
    name_problem,
    parse_card,
    read_card,
)
from liverseg_gui.segmentation.models.registry import (
    InstalledModel,
    ModelChoice,
    ModelSource,
    find_installed,
    find_model,
    is_built_in,
    models_folder,
    read_weights,
)
from liverseg_gui.segmentation.models.weights_check import (
    expected_shapes,
    most_bytes,
    require_shapes,
)
from liverseg_gui.segmentation.models.weights_file import (
    MOST_WEIGHTS_BYTES,
    Shapes,
    checksum,
    is_foreign_weights,
    read_shapes,
    why_refused,
)
from liverseg_gui.segmentation.models.zip_file import (
    DAMAGED,
    model_members,
    read_card_text,
    unpack_member,
    write_model_zip,
)
from liverseg_gui.system.permissions import make_shared_folder, share
from liverseg_gui.system.regular_file import open_regular

_HALF = ".half-"
_OLD_SECONDS = 86_400.0
_CHUNK = 1 << 20
_ELSEWHERE = {
    ModelSource.SITE: "is for all users: an administrator removes it, with --all-users.",
    ModelSource.USER: "is yours alone: it is removed without --all-users.",
}
ExpectedShapes = Callable[[ModelCard, Progress], Shapes]


def add_model(
    path: Path,
    name: str | None = None,
    progress: Progress | None = None,
    shapes_of: ExpectedShapes = expected_shapes,
    place: ModelSource = ModelSource.USER,
) -> InstalledModel:
    """Add the model folder or zip at `path` to the reader's models, under `name` or its own.

    `shapes_of` says which tensors a network has: `expected_shapes`, or its like in a process.
    With the `place` for all users it is theirs, and readable for each of them.

    Raises:
        ModelError: it is no model, is damaged, does not fit together, or its name is taken.
        Cancelled: `progress` was cancelled; nothing is left.
    """
    progress = progress or Progress()
    if path.is_dir():
        return _add_folder(path, name, progress, shapes_of, place)
    if not path.exists():
        raise ModelError(f"{path} does not exist. Name a model folder, or the zip of one.")
    if is_foreign_weights(path):
        raise ModelError(why_refused(path))
    if path.name in (CARD, WEIGHTS):
        raise ModelError(f"{path} is a part of a model. Name its folder, {path.parent}.")
    return _add_zip(path, name, progress, shapes_of, place)


def _add_folder(
    path: Path, name: str | None, progress: Progress, shapes_of: ExpectedShapes, place: ModelSource
) -> InstalledModel:
    _require_model_folder(path)
    card = read_card(path)
    new_name = _free_name(card, name, place)
    expected = _expected(card, (path / WEIGHTS).stat().st_size, shapes_of, progress)
    with _half_made(new_name, place) as half:
        _copy(path / WEIGHTS, half / WEIGHTS, progress.part(0.3, 0.7))
        return _finish(half, card, new_name, expected, progress.part(0.7, 1.0), place)


def _require_model_folder(path: Path) -> None:
    """Say what a folder is where it is no model.

    Raises:
        ModelError: it is none.
    """
    names = sorted(entry.name for entry in path.iterdir())
    missing = [name for name in (CARD, WEIGHTS) if not (path / name).is_file()]
    foreign = next((path / name for name in names if is_foreign_weights(Path(name))), None)
    if missing and foreign is not None:
        raise ModelError(why_refused(foreign))
    if missing and (path / "model" / CARD).is_file():
        raise ModelError(f"{path} is the folder of a training. The model is {path / 'model'}.")
    if missing:
        raise ModelError(
            f"{path} is no model: there is no {' and no '.join(missing)} in it. `liverseg train` "
            "writes a model folder, OUT/model."
        )


def _add_zip(
    path: Path, name: str | None, progress: Progress, shapes_of: ExpectedShapes, place: ModelSource
) -> InstalledModel:
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            members = model_members(archive, path)
            card = parse_card(read_card_text(archive, members[CARD], path), path)
            new_name = _free_name(card, name, place)
            expected = _expected(card, members[WEIGHTS].file_size, shapes_of, progress)
            with _half_made(new_name, place) as half:
                part = progress.part(0.3, 0.7)
                unpack_member(archive, members[WEIGHTS], half / WEIGHTS, part)
                return _finish(half, card, new_name, expected, progress.part(0.7, 1.0), place)
    except DAMAGED as error:
        raise ModelError(
            f"{path} is no zip archive, is damaged or is encrypted. Add a model folder, or the "
            "zip that `liverseg models export` writes."
        ) from error


def _free_name(card: ModelCard, requested: str | None, place: ModelSource) -> str:
    """The name a model is added under. A model for all users may be called as one user's is.

    Raises:
        NameTakenError: it cannot be a name, or another model has it.
    """
    name = unicodedata.normalize("NFC", requested.strip() if requested is not None else card.name)
    if problem := name_problem(name):
        raise NameTakenError(f"{problem[0].upper()}{problem[1:]}. Give it another name.")
    if is_built_in(name):
        raise NameTakenError(
            f"{name!r} is the name of a model that comes with the program and stays its own. Add "
            "this one under another name."
        )
    taken = find_installed(name, None if place is ModelSource.USER else place)
    if taken is not None:
        whose = " for all users" if taken.place is ModelSource.SITE else ""
        raise NameTakenError(
            f"There is a model {name!r}{whose} already. Add this one under another name, or remove "
            "the other one first."
        )
    return name


def _expected(card: ModelCard, size: int, shapes_of: ExpectedShapes, progress: Progress) -> Shapes:
    """The tensors that the card's network has; weights that cannot be theirs are not copied.

    Raises:
        ModelError: the weights are larger than any of that network, or than the disk has room for.
    """
    expected = shapes_of(card, progress.part(0.0, 0.3))
    if size > min(most_bytes(expected), MOST_WEIGHTS_BYTES):
        raise ModelError(
            f"{card.weights} has {size / 1e6:,.0f} MB, more than any weights of "
            f"{card.architecture!r}. It is not read; ask whoever made the model for a whole one."
        )
    return expected


@contextmanager
def _half_made(name: str, place: ModelSource) -> Iterator[Path]:
    """A folder beside the models for what is not whole yet; it is gone afterwards.

    Raises:
        ModelError: nothing can be written there.
    """
    folder = models_folder(place)
    half = folder / _half_name(name)
    try:
        if place is ModelSource.SITE:
            make_shared_folder(folder)
        half.mkdir(parents=True)
        _sweep(folder)
        yield half
    except OSError as error:
        raise ModelError(
            f"The model could not be copied to {folder}: {error.strerror or error}. "
            f"{_remedy(place, error, 'Free some space or look to its permissions')}; nothing was "
            "changed."
        ) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _half_name(name: str) -> str:
    """A name that no other process has: computers that share the folder may have one process id."""
    return f"{_HALF}{secrets.token_hex(4)}-{name}"


def _remedy(place: ModelSource, error: OSError, otherwise: str) -> str:
    if place is ModelSource.SITE and isinstance(error, PermissionError):
        return "What all users use is changed by an administrator"
    return otherwise


def _sweep(place: Path) -> None:
    """Remove what was left half made long ago by a program that was killed."""
    for left in place.glob(f"{_HALF}*"):
        with suppress(FileNotFoundError):  # its program put it in its place just now
            if time.time() - left.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _copy(source: Path, target: Path, progress: Progress) -> None:
    size, done = max(source.stat().st_size, 1), 0
    with open_regular(source) as file, target.open("wb") as copy:
        while chunk := file.read(_CHUNK):
            progress.update(min(done / size, 1.0), "Copying the weights")
            done += len(chunk)
            copy.write(chunk)


def _finish(
    half: Path, card: ModelCard, name: str, expected: Shapes, progress: Progress, place: ModelSource
) -> InstalledModel:
    """Check the copy in `half`, write its card and put it in its place.

    Raises:
        ModelError: the weights are not whole, or not those of the card.
    """
    require_shapes(card, read_shapes(half / WEIGHTS, card.weights), expected)
    if checksum(half / WEIGHTS, progress) != card.sha256:
        raise ModelError(
            f"The weights {card.weights} are damaged or of another model: their checksum is not "
            "the one on the card. Get the model again from where it came from."
        )
    text = json.dumps({**card.about, "name": name}, indent=1) + "\n"
    (half / CARD).write_text(text, encoding="utf-8")
    if place is ModelSource.SITE:
        for path in (*half.iterdir(), half):
            share(path)
    half.rename(models_folder(place) / name)
    added = find_installed(name, place)
    assert added is not None  # it was put there just now
    return added


def remove_model(
    name: str, settings: ModelChoice, place: ModelSource = ModelSource.USER
) -> InstalledModel:
    """Remove a model that was added; where `settings` chose it, they choose none any more.

    Raises:
        ModelError: it comes with the program, is not there or not in `place`, or cannot be removed.
    """
    model = find_installed(name, place) or find_installed(name)
    if model is None:
        find_model(name)
        raise ModelError(f"{name} is a folder and no installed model. Delete it as any folder.")
    if model.built_in:
        raise ModelError(
            f"{model.name!r} comes with the program and stays. Another model can be chosen in its "
            "place."
        )
    if model.place is not place:
        raise ModelError(f"{model.name!r} {_ELSEWHERE[model.place]}")
    going = model.folder.with_name(_half_name(model.name))
    try:
        model.folder.rename(going)
    except OSError as error:
        raise ModelError(
            f"{model.folder} could not be removed: {error.strerror or error}. "
            f"{_remedy(place, error, 'Close the program that uses it and try again')}."
        ) from error
    shutil.rmtree(going, ignore_errors=True)
    if settings.model == model.name:
        settings.choose_model("")
    return model


def export_as_zip(name: str, path: Path, progress: Progress | None = None) -> ModelCard:
    """Write the model `name` to the zip `path`, to be added on another workstation.

    Raises:
        ModelError: there is no such model, or it is damaged.
        SaveError: it could not be written.
        Cancelled: `progress` was cancelled; nothing is left.
    """
    card = find_model(name)
    write_model_zip(card, read_weights(card), path, progress or Progress())
    return card
