"""The HU of DICOM frames: native pixels read in place, compressed ones through GDCM's decoders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pydicom.encaps
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, RLELossless

from liverseg_gui.core.errors import (
    LiverSegError,
    UnreadableFileError,
    UnsupportedFileError,
    system_error_text,
)
from liverseg_gui.core.slices import AIR_HU
from liverseg_gui.io.dicom.codestream import ITEM, NATIVE, codestream, family
from liverseg_gui.io.dicom.header_reader import SWAPPED_PIXELS, BoundedFile
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.io.dicom.rescale import Rescale
from liverseg_gui.io.dicom.stacks import Slice
from liverseg_gui.io.dicom.value_checks import Seen
from liverseg_gui.io.dicom.value_table import by_table
from liverseg_gui.system.temporary_files import temporary_folder

_PADDING_BELOW_HU, _PADDING_ABOVE_HU = -200, 4000
"""Between these lie tissue and metal, whatever a padding tag says."""
_HIGHEST_HU = 32767
_MOST_COMPRESSION = 8 * 2000
"""No CT slice compresses better; an empty one does, at about a thousand to one."""
_EXPORT_AGAIN = "Export the series again, uncompressed (Explicit VR Little Endian)."


def read_hu(one: Slice, rescale: Rescale, seen: Seen | None = None) -> NDArray[np.int16]:
    """HU of a frame, (rows, columns). Outside the field of view (padding, below air) is air.

    `seen` is told what the frame held.

    Raises:
        UnreadableFileError: the file is cut short or damaged, or packed in a way of its own.
        LiverSegError: the system keeps it from being read, as where the disk is full.
    """
    header = one.header
    path = Path(header.path)
    seen = Seen() if seen is None else seen
    try:
        stored = _stored(one, seen)
        if stored.shape != (header.rows, header.columns):
            raise ValueError(f"pixels of {stored.shape}")
        if header.value_table:
            stored = by_table(stored, path)
    except (MemoryError, LiverSegError):
        raise
    except OSError as problem:
        raise _unread(path, problem) from problem
    except ImportError as problem:
        raise LiverSegError(
            f"{path} cannot be decoded: {problem.name or 'a library'} is not installed.",
            "Install the program again.",
        ) from problem
    except Exception as problem:  # decoders may fail in any way on a damaged file
        if "allocat" in str(problem) or "bad_alloc" in str(problem):
            raise MemoryError(str(problem)) from problem
        raise _damaged(path) from problem
    return _to_hu(stored, header, rescale, seen)


def require_whole(slices: Sequence[Slice]) -> None:
    """Check that files can hold the pixels their headers promise, before memory is taken for them.

    Raises:
        UnreadableFileError: one cannot, or is gone.
    """
    needed: dict[str, tuple[int, int]] = {}
    for s in slices:
        header = s.header
        bits = header.rows * header.columns * header.samples * header.bits
        packed, plain = (
            header.data_offset + (s.frame + 1) * size
            for size in (bits // _MOST_COMPRESSION, bits // 8)
        )
        least = plain if header.data_offset else packed
        needed[header.path] = max(needed.get(header.path, (0, 0)), (least, header.data_offset))
    for path, (size, offset) in needed.items():
        try:
            whole = os.path.getsize(path) >= size or _is_encapsulated(path, offset)
        except OSError as problem:
            raise _unread(Path(path), problem) from problem
        if not whole:
            raise _damaged(Path(path))


def _damaged(path: Path) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} is cut short or damaged.", "Copy the series again from its source."
    )


def _unread(path: Path, problem: OSError) -> UnreadableFileError:
    """The error for a file that the system does not give."""
    return UnreadableFileError(f"{path} could not be read.", system_error_text(problem))


def _to_hu(
    stored: NDArray[Any], header: ImageHeader, rescale: Rescale, seen: Seen
) -> NDArray[np.int16]:
    slope, intercept = rescale
    stored = np.nan_to_num(stored, nan=AIR_HU) if stored.dtype.kind == "f" else stored
    ends = float(stored.min()), float(stored.max())
    hu_ends = [v * slope + intercept for v in ends]
    seen.voxels += stored.size
    whole = stored.dtype.kind in "iu" and slope == 1 and intercept == int(intercept)
    if whole and all(abs(v) <= _HIGHEST_HU for v in (*ends, *hu_ends)):
        hu = stored.astype(np.int16, copy=False) + np.int16(intercept)
        np.maximum(hu, AIR_HU, out=hu)
    else:
        exact = np.rint(stored.astype(np.float64) * slope + intercept)
        hu = np.clip(exact, AIR_HU, _HIGHEST_HU).astype(np.int16)
    seen.lowest_hu = min(seen.lowest_hu, *hu_ends)
    empty = _padding(stored, header, rescale)
    if empty is not None and empty.any():
        above = float((stored[empty].astype(np.float64) * slope + intercept).max())
        if above > AIR_HU:
            seen.padding_hu = max(above, seen.padding_hu or above)
        hu[empty] = AIR_HU
    if max(hu_ends) > _HIGHEST_HU:
        seen.out_of_range += int(np.count_nonzero(hu == _HIGHEST_HU))
    return hu


def _padding(
    stored: NDArray[Any], header: ImageHeader, rescale: Rescale
) -> NDArray[np.bool_] | None:
    """Where pixels are outside the scanner's field: by the tags, unless they name tissue, or since
    they were below air before they were written as numbers without a sign."""
    slope, intercept = rescale
    empty: NDArray[np.bool_] | None = None
    if header.padding is not None:
        limit = header.padding if header.padding_limit is None else header.padding_limit
        ends = header.padding, limit
        tissue = sorted((v - intercept) / slope for v in (_PADDING_BELOW_HU, _PADDING_ABOVE_HU))
        if not all(tissue[0] <= v <= tissue[1] for v in ends):
            empty = (stored >= min(ends)) & (stored <= max(ends))
            if ends[0] != ends[1]:
                empty &= (stored < tissue[0]) | (stored > tissue[1])
    if header.bits == 16 and not header.signed and stored.max() * slope + intercept > _HIGHEST_HU:
        wrapped = stored.astype(np.float64) - (1 << 16)
        below = (stored >= 1 << 15) & (wrapped * slope + intercept <= AIR_HU)
        empty = below if empty is None else empty | below
    return empty


def _stored(one: Slice, seen: Seen) -> NDArray[Any]:
    """Stored values of a frame.

    Raises:
        UnsupportedFileError: they are packed in a way that this program does not read.
    """
    header = one.header
    plain = header.bits in (8, 16, 32) and header.samples == 1
    if header.data_offset and plain and not _is_encapsulated(header.path, header.data_offset):
        order = ">" if header.transfer_syntax == SWAPPED_PIXELS else "<"
        kind = np.dtype(f"{order}{'i' if header.signed else 'u'}{header.bits // 8}")
        count = header.rows * header.columns
        at = header.data_offset + one.frame * count * kind.itemsize
        pixels = np.fromfile(header.path, kind, count, offset=at)
        pixels = pixels.reshape(header.rows, header.columns)
        return _of_stored_bits(pixels.astype(kind.newbyteorder("="), copy=False), header, seen)
    with BoundedFile(Path(header.path)) as stream:
        dataset = pydicom.dcmread(stream, force=True)
    packed = bytes(dataset.get("PixelData") or b"")
    if packed.startswith(ITEM):
        return _decoded(dataset, one, seen)
    _require_pixels(dataset, header)
    if UID(header.transfer_syntax) not in NATIVE:
        _called(dataset, ExplicitVRLittleEndian)
    frames: NDArray[Any] = dataset.pixel_array
    frame = frames[one.frame] if len(header.planes) > 1 else frames
    return frame if frame.dtype.kind == "f" else _of_stored_bits(frame, header, seen)


def _is_encapsulated(path: str, offset: int) -> bool:
    """Whether pixels that should be plain start like a sequence of compressed frames."""
    with open(path, "rb") as stream:
        stream.seek(offset)
        return stream.read(len(ITEM)) == ITEM


def _require_pixels(dataset: FileDataset, header: ImageHeader) -> None:
    """Check that a file holds pixels where DICOM has them, in numbers of a usual size.

    Raises:
        UnsupportedFileError: it does not.
    """
    path = header.path
    if not any(k in dataset for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        private = _private_packing(dataset)
        what = f"in a private form ({private}), not as DICOM's PixelData" if private else ""
        raise UnsupportedFileError(
            f"{path} holds its pixels {what}." if what else f"{path} holds a header and no pixels.",
            _EXPORT_AGAIN if what else "Export the series again from the archive, with its images.",
        )
    if header.bits not in (1, 8, 16, 32, 64):
        raise UnsupportedFileError(
            f"{path} packs its pixels in {header.bits} bits each, which are not read.",
            "Export the series again with 16 bits a pixel.",
        )


def _private_packing(dataset: FileDataset) -> str:
    """The makers of the private elements that are as large as pixels are, with their notes."""
    large = [
        e for e in dataset if e.tag.is_private and isinstance(e.value, bytes) and len(e.value) > 256
    ]
    words = []
    for element in large:
        group, block = element.tag.group, element.tag.element >> 8
        words.append(str(dataset.get((group, block), element).value)[:16].strip())
        notes = (e for e in dataset.group_dataset(group) if e.VR == "CS")
        words += [str(e.value)[:16] for e in notes]
    return " ".join(dict.fromkeys(words))


def _of_stored_bits(pixels: NDArray[Any], header: ImageHeader, seen: Seen) -> NDArray[Any]:
    """Values that use BitsStored alone: what lies above or below it (old overlays) is cut off."""
    spare = header.bits - header.bits_stored
    if spare <= 0 or header.bits_stored < 1 or pixels.dtype.itemsize * 8 != header.bits:
        return pixels
    limit = 1 << (header.bits_stored - header.signed)
    low, high = int(pixels.min()), int(pixels.max())
    fits = high < limit and low >= (-limit if header.signed else 0)
    below = header.high_bit - header.bits_stored + 1
    if 0 < below <= spare and not (fits and (pixels & ((1 << below) - 1)).any()):
        return (pixels << (spare - below)) >> spare
    if fits or (header.padding is not None and (pixels == header.padding).any()):
        return pixels
    if header.signed and ((pixels < 0) & (pixels >= -limit)).any():
        return pixels  # signs that reach through all bits: the file's BitsStored is too small
    cut = (pixels << spare) >> spare
    seen.bits_cut += int(np.count_nonzero(cut != pixels))
    return cut


def _decoded(dataset: FileDataset, one: Slice, seen: Seen) -> NDArray[Any]:
    """One compressed frame, by what it is, whatever the file calls it."""
    count = len(one.header.planes)
    frame = pydicom.encaps.get_frame(dataset.PixelData, one.frame, number_of_frames=count)
    stated = UID(one.header.transfer_syntax)
    stream = codestream(frame)
    if stream is None and family(stated):
        raise ValueError(f"no {family(stated)} frame")
    if stream is None:
        raise UnsupportedFileError(
            f"{one.header.path} is compressed in a way this program does not decode "
            f"({stated.name}).",
            _EXPORT_AGAIN,
        )
    seen.lossy |= stream.lossy
    if family(stated) != family(stream.syntax):
        seen.syntax = f"{family(stream.syntax)}, not {stated.name}"
    if stream.syntax == RLELossless:
        dataset.PixelData = pydicom.encaps.encapsulate([frame])
        dataset.NumberOfFrames = 1
        _called(dataset, RLELossless)
        pixels: NDArray[Any] = dataset.pixel_array
        return pixels
    return _by_gdcm(_single(dataset, frame, stream.syntax))


def _called(dataset: FileDataset, syntax: UID) -> None:
    """Say of `dataset` that its pixels are of this transfer syntax."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax


def _by_gdcm(single: FileDataset) -> NDArray[Any]:
    """The pixels of a file of one frame through SimpleITK, which brings GDCM's decoders.

    Raises:
        LiverSegError: there is no room for the temporary file that they need.
    """
    import SimpleITK as sitk  # noqa: N813

    with ExitStack() as stack:
        try:
            path = stack.enter_context(temporary_folder()) / "frame.dcm"
            single.save_as(path, enforce_file_format=True)
        except OSError as problem:
            raise _no_room(problem) from problem
        sitk.ProcessObject.SetGlobalWarningDisplay(False)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(path))
        image: NDArray[Any] = sitk.GetArrayFromImage(reader.Execute())
    return image.reshape(image.shape[-2:])


def _no_room(problem: OSError) -> LiverSegError:
    return LiverSegError(
        "Compressed images cannot be unpacked: a temporary file could not be written "
        f"({problem.strerror or problem}).",
        "Free some space there, or name another folder for temporary files (TMPDIR; TEMP on "
        "Windows).",
    )


def _single(dataset: FileDataset, frame: bytes, syntax: UID) -> FileDataset:
    """`frame` as an image of its own, without rescaling, so that stored values come back."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = syntax
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
