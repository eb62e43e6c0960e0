"""Fast reader of DICOM image headers, without the pixels.

pydicom's element generator walks the first kilobytes; only the elements in `_TEXTS`, `_DECIMALS`
and `_SHORTS` are decoded. Anything out of the ordinary (deflated files, files without a preamble,
several frames) is left to `pydicom.dcmread`.
"""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
import pydicom.charset
from pydicom.filereader import data_element_generator
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
)

from liverseg_gui.io.dicom.functional_groups import (
    GROUPS,
    VALUE_MAPPING,
    VALUE_TABLE,
    WINDOW_NAMES,
    described,
    element_text,
    frame_planes,
    frame_windows,
    shared_measure,
    value_unit,
    windows,
)
from liverseg_gui.io.dicom.headers import Floats, FramePlane, ImageHeader, Remark, Windows
from liverseg_gui.io.dicom.numbers import numbers, of_length, pixel_size, positive
from liverseg_gui.system.regular_file import regular_only

_FIRST_READS = (1 << 14, 1 << 18, 1 << 26)
_PIXELS, _WHOLE_NUMBERS = {Tag(0x7FE00008), Tag(0x7FE00009), Tag(0x7FE00010)}, Tag(0x7FE00010)
SWAPPED_PIXELS = "1.2.840.113619.5.2"
"""GE's private syntax: implicit and little-endian elements, big-endian pixels."""
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
    "lossy_method": "LossyImageCompressionMethod",
    "unit": "RescaleType",
    "acquisition_moment": "AcquisitionDateTime",
    "cardiac_phase": "NominalPercentageOfCardiacPhase",
    "trigger": "TriggerTime",
    "voltage": "KVP",
    "b_value": "DiffusionBValue",
    "protocol": "ProtocolName",
    "comments": "ImageComments",
    "patient_position": "PatientPosition",
    "concatenation": "ConcatenationUID",
    "concatenation_part": "InConcatenationNumber",
    "concatenation_parts": "InConcatenationTotalNumber",
    "images_in_series": "NumberOfSeriesRelatedInstances",
    "images_in_acquisition": "ImagesInAcquisition",
}
_DECIMALS = {
    "position": "ImagePositionPatient",
    "orientation": "ImageOrientationPatient",
    "pixel_mm": "PixelSpacing",
    "thickness": "SliceThickness",
    "step": "SpacingBetweenSlices",
    "slice_location": "SliceLocation",
    "imager_mm": "ImagerPixelSpacing",
    "nominal_mm": "NominalScannedPixelSpacing",
    "diameter": "ReconstructionDiameter",
    "aspect": "PixelAspectRatio",
    "tilt": "GantryDetectorTilt",
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
    "high_bit": "HighBit",
    "signed": "PixelRepresentation",
    "padding": "PixelPaddingValue",
    "padding_limit": "PixelPaddingRangeLimit",
}
_NAMES = {"window_names": WINDOW_NAMES, "pixel_text": "PixelSpacing"}
_BY_KEY = {
    key: Tag(keyword)
    for keywords in (_TEXTS, _NAMES, _DECIMALS, _SHORTS)
    for key, keyword in keywords.items()
}
_CHARSET = Tag("SpecificCharacterSet")
_NESTED = tuple(Tag(keyword) for keyword in (VALUE_TABLE, VALUE_MAPPING, *GROUPS))
_NO_SHORTS = [tag for key, tag in _BY_KEY.items() if key not in _SHORTS]
_BINARY_VRS = ("FD", "FL", "SL", "SS", "UL", "US")
_TAGS_READ: list[Any] = [*_BY_KEY.values(), _CHARSET, *_NESTED]
_CHARSET_NAME = re.compile(r"^ISO[ _-]?IR[ _-]?(\d+)$", re.IGNORECASE)
_LATIN = ("iso8859", "latin_1", "iso8859_1")
_CT_CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
_CLASSES = {"MR": "MR", "Positron": "PT", "PET": "PT", "Nuclear Medicine": "NM"}
_NAME_DELIMITERS = {ord("^"), ord("=")}


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
            if values is not None:
                stream.seek(0)
                size = header_size(values["data_offset"])
                values["checksum"] = zlib.crc32(stream.read(size))
        return None if values is None else _header(path, values)
    except OSError:
        return None
    except MemoryError:
        raise
    except Exception:  # pydicom may fail in any way on a damaged file, which then is no image
        return None


def header_size(data_offset: int) -> int:
    """How many bytes of a file tell whether its header is the same; pixels start at `data_offset`.

    Where they are compressed, headers that are longer are compared in part.
    """
    return data_offset or _FIRST_READS[0]


