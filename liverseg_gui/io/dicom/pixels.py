"""The HU of DICOM frames: native pixels read in place, compressed ones through GDCM's decoders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.encaps
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, RLELossless

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.slices import AIR_HU
from liverseg_gui.io.dicom.header_reader import BoundedFile
from liverseg_gui.io.dicom.stacks import Slice
from liverseg_gui.system.temporary_files import temporary_folder

_PADDING_BELOW_HU = -200
_MOST_COMPRESSION = 8 * 2000
"""No CT slice compresses better; an empty one does, at about a thousand to one."""


@dataclass
class Lowest:
    """The lowest value, in HU, that frames held before what lies below air was made air."""

    hu: float = 0.0


def read_hu(one: Slice, lowest: Lowest | None = None) -> NDArray[np.int16]:
    """HU of a frame, (rows, columns). Outside the field of view (padding, below air) is air.

    `lowest` is told what the frame held.

    Raises:
        UnreadableFileError: the file is cut short or damaged.
    """
    header = one.header
    path = Path(header.path)
    try:
        stored = _stored(one)
        if stored.shape != (header.rows, header.columns):
            raise ValueError(f"pixels of {stored.shape}")
    except MemoryError:
        raise
    except Exception as problem:  # decoders may fail in any way on a damaged file
        raise _damaged(path) from problem
    if lowest is not None:
        ends = [float(stored.min()), float(stored.max())]
        lowest.hu = min(lowest.hu, *(v * one.plane.slope + one.plane.intercept for v in ends))
    return _to_hu(stored, one)


def require_whole(slices: Sequence[Slice]) -> None:
    """Check that files can hold the pixels their headers promise, before memory is taken for them.

    Raises:
        UnreadableFileError: one cannot.
    """
    needed: dict[str, int] = {}
    for s in slices:
        header = s.header
        bits = header.rows * header.columns * header.samples * header.bits
        least = bits // 8 if header.data_offset else bits // _MOST_COMPRESSION
        needed[header.path] = max(
            needed.get(header.path, 0), header.data_offset + (s.frame + 1) * least
        )
    for path, size in needed.items():
        if not os.path.exists(path) or os.path.getsize(path) < size:
            raise _damaged(Path(path))


def _damaged(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is cut short or damaged.", "Copy the series again from its source."
    )


def _to_hu(stored: NDArray[Any], one: Slice) -> NDArray[np.int16]:
    slope, intercept = one.plane.slope, one.plane.intercept
    whole = slope == 1 and intercept == int(intercept)
    ends = int(stored.min()), int(stored.max())
    if whole and all(abs(v) <= 32767 and abs(v + intercept) <= 32767 for v in ends):
        hu = stored.astype(np.int16, copy=False) + np.int16(intercept)
        np.maximum(hu, AIR_HU, out=hu)
    else:
        exact = np.rint(stored.astype(np.float64) * slope + intercept)
        hu = np.clip(exact, AIR_HU, 32767).astype(np.int16)
    padding = one.header.padding
    if padding is not None and AIR_HU < padding * slope + intercept < _PADDING_BELOW_HU:
        hu[stored == padding] = AIR_HU
    return hu


def _stored(one: Slice) -> NDArray[Any]:
    """Stored values of a frame."""
    header = one.header
    if header.data_offset and header.bits in (8, 16, 32) and header.samples == 1:
        kind = np.dtype(f"<{'i' if header.signed else 'u'}{header.bits // 8}")
        count = header.rows * header.columns
        at = header.data_offset + one.frame * count * kind.itemsize
        pixels = np.fromfile(header.path, kind, count, offset=at)
        return _of_stored_bits(pixels.reshape(header.rows, header.columns), one)
    with BoundedFile(Path(header.path)) as stream:
        dataset = pydicom.dcmread(stream, force=True)
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_compressed or syntax == RLELossless or syntax.is_deflated:
        frames: NDArray[Any] = dataset.pixel_array
        return frames[one.frame] if len(header.planes) > 1 else frames
    return _decoded(dataset, one)


def _of_stored_bits(pixels: NDArray[Any], one: Slice) -> NDArray[Any]:
    """Values that use BitsStored alone: what lies above it (old overlays) is cut off."""
    header = one.header
    spare = header.bits - header.bits_stored
    if spare <= 0 or header.bits_stored < 1:
        return pixels
    limit = 1 << (header.bits_stored - header.signed)
    if pixels.max() < limit and (not header.signed or pixels.min() >= -limit):
        return pixels
    if header.padding is not None and (pixels == header.padding).any():
        return pixels
    return (pixels << spare) >> spare


def _decoded(dataset: FileDataset, one: Slice) -> NDArray[Any]:
    """One compressed frame through SimpleITK, which brings GDCM's decoders.

    The frame is written as an image of its own, without rescaling, so that stored values come
    back whatever the file says elsewhere.
    """
    import SimpleITK as sitk  # noqa: N813

    frame = pydicom.encaps.get_frame(
        dataset.PixelData, one.frame, number_of_frames=len(one.header.planes)
    )
    with temporary_folder() as folder:
        path = folder / "frame.dcm"
        _single(dataset, frame).save_as(path, enforce_file_format=True)
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        image: NDArray[Any] = sitk.GetArrayFromImage(reader.Execute())
    return image.reshape(image.shape[-2:])


def _single(dataset: FileDataset, frame: bytes) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    single = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    single.SOPClassUID, single.SOPInstanceUID, single.Modality = CTImageStorage, "1.2.3", "CT"
    for keyword in (
        *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
        *("SamplesPerPixel", "PhotometricInterpretation"),
    ):
        setattr(single, keyword, dataset[keyword].value)
    single.PixelData = pydicom.encaps.encapsulate([frame])
    single["PixelData"].VR = "OB"
    single["PixelData"].is_undefined_length = True
    return single
