"""DICOM segmentation objects (SEG): segments with names, and a frame for each of their slices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError, cannot_read
from liverseg_gui.core.geometry import Affine
from liverseg_gui.io.masks.frames import frame_affine
from liverseg_gui.io.masks.label_values import meaning, says_another_organ
from liverseg_gui.system.regular_file import open_regular

_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
_LABEL_MAP_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.7"
_PREAMBLE = 132
_RATIO = 1100
"""More than any compression of DICOM's shrinks a mask by."""


@dataclass(frozen=True)
class SegFrame:
    """A frame of a SEG: (column, row, 0) to patient mm, and its segment; None in a label map."""

    affine: Affine
    segment: int | None


@dataclass(frozen=True)
class Seg:
    """A SEG: the name of each segment number, its frames, and their size in columns and rows."""

    path: Path
    names: dict[int, str]
    frames: tuple[SegFrame, ...]
    shape: tuple[int, int]
    dataset: Any
    threshold: float

    def images(self) -> Iterator[tuple[SegFrame, NDArray[np.int_]]]:
        """Each frame with the segment number of its pixels (0 outside), shape (columns, rows).

        Raises:
            UnreadableFileError: the pixels are damaged or packed in an unknown way.
        """
        try:
            pixels = _pixels(self.dataset)
            for frame in self.frames:
                image = np.asarray(next(pixels)).T
                if image.shape != self.shape:
                    raise ValueError(f"a frame of {image.shape}")
                if frame.segment is not None:
                    image = np.where(image >= self.threshold, frame.segment, 0)
                yield frame, image.astype(np.int_)
        except MemoryError:
            raise
        except Exception as problem:  # damaged pixels break their decoder in any way they like
            raise UnreadableFileError(
                f"{self.path} is cut short, damaged or packed in a way this program can't unpack.",
                "Copy it again from its source, or export it uncompressed.",
            ) from problem


def _pixels(dataset: Any) -> Iterator[NDArray[Any]]:
    """The pixels of each frame (rows, columns), one frame in memory at a time."""
    if dataset.BitsAllocated != 1 or dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        from pydicom.pixels.utils import iter_pixels

        yield from iter_pixels(dataset)
        return
    packed = np.frombuffer(dataset.PixelData, np.uint8)
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    for n in range(int(dataset.get("NumberOfFrames", 1))):  # iter_pixels wants whole bytes a frame
        start, end = n * rows * columns, (n + 1) * rows * columns
        bits = np.unpackbits(packed[start // 8 : -(-end // 8)], bitorder="little")
        yield bits[start % 8 :][: end - start].reshape(rows, columns)


def is_seg(path: Path) -> bool:
    """Whether `path` is a DICOM SEG, from its first bytes alone."""
    try:
        with open_regular(path) as stream:
            if stream.read(_PREAMBLE)[-4:] != b"DICM":
                return False
        meta = pydicom.filereader.read_file_meta_info(path)
        kind = str(meta.get("MediaStorageSOPClassUID", ""))
    except Exception as problem:  # a damaged header breaks pydicom in any way it likes
        if isinstance(problem, MemoryError):
            raise
        return False
    return kind in (_SEGMENTATION, _LABEL_MAP_SEGMENTATION)


def read_seg(path: Path) -> Seg:
    """Read the SEG `path`, without unpacking its pixels.

    Raises:
        UnreadableFileError: it is no SEG or damaged, or does not say where its frames lie.
    """
    try:
        with open_regular(path) as stream:
            dataset = pydicom.dcmread(stream)
        if dataset.SOPClassUID not in (_SEGMENTATION, _LABEL_MAP_SEGMENTATION):
            raise TypeError("another kind of DICOM file")
        _require_room(dataset)
        shape = int(dataset.Columns), int(dataset.Rows)
        return Seg(path, _names(dataset), _frames(dataset), shape, dataset, _threshold(dataset))
    except MemoryError:
        raise
    except OSError as problem:
        raise cannot_read(path, problem) from problem
    except Exception as problem:  # a damaged file breaks pydicom in any way it likes
        raise UnreadableFileError(
            f"{path} is no DICOM segmentation (SEG) or is damaged, or does not say where its "
            "frames lie.",
            "Export it again from the program that made it.",
        ) from problem


def _require_room(dataset: Any) -> None:
    """Check that there are pixels for all frames, before pydicom makes room for them."""
    sizes = dataset.Rows, dataset.Columns, dataset.get("NumberOfFrames", 1)
    bits = prod(int(n) for n in sizes) * int(dataset.BitsAllocated)
    packed = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    if bits > 8 * len(dataset.PixelData) * (_RATIO if packed else 1) or bits <= 0:
        raise ValueError("fewer pixels than frames")


def _threshold(dataset: Any) -> float:
    """From which pixel value on a pixel belongs to the segment: half, where it is a share."""
    if dataset.get("SegmentationType", "BINARY") == "FRACTIONAL":
        return float(dataset.get("MaximumFractionalValue", 255)) / 2
    return 1.0


def _names(dataset: Any) -> dict[int, str]:
    names = {}
    for segment in dataset.SegmentSequence:
        name = str(segment.get("SegmentLabel", "") or "").strip()
        kind, region = _coded(segment, "SegmentedPropertyType"), _coded(segment, "AnatomicRegion")
        also = [kind] if not meaning(name)[1] or says_another_organ(kind) else []
        also += [region] if says_another_organ(region) else []
        if more := ", ".join(filter(None, dict.fromkeys(also))):
            name = f"{name} ({more})" if name else more
        names[int(segment.SegmentNumber)] = name
    names.pop(0, None)  # a label map may name its background
    return names


def _coded(segment: Any, what: str) -> str:
    """What a segment's code for its kind or region means, in words."""
    items = segment.get(f"{what}CodeSequence") or segment.get(f"{what}Sequence") or [{}]
    return str(items[0].get("CodeMeaning", "") or "").strip()


def _frames(dataset: Any) -> tuple[SegFrame, ...]:
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [{}])[0]
    label_map = dataset.get("SegmentationType") == "LABELMAP"
    frames = []
    for own in dataset.PerFrameFunctionalGroupsSequence:

        def group(name: str, own: Any = own) -> Any:
            return (own.get(name) or shared.get(name))[0]

        affine = frame_affine(
            _numbers(group("PlanePositionSequence").ImagePositionPatient),
            _numbers(group("PlaneOrientationSequence").ImageOrientationPatient),
            _numbers(group("PixelMeasuresSequence").PixelSpacing),
        )
        segment = None
        if not label_map:
            segment = int(group("SegmentIdentificationSequence").ReferencedSegmentNumber)
        frames.append(SegFrame(affine, segment))
    if len(frames) != int(dataset.get("NumberOfFrames", 1)):
        raise ValueError("frames without a position")
    return tuple(frames)


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
