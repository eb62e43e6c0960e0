"""The worst slices of a training as a file beside its model.

The window draws them, and opens the scans they are in.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.evaluation.worst_slices import WorstSlice
from liverseg_gui.system.atomic_write import atomic_write, not_written
from liverseg_gui.system.regular_file import open_regular
from training.data.case import CaseSource

_PICTURES = {"images": "shade", "truth": "truth", "found": "found"}


@dataclass(frozen=True, eq=False)
class SavedSlice:
    """A worst slice, and the scan it is in: None where there is none that the viewer opens.

    `slice.index` counts the axial slices of the volume as the viewer does, from 0. `volume` counts
    the volumes of `scan`, from 1, where there are several.
    """

    slice: WorstSlice
    scan: Path | None = None
    volume: int | None = None


def save_worst(path: Path, worst: Sequence[WorstSlice], sources: Sequence[CaseSource] = ()) -> None:
    """Write `worst` to `path` as npz, whole or not at all; `sources` say where the scans lie.

    `images`, `truth` and `found` are uint8 (n, rows, columns), smaller slices padded with 0 at
    the bottom and the right; `sizes` (n, 2) are their own rows and columns. Beside them stand, one
    a slice, `names`, `indices`, `dice`, `wrong`, `pixel_mm` (n, 2), `scans` ("" for none) and
    `volumes` (0 for the only one).

    Raises:
        SaveError: it could not be written.
    """
    places = {source.name: _place(source) for source in sources}
    none: tuple[str, int] = ("", 0)
    arrays: dict[str, NDArray[Any]] = {
        name: _stacked([_picture(slice_, field) for slice_ in worst])
        for name, field in _PICTURES.items()
    }
    arrays |= {
        "sizes": np.array([slice_.truth.shape for slice_ in worst], np.int64).reshape(-1, 2),
        "names": np.array([slice_.name for slice_ in worst], np.str_),
        "indices": np.array([slice_.index for slice_ in worst], np.int64),
        "dice": np.array([slice_.score for slice_ in worst], np.float64),
        "wrong": np.array([slice_.wrong for slice_ in worst], np.int64),
        "pixel_mm": np.array([slice_.pixel_mm for slice_ in worst], np.float64).reshape(-1, 2),
        "scans": np.array([places.get(slice_.name, none)[0] for slice_ in worst], np.str_),
        "volumes": np.array([places.get(slice_.name, none)[1] for slice_ in worst], np.int64),
    }

    with (
        atomic_write(path, not_written(path, "Free some space.")) as beside,
        beside.open("wb") as file,
    ):
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def load_worst(path: Path) -> list[SavedSlice]:
    """The slices that `save_worst` wrote to `path`, the worst first.

    Raises:
        UnreadableFileError: it is missing or damaged.
    """
    try:
        with open_regular(path) as packed, np.load(packed, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        return [_saved(arrays, n) for n in range(len(arrays["names"]))]
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(
            f"{path} is missing or damaged: the worst slices cannot be shown. Their pictures are "
            "also in held_out.html beside it."
        ) from error


def _saved(arrays: Mapping[str, NDArray[Any]], n: int) -> SavedSlice:
    rows, columns = arrays["sizes"][n]
    shade, truth, found = (arrays[name][n, :rows, :columns] for name in _PICTURES)
    row_mm, column_mm = map(float, arrays["pixel_mm"][n])
    slice_ = WorstSlice(
        str(arrays["names"][n]),
        int(arrays["indices"][n]),
        float(arrays["dice"][n]),
        int(arrays["wrong"][n]),
        found,
        truth,
        shade,
        (row_mm, column_mm),
    )
    scan, volume = str(arrays["scans"][n]), int(arrays["volumes"][n])
    return SavedSlice(slice_, Path(scan) if scan else None, volume or None)


def _place(source: CaseSource) -> tuple[str, int]:
    """The scan and the number of its volume; pictures and packed folders are none to open."""
    # late: the window draws the slices, and starts without what reads scans
    from training.data.merge_datasets import RenamedCase
    from training.data.volume_case import VolumeCase

    if isinstance(source, RenamedCase):
        return _place(source.source)
    if not isinstance(source, VolumeCase):
        return "", 0
    return str(source.scan.absolute()), source.volume or 0


def _picture(slice_: WorstSlice, field: str) -> NDArray[np.uint8]:
    picture: NDArray[np.uint8] | None = getattr(slice_, field)
    return np.zeros_like(slice_.truth) if picture is None else picture


def _stacked(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    rows, columns = (max((p.shape[axis] for p in pictures), default=0) for axis in (0, 1))
    out = np.zeros((len(pictures), rows, columns), np.uint8)
    for place, picture in zip(out, pictures, strict=True):
        place[: picture.shape[0], : picture.shape[1]] = picture
    return out
