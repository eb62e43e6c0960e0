"""DICOM files made for tests: a phantom series, changed in the ways that real files differ."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

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


def ct_slice(z: float, value: int = 40, **elements: object) -> FileDataset:
    """A CT slice of 6 columns and 4 rows at `z` mm, all of `value` HU but for air in a corner.

    Pixels are 0.5 mm across and 0.75 mm down. `elements` are set last; None deletes.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.826.1", "1.2.826.2"
    image.FrameOfReferenceUID, image.Modality, image.PatientID = "1.2.826.3", "CT", "P"
    image.SeriesNumber, image.SeriesDescription = 3, "portal venous"
    image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, z], [1, 0, 0, 0, 1, 0]
    image.PixelSpacing, image.SliceThickness = [0.75, 0.5], 2
    image.Rows, image.Columns, image.SamplesPerPixel = 4, 6, 1
    image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 0
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = 1, -1024, "HU"
    stored = np.full((4, 6), value + 1024, "<u2")
    stored[0, 0] = 24
    image.PixelData = stored.tobytes()
    for name, element in elements.items():
        if element is None:
            delattr(image, name)
        else:
            setattr(image, name, element)
    return image


def save(images: Sequence[FileDataset], folder: Path) -> Path:
    """`images` as numbered files of `folder`, with the numbers they lack; the folder."""
    folder.mkdir(exist_ok=True)
    for n, image in enumerate(images, 1):
        if "InstanceNumber" not in image:
            image.InstanceNumber = n
        image.save_as(folder / f"{n:03}.dcm", enforce_file_format=True)
    return folder


def frames(images: Sequence[FileDataset], contents: Sequence[Dataset] = ()) -> FileDataset:
    """One Enhanced CT of single-frame `images`; `contents` is more of each frame."""
    out = deepcopy(images[0])
    out.SOPClassUID = out.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    out.SOPInstanceUID = out.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    shared, groups = Dataset(), []
    for sequence, keywords in (
        ("PlaneOrientationSequence", ["ImageOrientationPatient"]),
        ("PixelMeasuresSequence", ["PixelSpacing", "SliceThickness"]),
        ("PixelValueTransformationSequence", ["RescaleSlope", "RescaleIntercept", "RescaleType"]),
    ):
        setattr(shared, sequence, [Dataset()])
        for keyword in keywords:
            setattr(shared[sequence].value[0], keyword, images[0][keyword].value)
            delattr(out, keyword)
    for n, image in enumerate(images):
        group = Dataset()
        group.PlanePositionSequence = [Dataset()]
        group.PlanePositionSequence[0].ImagePositionPatient = image.ImagePositionPatient
        if contents:
            group.update(contents[n])
        groups.append(group)
    del out.ImagePositionPatient
    out.SharedFunctionalGroupsSequence, out.PerFrameFunctionalGroupsSequence = [shared], groups
    out.NumberOfFrames = len(images)
    out.PixelData = b"".join(image.PixelData for image in images)
    return out
