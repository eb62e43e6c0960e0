"""Fast reader of DICOM image headers, without the pixels.

pydicom's element generator walks the first kilobytes; only the elements in `_TEXTS`, `_DECIMALS`
and `_SHORTS` are decoded. Anything out of the ordinary (deflated files, files without a preamble,
several frames) is left to `pydicom.dcmread`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from statistics import mode
from typing import Any, BinaryIO

import pydicom
import pydicom.charset
from pydicom.filereader import data_element_generator
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from liverseg_gui.io.dicom.headers import Floats, FramePlane, ImageHeader, Windows

_FIRST_READS = (1 << 14, 1 << 18, 1 << 26)
_MOST_FRAMES = 20_000
_LARGEST = 1e6
_SMALLEST_MM = 1e-3
_PIXELS = {Tag(0x7FE00008), Tag(0x7FE00009), Tag(0x7FE00010)}
_TEXTS = {
    "sop_class": "SOPClassUID",
    "instance_uid": "SOPInstanceUID",
    "modality": "Modality",
    "patient": "PatientName",
    "patient_id": "PatientID",
    "study_uid": "StudyInstanceUID",
    "study": "StudyDescription",
    "study_date": "StudyDate",
    "series_uid": "SeriesInstanceUID",
    "frame_of_reference": "FrameOfReferenceUID",
    "series_number": "SeriesNumber",
    "description": "SeriesDescription",
    "acquisition": "AcquisitionNumber",
    "acquisition_time": "AcquisitionTime",
    "instance": "InstanceNumber",
    "image_type": "ImageType",
    "contrast": "ContrastBolusAgent",
    "kernel": "ConvolutionKernel",
    "echo": "EchoTime",
    "temporal": "TemporalPositionIdentifier",
    "photometric": "PhotometricInterpretation",
    "lossy": "LossyImageCompression",
}
_DECIMALS = {
    "position": "ImagePositionPatient",
    "orientation": "ImageOrientationPatient",
    "pixel_mm": "PixelSpacing",
    "thickness": "SliceThickness",
    "slice_location": "SliceLocation",
    "slope": "RescaleSlope",
    "intercept": "RescaleIntercept",
    "frames": "NumberOfFrames",
    "window_widths": "WindowWidth",
    "window_centers": "WindowCenter",
}
_SHORTS = {
    "rows": "Rows",
    "columns": "Columns",
    "samples": "SamplesPerPixel",
    "bits": "BitsAllocated",
    "bits_stored": "BitsStored",
    "signed": "PixelRepresentation",
    "padding": "PixelPaddingValue",
}
_WINDOW_NAMES = "WindowCenterWidthExplanation"
_NAMES = {"window_names": _WINDOW_NAMES}
_BY_TAG = {
    Tag(keyword): key
    for keywords in (_TEXTS, _NAMES, _DECIMALS, _SHORTS)
    for key, keyword in keywords.items()
}
_CHARSET = Tag("SpecificCharacterSet")
_TAGS_READ: list[Any] = [*_BY_TAG, _CHARSET]


def read_header(path: Path) -> ImageHeader | None:
    """The header of a DICOM image, or None for any other or damaged file."""
    try:
        with BoundedFile(path) as stream:
            for size in _FIRST_READS:
                stream.seek(0)
                start = stream.read(size)
                values = _quick(start)
                if values is not None:
                    break
                if len(start) < size:
                    break
            if values is None:
                values = _thorough(path, stream, start)
        return None if values is None else _header(path, values)
    except OSError:
        return None
    except MemoryError:
        raise
    except Exception:  # pydicom may fail in any way on a damaged file, which then is no image
        return None


def is_dicom(path: Path) -> bool:
    """Whether `path` is a whole DICOM object of any kind, with an image in it or not."""
    try:
        with BoundedFile(path) as stream:
            return "SOPClassUID" in pydicom.dcmread(stream, specific_tags=["SOPClassUID", "Rows"])
    except MemoryError:
        raise
    except Exception:  # pydicom may fail in any way on a damaged file
        return False


class BoundedFile(io.BufferedReader):
    """A file that never takes memory for more bytes than it has, whatever a header asks for."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self._end = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        left = max(self._end - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


