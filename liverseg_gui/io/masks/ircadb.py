"""The masks of a 3D-IRCADb-01 patient: a folder a structure, with a DICOM image a slice.

The data set: https://www.ircad.fr/research/data-sets/liver-segmentation-3d-ircadb-01/
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.geometry import Affine
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.volume import DicomIdentity
from liverseg_gui.io.dataset_names import ircadb
from liverseg_gui.io.masks.frames import frame_affine
from liverseg_gui.io.masks.identity import IDENTITY_TAGS, stated_identity

_LIVER_FOLDER = "liver"
_TUMOR_FOLDERS = "livertumor"


def structure_folders(masks: Path) -> dict[Path, int]:
    """The label of each folder in `masks` that holds the liver or tumors of it.

    Raises:
        UnreadableFileError: there is no liver, or a folder is empty.
    """
    labels = {}
    for folder in sorted(f for f in masks.iterdir() if f.is_dir()):
        if folder.name.lower() == _LIVER_FOLDER:
            labels[folder] = LIVER
        elif folder.name.lower().startswith(_TUMOR_FOLDERS):
            labels[folder] = TUMOR
    if LIVER not in labels.values():
        raise UnreadableFileError(
            f"{masks} holds no mask: there is no folder 'liver' in it.",
            "Choose the MASKS_DICOM folder of a 3D-IRCADb-01 patient, or a mask file.",
        )
    for folder in labels:
        if not slice_files(folder):
            raise UnreadableFileError(f"{folder} holds no slices.", "Unpack the data set again.")
    return labels


def slice_files(folder: Path) -> list[Path]:
    """The slices in a structure's folder."""
    return sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))


def structure_identities(labels: dict[Path, int]) -> Iterator[DicomIdentity]:
    """Whose each slice of each folder of `labels` is, as far as they say."""
    for folder in labels:
        for file in slice_files(folder):
            try:
                header = pydicom.dcmread(
                    file, stop_before_pixels=True, specific_tags=list(IDENTITY_TAGS)
                )
                yield stated_identity(header)
            except MemoryError:
                raise
            except Exception:  # a damaged file is told of where its pixels are read
                continue


def ircadb_images(labels: dict[Path, int]) -> Iterator[tuple[Affine, NDArray[np.int_]]]:
    """Each slice of each folder of `labels`: where it lies, and its label or 0 (columns, rows).

    Raises:
        UnreadableFileError: a slice is damaged or does not say where it lies.
    """
    for folder, label in labels.items():
        for file in slice_files(folder):
            try:
                image = pydicom.dcmread(file)
                inside = np.asarray(image.pixel_array).T > 0
                affine = _affine(image, file)
                if inside.ndim != 2:
                    raise ValueError("several images in one file")
            except MemoryError:
                raise
            except Exception as problem:  # a damaged file breaks pydicom in any way it likes
                raise UnreadableFileError(
                    f"{file} is no DICOM slice, is damaged, or does not say where it lies.",
                    "Unpack the data set again.",
                ) from problem
            yield affine, inside.astype(np.int_) * label


def _affine(image: Any, file: Path) -> Affine:
    """Where a slice lies: by its own header, or by the scan's slice of the same name."""
    if "ImagePositionPatient" not in image:
        folders = ircadb(file.parent.parent)
        if folders is None:
            raise ValueError("no position")
        image = pydicom.dcmread(folders[0] / file.name, stop_before_pixels=True)
    position, orientation, pixel_mm = (
        tuple(float(v) for v in image[name].value)
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    )
    return frame_affine(position, orientation, pixel_mm)