def is_dicom(path: Path) -> bool:
    """Whether `path` is a whole DICOM object of any kind, with an image in it or not.

    What calls itself an image and has no size is cut short.
    """
    try:
        with BoundedFile(path) as stream:
            tags = ["SOPClassUID", "DirectoryRecordSequence", "Rows"]
            found = pydicom.dcmread(stream, specific_tags=tags)
        image = "Image Storage" in UID(str(found.get("SOPClassUID", ""))).name
        return len(found) > 0 and ("Rows" in found or not image)
    except MemoryError:
        raise
    except Exception:  # pydicom may fail in any way on a damaged file
        return False


class BoundedFile(io.BufferedReader):
    """A file that never takes memory for more bytes than it has, whatever a header asks for."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, opener=regular_only))
        self._end = os.fstat(self.fileno()).st_size

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
        in_place = tag == _WHOLE_NUMBERS and length != 0xFFFFFFFF
        at.append((12 if vr is not None else 8) if in_place else 0)
        return True

    implicit = syntax in (ImplicitVRLittleEndian, SWAPPED_PIXELS)
    elements = {
        element.tag: element
        for element in data_element_generator(
            stream, implicit, True, stop_when=pixels, specific_tags=_TAGS_READ
        )
    }
    if not at or any(tag in elements for tag in _NESTED):
        return None
    if any(elements[tag].VR in _BINARY_VRS for tag in _NO_SHORTS if tag in elements):
        return None
    raw = {tag: element.value or b"" for tag, element in elements.items()}
    values = _decoded(raw)
    if values.get("frames", ()) > (1.0,):
        return None
    values["transfer_syntax"] = syntax
    stored_class = bytes(meta.get(Tag("MediaStorageSOPClassUID")) or b"")
    values["stored_class"] = stored_class.decode("ascii", "replace").strip("\0 ")
    values["data_offset"] = stream.tell() + at[0] if at[0] else 0
    return values


def _decoded(raw: dict[Any, Any]) -> dict[str, Any]:
    charset = bytes(raw.get(_CHARSET, b"")).decode("ascii", "replace").strip("\0 ")
    encodings = _encodings(charset.split("\\"))
    values: dict[str, Any] = {}
    for key, tag in _BY_KEY.items():
        if tag not in raw:
            continue
        value = bytes(raw[tag])
        if key in _TEXTS or key in _NAMES:
            values[key] = _text(value, encodings)
        elif key in _DECIMALS:
            values[key] = numbers(value)
        else:
            values[key] = int.from_bytes(value[:2], "little") if len(value) >= 2 else 0
    return values


def _encodings(stated: Sequence[str]) -> list[str]:
    """Python's names for the character sets that a file states, however it spells them."""
    return pydicom.charset.convert_encodings(
        [_CHARSET_NAME.sub(r"ISO_IR \1", name.strip()) for name in stated]
    )


def _text(value: bytes, encodings: list[str]) -> str:
    """A text or a person's name. UTF-8 that is called Latin is no other text."""
    if encodings[0] in _LATIN and not value.isascii() and b"\x1b" not in value:
        with suppress(UnicodeDecodeError):
            return value.decode("utf-8").strip("\0 ")
    return pydicom.charset.decode_bytes(value, encodings, _NAME_DELIMITERS).strip("\0 ")


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
        key: element_text(_value(dataset, keyword))
        for key, keyword in (_TEXTS | _NAMES).items()
        if keyword in dataset
    }
    for key, keyword in _DECIMALS.items():
        if keyword in dataset:
            values[key] = numbers(_value(dataset, keyword))
    for key, keyword in _SHORTS.items():
        if keyword in dataset and dataset[keyword].value is not None:
            values[key] = int(dataset[keyword].value) & 0xFFFF
    syntax = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID", ImplicitVRLittleEndian)
    name = getattr(dataset.get("PatientName"), "original_string", b"")
    if isinstance(name, bytes) and name:
        stated = dataset.get("SpecificCharacterSet") or ""
        values["patient"] = _text(name, _encodings([stated] if isinstance(stated, str) else stated))
    values["transfer_syntax"] = str(syntax)
    values["value_table"] = bool(dataset.get(VALUE_TABLE))
    values["unit"] = value_unit(dataset)
    values["planes"] = frame_planes(dataset)
    values["frame_windows"] = frame_windows(dataset)
    for key in ("thickness", "step", "pixel_mm"):
        values[key] = values.get(key) or numbers(shared_measure(dataset, _DECIMALS[key]))
    values["pixel_text"] = values.get("pixel_text") or element_text(
        shared_measure(dataset, _DECIMALS["pixel_mm"])
    )
    values["stored_class"] = element_text(
        getattr(dataset, "file_meta", {}).get("MediaStorageSOPClassUID")
    )
    values["described"] = described(dataset)
    values["data_offset"] = _offset(stream) if _is_native(str(syntax)) else 0
    return values