def _quick(start: bytes) -> dict[str, Any] | None:
    """The decoded elements before the pixels; None where they do not end within `start`."""
    if start[128:132] != b"DICM":
        return None
    stream = io.BytesIO(start)
    stream.seek(132)
    meta = {
        element.tag: element.value
        for element in data_element_generator(
            stream, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2
        )
    }
    syntax = bytes(meta.get(Tag("TransferSyntaxUID")) or b"").strip(b"\0 ").decode("ascii")
    if syntax in ("", DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian):
        return None
    at: list[int] = []

    def pixels(tag: Any, vr: str | None, length: int) -> bool:
        if tag not in _PIXELS:
            return False
        at.append(0 if length == 0xFFFFFFFF else 12 if vr is not None else 8)
        return True

    implicit = syntax == ImplicitVRLittleEndian
    raw = {
        element.tag: element.value or b""
        for element in data_element_generator(
            stream, implicit, True, stop_when=pixels, specific_tags=_TAGS_READ
        )
    }
    if not at:
        return None
    values = _decoded(raw)
    if values.get("frames", ()) > (1.0,):
        return None
    values["transfer_syntax"] = syntax
    values["data_offset"] = stream.tell() + at[0] if at[0] else 0
    return values


def _decoded(raw: dict[Any, Any]) -> dict[str, Any]:
    encodings = pydicom.charset.convert_encodings(
        bytes(raw.get(_CHARSET, b"")).decode("ascii", "replace").strip("\0 ").split("\\")
    )
    values: dict[str, Any] = {}
    for tag, key in _BY_TAG.items():
        if tag not in raw:
            continue
        value = bytes(raw[tag])
        if key in _TEXTS or key in _NAMES:
            values[key] = pydicom.charset.decode_bytes(value, encodings, set()).strip("\0 ")
        elif key in _DECIMALS:
            values[key] = _floats(value.decode("ascii", "replace").strip("\0 ").split("\\"))
        else:
            values[key] = int.from_bytes(value[:2], "little") if len(value) >= 2 else 0
    return values


def _floats(texts: Sequence[object]) -> Floats:
    """The numbers, or nothing where one is none."""
    try:
        numbers = tuple(float(str(text)) for text in texts)
    except ValueError:
        return ()
    return numbers if all(abs(n) < _LARGEST for n in numbers) else ()


def _thorough(path: Path, stream: BinaryIO, start: bytes) -> dict[str, Any] | None:
    """The elements as pydicom reads them, for files out of the ordinary."""
    has_preamble = start[128:132] == b"DICM"
    if not has_preamble and start[:2] not in (b"\x08\0", b"\x02\0"):
        return None
    stream.seek(0)
    dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=not has_preamble)
    if "Rows" not in dataset or not (has_preamble or "SOPClassUID" in dataset):
        return None
    values: dict[str, Any] = {
        key: _plain(dataset.get(keyword, ""))
        for key, keyword in (_TEXTS | _NAMES).items()
        if keyword in dataset
    }
    for key, keyword in _DECIMALS.items():
        if keyword in dataset:
            values[key] = _sequence(dataset[keyword].value)
    for key, keyword in _SHORTS.items():
        if keyword in dataset and dataset[keyword].value is not None:
            values[key] = int(dataset[keyword].value) & 0xFFFF
    syntax = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ImplicitVRLittleEndian)
    values["transfer_syntax"] = str(syntax)
    values["planes"] = _frame_planes(dataset)
    values["frame_windows"] = _frame_windows(dataset)
    values["data_offset"] = _offset(stream) if _is_native(str(syntax)) else 0
    return values


def _is_native(syntax: str) -> bool:
    return syntax not in (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian)


def _offset(stream: BinaryIO) -> int:
    """Where native pixels start, the stream standing at their element."""
    at = stream.tell()
    element = stream.read(12)
    if element[:4] != b"\xe0\x7f\x10\0":
        return 0
    explicit = element[4:6] in (b"OW", b"OB")
    length = element[8:12] if explicit else element[4:8]
    if length == b"\xff\xff\xff\xff":
        return 0
    return at + (12 if explicit else 8)


def _plain(value: Any) -> str:
    if isinstance(value, (list, pydicom.multival.MultiValue)):
        return "\\".join(str(v) for v in value)
    return "" if value is None else str(value).strip("\0 ")


def _sequence(value: Any) -> Floats:
    if value is None or value == "":
        return ()
    several = isinstance(value, (list, tuple, pydicom.multival.MultiValue))
    return _floats(list(value) if several else [value])


def _frame_planes(dataset: Any) -> tuple[FramePlane, ...] | None:
    """The planes of a multi-frame image, or None where there is one frame."""
    count = int(dataset.get("NumberOfFrames", 1) or 1)
    if not 1 <= count <= _MOST_FRAMES:
        raise ValueError(f"{count} frames")
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence", ())
    if count == 1 and not per_frame:
        return None
    shared = dataset.get("SharedFunctionalGroupsSequence", [pydicom.Dataset()])
    if per_frame and len(per_frame) != count:
        raise ValueError("frames and their descriptions differ in number")
    groups = per_frame or [pydicom.Dataset()] * count
    return tuple(_frame_plane(group, shared[0] if shared else {}, dataset) for group in groups)


