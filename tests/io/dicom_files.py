"""DICOM files made for tests: a phantom series, changed in the ways that real files differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage, generate_uid

SLICES = 12


def copy(series: Path, target: Path, count: int = SLICES) -> list[Path]:
    """The first slices of `series`, copied into `target`."""
    target.mkdir(exist_ok=True)
    files = []
    for file in sorted(series.iterdir())[:count]:
        (target / file.name).write_bytes(file.read_bytes())
        files.append(target / file.name)
    return files


def change(path: Path, **values: object) -> None:
    """Set elements of a file; None deletes."""
    image = pydicom.dcmread(path)
    for name, value in values.items():
        if value is None:
            delattr(image, name)
        else:
            setattr(image, name, value)
    image.save_as(path)


def enhanced(files: list[Path], target: Path, slopes: list[float] | None = None) -> Path:
    """One multi-frame Enhanced CT of single-frame `files`, with a rescale of its own each."""
    images = [pydicom.dcmread(file) for file in files]
    out = pydicom.dcmread(files[0])
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    out.SOPInstanceUID = generate_uid()
    shared = Dataset()
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = images[0].ImageOrientationPatient
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = images[0].PixelSpacing
    shared.PixelMeasuresSequence[0].SliceThickness = images[0].SliceThickness
    out.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for n, image in enumerate(images):
        frame = Dataset()
        frame.PlanePositionSequence = [Dataset()]
        frame.PlanePositionSequence[0].ImagePositionPatient = image.ImagePositionPatient
        frame.PixelValueTransformationSequence = [Dataset()]
        scale = frame.PixelValueTransformationSequence[0]
        scale.RescaleSlope = slopes[n] if slopes else image.RescaleSlope
        scale.RescaleIntercept = image.RescaleIntercept
        frames.append(frame)
    out.PerFrameFunctionalGroupsSequence = frames
    for name in (
        *("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing", "SliceThickness"),
        *("RescaleSlope", "RescaleIntercept"),
    ):
        delattr(out, name)
    out.NumberOfFrames = len(images)
    out.PixelData = np.stack([image.pixel_array for image in images]).tobytes()
    out.save_as(target)
    return target
