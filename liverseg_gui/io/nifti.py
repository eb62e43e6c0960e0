"""NIfTI scans and masks, read and written with nibabel."""

from __future__ import annotations

import os
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from liverseg_gui.core.errors import LiverSegError, SaveError, UnreadableFileError
from liverseg_gui.core.findings import warning
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import LabelMap, Origin, Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.io.scans import NIFTI_ENDINGS

_DAMAGED = (ImageFileError, HeaderDataError, OSError, EOFError, ValueError, zlib.error)
_AIR_HU = -1024


def nifti_entries(path: Path) -> list[VolumeEntry]:
    """The volume of a NIfTI file, or one for each of a 4D file's.

    Raises:
        UnreadableFileError: the file is no NIfTI image, is damaged, or is not three-dimensional.
    """
    image = _load(path)
    shape = _spatial_shape(path, image)
    affine = _affine(path, image)
    count = image.shape[3] if len(image.shape) == 4 else 1
    return [
        VolumeEntry(
            path,
            path.name if count == 1 else f"{path.name} volume {n + 1} of {count}",
            "CT",
            shape,
            affine.spacing_mm,
            partial(_read, path, n),
        )
        for n in range(count)
    ]


def read_mask(path: Path, volume: Volume) -> LabelMap:
    """A mask of `volume` from a NIfTI file: 0 background, 1 liver, 2 tumor.

    The file may store its axes in another order than the scan, as long as its voxels are the
    scan's.

    Raises:
        UnreadableFileError: damaged, or with other values than 0, 1 and 2.
        GridMismatchError: it does not lie on the scan's grid.
    """
    if not path.exists():
        raise UnreadableFileError(f"{path} does not exist. Check the path.")
    image = _load(path)
    shape = _spatial_shape(path, image)
    if len(image.shape) == 4 and image.shape[3] > 1:
        raise UnreadableFileError(
            f"{path} is four-dimensional. A mask has three dimensions; save one volume of it."
        )
    stored = _data(path, image).reshape(shape)
    values = np.unique(stored)
    if not np.isin(values, (0, 1, 2)).all():
        odd = ", ".join(f"{v:g}" for v in values[~np.isin(values, (0, 1, 2))][:5])
        raise UnreadableFileError(
            f"{path} holds the values {odd}. A mask here has 0 background, 1 liver and 2 tumor: "
            "change its label values and open it again."
        )
    grid = StoredGrid(shape, _affine(path, image))
    mask = LabelMap(np.asfortranarray(grid.to_ras(stored.astype(np.uint8))), grid)
    mask.require_grid_of(volume)
    return LabelMap(mask.labels, volume.grid)


def save_mask(mask: LabelMap, origin: Origin, path: Path) -> None:
    """Write `mask` to NIfTI on the grid its scan was stored on.

    It is written beside `path`, read back, compared voxel by voxel, and only then renamed over
    `path`: an old file there stays whole until the new one is proved.

    Raises:
        SaveError: it could not be written or did not read back the same.
    """
    require_mask_place(path, origin.path)
    ending = ".nii.gz" if path.name.lower().endswith(".gz") else ".nii"
    partial_file = path.with_name(f".{path.name}.{os.getpid()}{ending}")
    stored = np.asfortranarray(mask.grid.to_stored(mask.labels))
    try:
        nib.save(_mask_image(stored, mask.grid.affine, origin), partial_file)
        _require_same(partial_file, stored, mask.grid.affine)
        partial_file.replace(path)
    except OSError as error:
        raise SaveError(
            f"{path} could not be written: {error.strerror or error}. Choose another folder or "
            "free some space; nothing was changed."
        ) from error
    finally:
        _remove(partial_file)


def looks_like_mask(path: Path) -> bool:
    """Whether `path` is a NIfTI file of 8-bit numbers, which no CT is stored in."""
    if not path.name.lower().endswith(NIFTI_ENDINGS):
        return False
    try:
        return bool(_load(path).get_data_dtype().itemsize == 1)
    except UnreadableFileError:
        return False


def require_mask_place(path: Path, scan: Path) -> None:
    """Check that a mask of `scan` may be saved at `path`, before any work is done for it.

    Raises:
        SaveError: the name is no mask's, the folder is not there, or it is the scan itself.
    """
    if not path.name.lower().endswith(NIFTI_ENDINGS):
        raise SaveError(f"{path.name}: a mask is saved as .nii or .nii.gz. Choose such a name.")
    if not path.parent.is_dir():
        raise SaveError(
            f"{path} could not be written: there is no folder {path.parent}. Choose another."
        )
    if path.exists() and scan.exists() and path.samefile(scan):
        raise SaveError(f"{path} is the scan itself. Choose another name for the mask.")


def write_scan(volume: Volume, path: Path) -> None:
    """Write the HU of `volume` to NIfTI on its stored grid.

    Raises:
        SaveError: it could not be written.
    """
    stored = np.asfortranarray(volume.grid.to_stored(volume.hu))
    image = nib.Nifti1Image(stored, volume.grid.affine.matrix)
    image.header.set_xyzt_units("mm")
    try:
        nib.save(image, path)
    except OSError as error:
        raise SaveError(f"{path} could not be written: {error.strerror or error}.") from error