def _value(dataset: Any, keyword: str) -> Any:
    """The value of an element, as it stands in the file where pydicom cannot make sense of it."""
    try:
        return dataset[keyword].value
    except (ValueError, TypeError, ArithmeticError):
        raw = dataset.get_item(keyword).value
        return raw.decode("latin-1") if isinstance(raw, bytes) else raw


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


def _header(path: Path, values: dict[str, Any]) -> ImageHeader | None:
    if not values.get("rows") or not values.get("columns"):
        return None
    remarks: list[Remark] = []
    planes = values.get("planes") or ()
    known = bool(planes) and all(plane.pixel_mm for plane in planes)
    pixel_mm = () if known else pixel_size(values, remarks)
    planes = planes or (
        FramePlane(
            of_length(values.get("position", ()), 3),
            of_length(values.get("orientation", ()), 6),
            pixel_mm,
            *_rescale(values.get("slope", ()), values.get("intercept", ())),
        ),
    )
    planes = [p if p.pixel_mm else replace(p, pixel_mm=pixel_mm) for p in planes]
    signed = values.get("signed", 0) & 1
    bits = values.get("bits", 16)
    padding, limit = (_signed(values.get(key), signed) for key in ("padding", "padding_limit"))
    bits_stored = values.get("bits_stored", bits)
    texts = {key: values.get(key, "") for key in _TEXTS}
    texts["patient_names"] = texts["patient"]
    texts["patient"] = person(texts["patient"])
    texts["sop_class"] = texts["sop_class"] or values.get("stored_class", "")
    texts["modality"] = _modality(texts, remarks)
    stated, told = values.get("described", (0, 0))
    if stated != told:
        remarks.append(
            (
                "frames-missing",
                f"The file says that it holds {stated} frames and describes {told} of them: slices "
                "may be missing.",
            )
        )
    return ImageHeader(
        path=str(path),
        **texts,
        value_table=values.get("value_table", False),
        thickness=(positive(values.get("thickness", ())[:1]) or (0.0,))[0],
        step=(positive(values.get("step", ())[:1]) or (0.0,))[0],
        tilt=(values.get("tilt") or (0.0,))[0],
        slice_location=(values.get("slice_location") or (None,))[0],
        rows=values["rows"],
        columns=values["columns"],
        samples=values.get("samples", 1),
        bits=bits,
        bits_stored=bits_stored,
        high_bit=values.get("high_bit", bits_stored - 1),
        signed=signed,
        padding=padding,
        padding_limit=limit,
        transfer_syntax=values["transfer_syntax"],
        data_offset=values["data_offset"],
        checksum=values["checksum"],
        remarks=tuple(remarks),
        windows=values.get("frame_windows") or _own_windows(values),
        planes=tuple(planes),
    )


def _modality(texts: dict[str, str], remarks: list[Remark]) -> str:
    """The modality, by the kind of object or the unit where the file states none it can be."""
    stated = texts["modality"].upper()
    kind = UID(texts["sop_class"]).name
    if texts["sop_class"] in _CT_CLASSES:
        by_class = "CT"
    else:
        by_class = next((m for name, m in _CLASSES.items() if name in kind), "")
    if stated and (stated not in ("OT", "UN") or not by_class):
        return stated
    found = by_class or ("CT" if texts["unit"].upper() == "HU" else "")
    said = f"say {stated} for their modality" if stated else "do not state their modality"
    if found:
        why = f"kind of object ({kind})" if by_class else "unit (HU)"
        remarks.append(("modality-assumed", f"The files {said}: they are {found} by their {why}."))
    return found or stated


def _own_windows(values: dict[str, Any]) -> Windows:
    names = values.get("window_names", "")
    return windows(names, values.get("window_widths", ()), values.get("window_centers", ()))


def _rescale(slope: Floats, intercept: Floats) -> tuple[float | None, float | None]:
    return (slope or (None,))[0], (intercept or (None,))[0]


def _signed(number: int | None, signed: int) -> int | None:
    """The number of 16 bits as one of the pixels' kind."""
    return number - 0x10000 if number is not None and signed and number >= 0x8000 else number


def person(name: str) -> str:
    """A DICOM person's name as it is read: "Doe^Jane" becomes "Doe, Jane".

    Of the groups of writing (alphabetic, ideographic, phonetic) it is the first that holds any.
    """
    group = next((g for g in name.split("=") if g.strip("^ ")), "")
    parts = [part.strip() for part in group.split("^") if part.strip()]
    return f"{parts[0]}, {' '.join(parts[1:])}" if len(parts) > 1 else "".join(parts)
