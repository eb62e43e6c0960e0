"""The file of validation images: the slices, their reference and the prediction."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.system.atomic_write import atomic_write, not_written, save_errors
from liverseg_gui.system.regular_file import open_regular


@dataclass(frozen=True, eq=False)
class ValidationImages:
    """Slices as the network sees them, with the patient's right on the left.

    `images` are grey, `truth` and `found` labels (0 background, 1 liver, 2 tumor), all uint8 (n,
    rows, columns); `names` say which case and slice (from 0) each is: "007 31".
    """

    images: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    found: NDArray[np.uint8]
    names: tuple[str, ...]


def write_validation_images(path: Path, images: ValidationImages) -> None:
    """Write `images` as .npz, whole or not at all.

    Raises:
        SaveError: it could not be written.
    """
    with save_errors(not_written(path)):
        path.parent.mkdir(exist_ok=True)
    with atomic_write(path) as beside, beside.open("wb") as file:
        np.savez_compressed(
            file,
            images=images.images,
            truth=images.truth,
            found=images.found,
            names=np.array(images.names),
        )


def read_validation_images(path: Path) -> ValidationImages:
    """The pictures in `path`.

    Raises:
        UnreadableFileError: it is missing or damaged.
    """
    try:
        with open_regular(path) as file, np.load(file) as stored:
            images, truth, found = (stored[name] for name in ("images", "truth", "found"))
            names = tuple(str(name) for name in stored["names"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(f"{path} is missing or damaged.") from error
    if not images.shape == truth.shape == found.shape or len(images) != len(names):
        raise UnreadableFileError(f"{path} is damaged: it has more pictures than names.")
    return ValidationImages(images, truth, found, names)