def _read(path: Path, index: int, progress: Progress, preview: ShowPreview | None = None) -> Volume:
    progress.update(0.1, f"Reading {path.name}")
    image = _load(path)
    shape = _spatial_shape(path, image)
    stored = _data(path, image)
    stored = stored[..., index] if stored.ndim == 4 else stored.reshape(shape)
    progress.update(0.8, f"Reading {path.name}")
    grid = StoredGrid(shape, _affine(path, image))
    hu = np.asfortranarray(grid.to_ras(_as_hu(stored)))
    header = nib.Nifti1Header.from_header(image.header)
    origin = Origin(path, path.name, nifti_header=header)
    progress.update(1.0, f"Reading {path.name}")
    return Volume(hu, grid, origin, tuple(warning("doubt", d, "") for d in _doubts(image)))


def _load(path: Path) -> Any:
    try:
        image: Any = nib.load(path, mmap=False)
    except _DAMAGED as error:
        raise _unreadable(path) from error
    if not isinstance(image, nib.Nifti1Pair):
        raise _unreadable(path)
    return image


def _unreadable(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is no NIfTI image or is damaged. Copy it again from its source, or open the "
        "original DICOM folder."
    )


def _spatial_shape(path: Path, image: Any) -> tuple[int, int, int]:
    shape = tuple(int(n) for n in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise UnreadableFileError(
            f"{path} has {len(shape)} dimensions ({' x '.join(map(str, shape))}). Open a scan "
            "with three."
        )
    return shape[0], shape[1], shape[2]


def _affine(path: Path, image: Any) -> Affine:
    try:
        return Affine(image.affine)
    except ValueError as error:
        raise UnreadableFileError(
            f"{path} does not say where its voxels lie ({error}). Convert it again from DICOM."
        ) from error


def _data(path: Path, image: Any) -> NDArray[Any]:
    try:
        data = np.asanyarray(image.dataobj)
    except (*_DAMAGED, MemoryError) as error:
        raise UnreadableFileError(
            f"{path} is cut short or damaged. Copy it again from its source."
        ) from error
    if data.dtype.fields is not None or np.iscomplexobj(data):
        raise UnreadableFileError(f"{path} is a colour or complex image. Open a CT scan instead.")
    while data.ndim > 3 and data.shape[-1] == 1:
        data = data[..., 0]
    return data


def _as_hu(data: NDArray[Any]) -> NDArray[np.int16]:
    if data.dtype == np.int16:
        return np.asarray(data, np.int16)
    if np.issubdtype(data.dtype, np.floating):
        data = np.rint(np.nan_to_num(data, nan=_AIR_HU, posinf=32767, neginf=-32768))
    return np.clip(data, -32768, 32767).astype(np.int16)


def _doubts(image: Any) -> tuple[str, ...]:
    zooms = np.asarray(image.header.get_zooms()[:3], np.float64)
    codes = int(image.header["qform_code"]), int(image.header["sform_code"])
    doubts = []
    if np.allclose(zooms, 1.0) and (
        codes == (0, 0) or np.allclose(image.affine[:3, :3], np.eye(3))
    ):
        doubts.append(
            "The file gives 1 x 1 x 1 mm voxels and no orientation: mm and ml are not reliable."
        )
    if min(codes) > 0 and not _forms_agree(image):
        doubts.append(
            "The file gives two different positions (qform and sform): the sform is used, and "
            "other programs may show this scan elsewhere."
        )
    units = image.header.get_xyzt_units()[0]
    if units not in ("mm", "unknown"):
        doubts.append(f"The file gives lengths in {units}, read as mm: mm and ml are not reliable.")
    return tuple(doubts)


def _forms_agree(image: Any) -> bool:
    try:
        qform = image.get_qform()
    except (ValueError, np.linalg.LinAlgError):
        return False
    return bool(np.allclose(qform, image.get_sform(), atol=0.05))


def _mask_image(stored: NDArray[np.uint8], affine: Affine, origin: Origin) -> Any:
    if origin.nifti_header is None:
        image = nib.Nifti1Image(stored, affine.matrix)
        image.set_sform(affine.matrix, 1)
        image.set_qform(affine.matrix, 1)
        image.header.set_xyzt_units("mm")
        return image
    header = origin.nifti_header.copy()
    header.set_data_shape(stored.shape)
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0
    for text in ("descrip", "aux_file", "intent_name", "db_name"):
        header[text] = b""
    return nib.Nifti1Image(stored, None, header)


def _require_same(path: Path, stored: NDArray[np.uint8], affine: Affine) -> None:
    try:
        image = _load(path)
        same = (
            tuple(image.shape) == stored.shape
            and Affine(image.affine).close_to(affine, image.shape, 1e-3)
            and np.array_equal(np.asanyarray(image.dataobj), stored)
        )
    except (LiverSegError, *_DAMAGED):
        same = False
    if not same:
        raise SaveError(
            f"{path.parent} did not give back what was written. The mask was not saved; choose "
            "another disk."
        )


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