def _frame_windows(dataset: Any) -> Windows:
    """The windows that most frames of a multi-frame image state."""
    shared = list(dataset.get("SharedFunctionalGroupsSequence", ()))[:1]
    frames = list(dataset.get("PerFrameFunctionalGroupsSequence", ()))
    windows = []
    for group in (*frames, *shared):
        if group.get("FrameVOILUTSequence"):
            stated = group["FrameVOILUTSequence"].value[0]
            widths, centers = (
                _sequence(stated.get(keyword)) for keyword in ("WindowWidth", "WindowCenter")
            )
            windows.append(_windows(_plain(stated.get(_WINDOW_NAMES)), widths, centers))
    return mode(windows) if windows else ()


def _windows(names: str, widths: Floats, centers: Floats) -> Windows:
    """What several elements state together; a file may name fewer windows than it states."""
    pairs = zip(widths, centers, strict=False)
    called = (name.strip() for name in names.split("\\"))
    together = zip_longest(pairs, called, fillvalue="")
    return tuple((str(name), *pair) for pair, name in together if isinstance(pair, tuple))


def _frame_plane(group: Any, shared: Any, dataset: Any) -> FramePlane:
    def find(sequence: str, keyword: str) -> Any:
        for source in (group, shared):
            if source.get(sequence):
                value = source[sequence].value[0].get(keyword)
                if value is not None:
                    return value
        return dataset.get(keyword)

    slope = _sequence(find("PixelValueTransformationSequence", "RescaleSlope")) or (1.0,)
    intercept = _sequence(find("PixelValueTransformationSequence", "RescaleIntercept")) or (0.0,)
    return FramePlane(
        _of_length(_sequence(find("PlanePositionSequence", "ImagePositionPatient")), 3),
        _of_length(_sequence(find("PlaneOrientationSequence", "ImageOrientationPatient")), 6),
        _positive(_of_length(_sequence(find("PixelMeasuresSequence", "PixelSpacing")), 2)),
        slope[0],
        intercept[0],
        _plain(find("FrameContentSequence", "FrameAcquisitionNumber")),
    )


def _header(path: Path, values: dict[str, Any]) -> ImageHeader | None:
    if not values.get("rows") or not values.get("columns"):
        return None
    planes = values.get("planes") or (
        FramePlane(
            _of_length(values.get("position", ()), 3),
            _of_length(values.get("orientation", ()), 6),
            _positive(_of_length(values.get("pixel_mm", ()), 2)),
            (values.get("slope") or (1.0,))[0],
            (values.get("intercept") or (0.0,))[0],
        ),
    )
    signed = values.get("signed", 0) & 1
    bits = values.get("bits", 16)
    padding = values.get("padding")
    if padding is not None and signed and padding >= 0x8000:
        padding -= 0x10000
    texts = {key: values.get(key, "") for key in _TEXTS}
    texts["patient"] = person(texts["patient"])
    return ImageHeader(
        path=str(path),
        **texts,
        thickness=(_positive(values.get("thickness", ())[:1]) or (0.0,))[0],
        slice_location=(values.get("slice_location") or (None,))[0],
        rows=values["rows"],
        columns=values["columns"],
        samples=values.get("samples", 1),
        bits=bits,
        bits_stored=values.get("bits_stored", bits),
        signed=signed,
        padding=padding,
        transfer_syntax=values["transfer_syntax"],
        data_offset=values["data_offset"],
        windows=values.get("frame_windows") or _own_windows(values),
        planes=tuple(planes),
    )


def _own_windows(values: dict[str, Any]) -> Windows:
    names = values.get("window_names", "")
    return _windows(names, values.get("window_widths", ()), values.get("window_centers", ()))


def person(name: str) -> str:
    """A DICOM person's name as it is read: "Doe^Jane" becomes "Doe, Jane"."""
    parts = [part.strip() for part in name.split("=")[0].split("^") if part.strip()]
    return f"{parts[0]}, {' '.join(parts[1:])}" if len(parts) > 1 else "".join(parts)


def _of_length(numbers: Floats, length: int) -> Floats:
    return numbers if len(numbers) == length else ()


def _positive(numbers: Floats) -> Floats:
    return numbers if all(n >= _SMALLEST_MM for n in numbers) else ()
