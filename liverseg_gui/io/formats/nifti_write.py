"""Masks and scans written to NIfTI, and proved by reading them back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from isal import igzip
from numpy.typing import NDArray

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.file_endings import NIFTI_FILES
from liverseg_gui.io.formats.mask_marks import (
    Mark,
    mark_text,
    require_as_made,
    require_mask_or_nothing,
)
from liverseg_gui.io.formats.nifti import POSITION_FIELDS, open_header, read_stored
from liverseg_gui.system.atomic_write import atomic_write, flush_to_disk, not_written


def save_mask(
    mask: LabelMap,
    origin: Origin,
    path: Path,
    mark: Mark = Mark.MASK,
    *,
    asked: bool = True,
    proved: Callable[[], None] = lambda: None,
) -> None:
    """Write `mask` to NIfTI on the grid its scan was stored on, with a `mark` of what it is.

    It is written beside `path`, read back, compared voxel by voxel, and only then renamed over
    `path`: an old file there stays whole until the new one is proved. Where a reader was `asked`,
    that may be any other mask; else only what was made here. `proved` is called before it is
    renamed.

    Raises:
        SaveError: it could not be written, did not read back the same, or would replace what is
            not to be replaced.
    """
    require_mask_place(path, origin.path)
    if not asked:
        require_as_made(path, mark, mask.grid)
    ending = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    stored = np.asfortranarray(mask.grid.to_stored(mask.labels))

    problem = not_written(path, "Choose another folder or free some space; nothing was changed.")
    with atomic_write(path, problem, ending=ending) as beside:
        _write(_mask_image(stored, mask.grid.affine, origin, mark), beside)
        _require_same(beside, stored, mask.grid.affine)
        flush_to_disk(beside)
        proved()


def require_mask_place(path: Path, *scans: Path) -> None:
    """Check that a mask of one of `scans` may be saved at `path`, before any work is done for it.

    Raises:
        SaveError: the name is no mask's, the folder is not there, it is one of the scans itself, or
            a file that is no mask.
    """
    if not path.name.lower().endswith(NIFTI_FILES):
        raise SaveError(f"{path.name}: a mask is saved as .nii or .nii.gz. Choose such a name.")
    if not path.parent.is_dir():
        raise SaveError(
            f"{path} could not be written: there is no folder {path.parent}. Choose another."
        )
    for scan in scans:
        require_other_file(path, scan)
    require_mask_or_nothing(path)


def require_other_file(path: Path, scan: Path) -> None:
    """Check that `path` leads not to the file `scan`, by whatever name or link.

    Raises:
        SaveError: it does.
    """
    if path.exists() and scan.exists() and path.samefile(scan):
        raise SaveError(f"{path} is the scan itself. Choose another name.")


def write_scan(volume: Volume, path: Path, mark: Mark | None = None) -> None:
    """Write the HU of `volume` to NIfTI on its stored grid, with nothing else of its origin.

    What bears a `mark` replaces only what bears it, too.

    Raises:
        SaveError: it could not be written.
    """
    require_other_file(path, volume.origin.path)
    stored = np.asfortranarray(volume.grid.to_stored(volume.hu))
    image = nib.Nifti1Image(stored, volume.grid.affine.matrix)
    image.header.set_xyzt_units("mm")
    if mark is not None:
        require_as_made(path, mark)
        image.header["descrip"] = mark_text(mark, stored)
    with atomic_write(path, ending=path.suffix) as beside:
        _write(image, beside)


def write_slice(labels: NDArray[np.uint8], affine: Affine, path: Path, mark: Mark) -> None:
    """Write the mask of a single slice, shape (columns, rows, 1), to `path`, which is not there.

    Raises:
        OSError: it could not be written.
        SaveError: it did not read back the same.
    """
    _write(_plain_image(labels, affine, mark), path)
    _require_same(path, labels, affine)


def _write(image: Any, path: Path) -> None:
    data = image.to_bytes()
    if path.name.lower().endswith(".gz"):
        # ISA-L compresses a mask more than twice as fast as nibabel (docs/adr/0005). gzip's header
        # would tell the name, which may be a patient's, and the time: the same mask, other bytes
        with path.open("wb") as file, igzip.IGzipFile("", "wb", fileobj=file, mtime=0) as stream:
            stream.write(data)
    else:
        path.write_bytes(data)


def _mask_image(stored: NDArray[np.uint8], affine: Affine, origin: Origin, mark: Mark) -> Any:
    image = _plain_image(stored, affine, mark)
    if origin.nifti_header is None:
        return image
    header = image.header
    for name in POSITION_FIELDS:  # and no other: they may say whose scan it is
        header[name] = origin.nifti_header[name]
    header["pixdim"][4:] = 0  # along no axis of space
    return nib.Nifti1Image(stored, None, header)


def _plain_image(stored: NDArray[np.uint8], affine: Affine, mark: Mark) -> Any:
    image = nib.Nifti1Image(stored, affine.matrix)
    image.set_sform(affine.matrix, 1)
    image.set_qform(affine.matrix, 1)
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = mark_text(mark, np.asfortranarray(stored))
    return image


def _require_same(path: Path, stored: NDArray[np.uint8], affine: Affine) -> None:
    try:
        file = open_header(path)
        same = (
            file.grid.shape == stored.shape
            and file.grid.affine.close_to(affine, file.grid.shape, 1e-3)
            and np.array_equal(read_stored(file), stored)
        )
    except (LiverSegError, OSError):
        same = False
    if not same:
        raise SaveError(
            f"{path.parent} did not give back what was written. The mask was not saved; choose "
            "another disk."
        )
