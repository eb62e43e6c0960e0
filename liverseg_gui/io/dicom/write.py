"""Volumes written as DICOM CT series: what the phantom needs to exercise the real reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.volume import Volume
from liverseg_gui.system.atomic_write import (
    flush_folder,
    flush_to_disk,
    not_written,
    save_errors,
)
from liverseg_gui.system.partial_files import partial_folder

_INTERCEPT = -1024


def write_dicom_series(volume: Volume, folder: Path) -> None:
    """Write one file a slice into `folder`, in stored order. UIDs follow from the description.

    A series that was written there before is replaced, all of it.

    Raises:
        SaveError: a file cannot be written, or there are files of others.
    """
    require_series_place(volume, folder)
    seed = volume.origin.description
    study, series, frame = (generate_uid(entropy_srcs=[seed, part]) for part in "123")
    with save_errors(not_written(folder)):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with save_errors(not_written(folder)), partial_folder(folder) as half:
        for k in range(volume.grid.shape[2]):
            image = _slice(volume, k)
            image.StudyInstanceUID, image.SeriesInstanceUID = study, series
            image.FrameOfReferenceUID = frame
            image.SOPInstanceUID = generate_uid(entropy_srcs=[seed, f"slice {k}"])
            image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
            image.save_as(half / f"IM{k + 1:04d}.dcm", enforce_file_format=True)
        _take_place(half, folder)


def require_series_place(volume: Volume, folder: Path) -> None:
    """Check that `folder` is empty, or holds nothing but a series as this program writes it.

    Raises:
        SaveError: it holds files of others.
    """
    with save_errors(not_written(folder)):
        files = sorted(folder.iterdir()) if folder.exists() else []
    if foreign := next((file for file in files if not _is_own(file, volume.origin.patient)), None):
        raise SaveError(
            f"{foreign} is not of this program: the series would be mixed with others.",
            "Choose another folder.",
        )


def _is_own(path: Path, patient: str) -> bool:
    """Whether a file is a slice that `write_dicom_series` wrote of this `patient`."""
    try:
        image = pydicom.dcmread(path, stop_before_pixels=True)
        made = generate_uid(entropy_srcs=[str(image.SeriesDescription), "1"])
        return str(image.PatientName) == patient and image.StudyInstanceUID == made
    except (OSError, InvalidDicomError, AttributeError):
        return False


def _take_place(new: Path, folder: Path) -> None:
    for path in new.iterdir():
        flush_to_disk(path)
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for path in new.iterdir():
        path.replace(folder / path.name)
    flush_folder(folder)


def _slice(volume: Volume, k: int) -> FileDataset:
    stored = volume.grid.to_stored(volume.hu)[:, :, k].T
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.grid.affine.matrix
    across, down, thick = volume.grid.affine.spacing_mm
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID = CTImageStorage
    image.Modality = "CT"
    image.PatientName = volume.origin.patient
    image.PatientID = volume.origin.patient
    image.PatientBirthDate = image.PatientSex = ""
    image.StudyDate = image.StudyTime = image.AccessionNumber = image.StudyID = ""
    image.ReferringPhysicianName = image.Manufacturer = ""
    image.SeriesDescription = volume.origin.description
    image.SeriesNumber, image.AcquisitionNumber, image.InstanceNumber = 1, 1, k + 1
    image.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    image.ImagePositionPatient = [_text(v) for v in lps[:3, 3] + k * lps[:3, 2]]
    directions = [*(lps[:3, 0] / across), *(lps[:3, 1] / down)]
    image.ImageOrientationPatient = [_text(v) for v in directions]
    image.PixelSpacing = [_text(down), _text(across)]
    image.SliceThickness = _text(thick)
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = stored.shape
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = _INTERCEPT, 1, "HU"
    image.KVP = ""
    pixels = np.ascontiguousarray(stored, np.int32) - _INTERCEPT
    image.PixelData = pixels.astype("<i2").tobytes()
    return image


def _text(value: float) -> str:
    """A number that fits DICOM's 16 characters."""
    return f"{value:.10g}"[:16]
