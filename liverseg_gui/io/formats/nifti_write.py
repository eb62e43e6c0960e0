"""Masks and scans written to NIfTI, and proved by reading them back."""

from __future__ import annotations

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
from liverseg_gui.io.formats.model_mark import model_mark
from liverseg_gui.io.formats.nifti import open_header, read_stored
from liverseg_gui.system.atomic_write import atomic_write, not_written


def save_mask(mask: LabelMap, origin: Origin, path: Path, of_a_model: bool = False) -> None:
    """Write `mask` to NIfTI on the grid its scan was stored on.

    One `of_a_model` that nobody has reviewed is marked as such (`model_mark`).

    It is written beside `path`, read back, compared voxel by voxel, and only then renamed over
    `path`: an old file there stays whole until the new one is proved.

    Raises:
        SaveError: it could not be written or did not read back the same.
    """
    require_mask_place(path, origin.path)
    ending = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    stored = np.asfortranarray(mask.grid.to_stored(mask.labels))

    problem = not_written(path, "Choose another folder or free some space; nothing was changed.")
    with atomic_write(path, problem, ending=ending) as beside:
        image = _mask_image(stored, mask.grid.affine, origin)
        if of_a_model:
            image.header["descrip"] = model_mark(mask)
        _write(image, beside)
        _require_same(beside, stored, mask.grid.affine)


def require_mask_place(path: Path, scan: Path) -> None:
    """Check that a mask of `scan` may be saved at `path`, before any work is done for it.

    Raises:
        SaveError: the name is no mask's, the folder is not there, or it is the scan itself.
    """
    if not path.name.lower().endswith(NIFTI_FILES):
        raise SaveError(f"{path.name}: a mask is saved as .nii or .nii.gz. Choose such a name.")
    if not path.parent.is_dir():
        raise SaveError(
            f"{path} could not be written: there is no folder {path.parent}. Choose another."
        )
    if path.exists() and scan.exists() and path.samefile(scan):
        raise SaveError(f"{path} is the scan itself. Choose another name for the mask.")


def write_scan(volume: Volume, path: Path) -> None:
    """Write the HU of `volume` to NIfTI on its stored grid, with nothing else of its origin.

    Raises:
        SaveError: it could not be written.
    """
    stored = np.asfortranarray(volume.grid.to_stored(volume.hu))
    image = nib.Nifti1Image(stored, volume.grid.affine.matrix)
    image.header.set_xyzt_units("mm")
    with atomic_write(path, ending=path.suffix) as beside:
        _write(image, beside)


def _write(image: Any, path: Path) -> None:
    data = image.to_bytes()
    if path.name.lower().endswith(".gz"):
        # ISA-L compresses a mask more than twice as fast as nibabel (docs/adr/0005)
        with igzip.open(path, "wb") as stream:
            stream.write(data)
    else:
        path.write_bytes(data)


def _mask_image(stored: NDArray[np.uint8], affine: Affine, origin: Origin) -> Any:
    if origin.nifti_header is None:
        image = nib.Nifti1Image(stored, affine.matrix)
        image.set_sform(affine.matrix, 1)
        image.set_qform(affine.matrix, 1)
        image.header.set_xyzt_units("mm")
        return image
    header = origin.nifti_header.copy()
    header.extensions.clear()  # they may say whose scan it is
    header.set_data_shape(stored.shape)
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0  # the display range of HU is none of labels
    for text in ("descrip", "aux_file", "intent_name", "db_name"):
        header[text] = b""
    return nib.Nifti1Image(stored, None, header)


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
