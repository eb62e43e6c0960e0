"""Marks of the NIfTI files that this program writes: what may be replaced without asking.

The field `descrip` holds the program's name, a word for what the file is, and the CRC-32 of its
voxels. So a mask that was made here is known wherever it lies, and one that another program has
changed since is not taken for it. Versions before wrote no marks; but gzip keeps the name that a
file was first written under, and theirs is no other program's.
"""

from __future__ import annotations

import gzip
import re
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from isal import isal_zlib
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.io.formats import gzip_stream
from liverseg_gui.io.formats.nifti import NiftiFile, open_header, read_stored
from liverseg_gui.system.regular_file import open_regular, require_regular

_MOST_LABELS = 128
"""No mask has more different values, and no CT so few."""
_FIRST_NAME = re.compile(rb"\..+\.nii\.gz\.\d+(\.nii)?", re.IGNORECASE | re.DOTALL)
_HEADER_BYTES = 348


class Mark(StrEnum):
    """What a file is."""

    SEGMENTATION = "segmentation"
    """A mask as the model made it: it can be made again."""
    MASK = "mask"
    """A mask that a reader saved."""
    PHANTOM = "phantom"
    """Scan or true mask of a phantom, which its seed makes again."""


def mark_text(mark: Mark, stored: NDArray[Any]) -> bytes:
    """What stands in `descrip` of a file with these voxels, Fortran order."""
    crc = isal_zlib.crc32(stored.ravel(order="F").view(np.uint8))
    return f"LiverSeg {mark}, CRC-32 {crc:08x}".encode()


def is_untouched_segmentation(path: Path) -> bool:
    """Whether `path` bears the mark of a mask that a model made, and nobody reviewed or changed."""
    try:
        text = _description(path)
        return text.startswith(f"LiverSeg {Mark.SEGMENTATION},".encode()) and text == mark_text(
            Mark.SEGMENTATION, read_stored(open_header(path))
        )
    except (LiverSegError, OSError):
        return False


def is_as_made(path: Path, mark: Mark) -> bool:
    """Whether `path` is what this program wrote there, and nobody changed since.

    What was marked so, or by an earlier version, and is cut short is no loss either.
    """
    text = _description(path)
    if text.startswith(f"LiverSeg {mark},".encode()):
        try:
            file = open_header(path)
            return text == mark_text(mark, read_stored(file))
        except (LiverSegError, OSError):
            return True
    return not text and _is_earlier(path, mark)


def require_as_made(path: Path, mark: Mark, grid: StoredGrid | None = None) -> None:
    """Check that what is at `path`, if anything, may be replaced without asking.

    That is a file as this program made it; and on the `grid` of the scan, also a plain mask of
    liver and tumors without a mark, as earlier versions wrote.

    Raises:
        SaveError: it is something else, and would be lost.
    """
    replaced = {mark} if mark is Mark.PHANTOM else {mark, Mark.SEGMENTATION}
    if _is_nothing(path) or any(is_as_made(path, each) for each in replaced):
        return
    what = _what(path)
    if what is None and grid is not None and not _description(path) and _is_plain(path, grid):
        return
    raise SaveError(
        f"{path} is {what or 'a mask that this program did not make, or that was changed since'}"
        ", and is not replaced.",
        "Choose another name, or move it away.",
    )


def require_mask_or_nothing(path: Path) -> None:
    """Check that a reader who agreed to replace what is at `path` loses no scan by it.

    Raises:
        SaveError: it is there, and no mask.
    """
    if not _is_nothing(path) and (what := _what(path)):
        raise SaveError(f"{path} is {what}, and is not replaced.", "Choose another name.")


def _is_nothing(path: Path) -> bool:
    """Whether nothing is at `path`, or a file without content, as a loss of power leaves it."""
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


def _what(path: Path) -> str | None:
    """What is at `path`, where that is no mask."""
    if path.is_dir():
        return "a folder"
    try:
        file = open_header(path)
        return None if file.count == 1 and _holds_labels(file) else "a scan, or no mask of labels"
    except (LiverSegError, OSError):
        own = _description(path).startswith(b"LiverSeg ") or _is_earlier(path)
        return None if own else "no mask that can be read"


def _holds_labels(file: NiftiFile) -> bool:
    """Whether the voxels are few different whole numbers."""
    if file.color or (file.slope, file.inter) != (1, 0):
        return False
    counts = np.zeros(256, np.int64)
    plane = np.empty(file.grid.shape[:2], file.dtype, order="F")
    with gzip_stream.opened(file.data_path, file.compressed, file.offset) as stream:
        for _ in range(file.grid.shape[2]):
            gzip_stream.fill(stream, plane)
            if not (plane.min() >= 0 and plane.max() <= 255):  # no number is neither
                return False
            labels = plane.astype(np.uint8)
            if not np.array_equal(labels, plane):
                return False
            counts += np.bincount(labels.ravel(order="K"), minlength=256)
    return int(np.count_nonzero(counts)) <= _MOST_LABELS


def _is_plain(path: Path, grid: StoredGrid) -> bool:
    """Whether `path` is as this program writes masks: liver and tumor in 8 bits, on the `grid`."""
    try:
        file = open_header(path)
        return (
            file.dtype == np.uint8
            and file.grid.shape == grid.shape
            and file.grid.affine.close_to(grid.affine, grid.shape, 1e-3)
            and int(read_stored(file).max()) <= 2
        )
    except (LiverSegError, OSError):
        return False


def _description(path: Path) -> bytes:
    """The field `descrip`, also of a file that is cut short."""
    opened: Any = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        require_regular(path)
        with opened(path, "rb") as file:
            head = file.read(_HEADER_BYTES)
        header = nib.Nifti1Header(head, check=False)
        return bytes(header["descrip"].item())
    except (OSError, EOFError, ValueError, zlib.error, WrapStructError):
        return b""


def _is_earlier(path: Path, mark: Mark | None = None) -> bool:
    """Whether an earlier version wrote `path`: the name in gzip's header is as theirs was."""
    try:
        with open_regular(path) as file:
            head = file.read(512)
    except OSError:
        return False
    if len(head) < 11 or head[:3] != b"\x1f\x8b\x08" or head[3] != 8:
        return False
    name, end, _ = head[10:].partition(b"\0")
    if not end or _FIRST_NAME.fullmatch(name) is None:
        return False
    if mark is Mark.PHANTOM:
        return path.with_name("truth.json").exists()
    return name.endswith(b".nii")  # else it is a scan
