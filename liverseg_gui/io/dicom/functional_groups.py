"""What multi-frame images state of their frames, in groups that are shared or a frame's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from statistics import mode
from typing import Any

import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue

from liverseg_gui.io.dicom.headers import Floats, FramePlane, Windows
from liverseg_gui.io.dicom.numbers import numbers, of_length, positive

GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
VALUE_TABLE, VALUE_MAPPING = "ModalityLUTSequence", "RealWorldValueMappingSequence"
WINDOW_NAMES = "WindowCenterWidthExplanation"
_MOST_FRAMES = 20_000
_UCUM_HU = "[hnsf'U]"
_CONVERTED = (
    "UnassignedPerFrameConvertedAttributesSequence",
    "UnassignedSharedConvertedAttributesSequence",
)
# what tells frames at one place apart, by name: where it stands
_TRAITS = (
    ("time", "FrameContentSequence", "FrameAcquisitionDateTime"),
    ("time", "FrameContentSequence", "FrameReferenceDateTime"),
    ("time", _CONVERTED[0], "AcquisitionTime"),
    ("temporal position", "FrameContentSequence", "TemporalPositionIndex"),
    ("temporal position", "TemporalPositionSequence", "TemporalPositionTimeOffset"),
    ("temporal position", _CONVERTED[0], "TemporalPositionIdentifier"),
    ("cardiac phase", "CardiacSynchronizationSequence", "NominalPercentageOfCardiacPhase"),
    ("cardiac phase", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    ("cardiac phase", "CardiacSynchronizationSequence", "ActualCardiacTriggerDelayTime"),
    ("cardiac phase", _CONVERTED[0], "TriggerTime"),
    (
        "respiratory phase",
        "RespiratorySynchronizationSequence",
        "NominalPercentageOfRespiratoryPhase",
    ),
    ("contrast", "ContrastBolusUsageSequence", "ContrastBolusAgentNumber"),
    ("contrast", "ContrastBolusUsageSequence", "ContrastBolusAgentAdministered"),
    ("contrast", "ContrastBolusUsageSequence", "ContrastBolusAgentPhase"),
    ("echo time", "MREchoSequence", "EffectiveEchoTime"),
    ("echo time", _CONVERTED[0], "EchoTime"),
    ("kernel", "CTReconstructionSequence", "ConvolutionKernel"),
    ("kernel", _CONVERTED[0], "ConvolutionKernel"),
    ("tube voltage", "CTXRayDetailsSequence", "KVP"),
    ("b value", "MRDiffusionSequence", "DiffusionBValue"),
    ("image type", "CTImageFrameTypeSequence", "FrameType"),
    ("image type", "MRImageFrameTypeSequence", "FrameType"),
    ("image type", "PETFrameTypeSequence", "FrameType"),
    ("stack", "FrameContentSequence", "StackID"),
)


def frame_planes(dataset: Any) -> tuple[FramePlane, ...] | None:
    """The planes of an image with functional groups or several frames, None for any other.

    Where fewer frames are described than there are, the others are left out.
    """
    shared, per_frame = (list(dataset.get(name, None) or ()) for name in GROUPS)
    count = int(dataset.get("NumberOfFrames", None) or len(per_frame) or 1)
    if not 1 <= count <= _MOST_FRAMES:
        raise ValueError(f"{count} frames")
    if count == 1 and not per_frame and not shared:
        return None
    groups = per_frame[:count] or [pydicom.Dataset()] * count
    names = _dimension_names(dataset)
    every = shared[0] if shared else pydicom.Dataset()
    planes = tuple(_plane(group, every, dataset, names) for group in groups)
    if count > 1 and len({plane.position for plane in planes}) == 1 and not per_frame:
        return tuple(replace(plane, position=()) for plane in planes)  # one place is none
    return planes


def described(dataset: Any) -> tuple[int, int]:
    """How many frames the image says it has, and how many it describes; equal where all is well."""
    stated = int(dataset.get("NumberOfFrames", None) or 0)
    per_frame = len(dataset.get(GROUPS[1], None) or ())
    return (stated, per_frame) if stated and per_frame else (0, 0)


def shared_measure(dataset: Any, keyword: str) -> Any:
    """A measure of the pixels (SliceThickness) that the groups state for the first frame."""
    sources = tuple(_first(dataset, name) for name in reversed(GROUPS))
    return _find(sources, "PixelMeasuresSequence", keyword)


def frame_windows(dataset: Any) -> Windows:
    """The windows that most frames of a multi-frame image state."""
    shared = list(dataset.get(GROUPS[0], None) or ())[:1]
    frames = list(dataset.get(GROUPS[1], None) or ())
    found = []
    for group in (*frames, *shared):
        if group.get("FrameVOILUTSequence"):
            stated = group["FrameVOILUTSequence"].value[0]
            widths, centers = (
                numbers(stated.get(keyword)) for keyword in ("WindowWidth", "WindowCenter")
            )
            found.append(windows(element_text(stated.get(WINDOW_NAMES)), widths, centers))
    return mode(found) if found else ()


def windows(names: str, widths: Floats, centers: Floats) -> Windows:
    """What several elements state together; a file may name fewer windows than it states."""
    pairs = zip(widths, centers, strict=False)
    called = (name.strip() for name in names.split("\\"))
    together = zip_longest(pairs, called, fillvalue="")
    return tuple((str(name), *pair) for pair, name in together if isinstance(pair, tuple))


def value_unit(dataset: Any) -> str:
    """What the values of the first frame are in, by the table, the rescale type or the mapping."""
    groups = [_first(dataset, name) for name in reversed(GROUPS)]
    for source in (*groups, dataset):
        for sequence, keyword in (
            (VALUE_TABLE, "ModalityLUTType"),
            ("PixelValueTransformationSequence", "RescaleType"),
        ):
            items = source.get(sequence)
            stated = element_text(items[0].get(keyword)) if items else ""
            if stated:
                return stated
    if element_text(dataset.get("RescaleType")):
        return element_text(dataset.get("RescaleType"))
    for source in (*groups, dataset):
        for mapping in source.get(VALUE_MAPPING) or ():
            codes = mapping.get("MeasurementUnitsCodeSequence") or ()
            code = element_text(codes[0].get("CodeValue")) if codes else ""
            if code:
                return "HU" if code == _UCUM_HU else code
    return ""


def element_text(value: Any) -> str:
    """An element's value as text."""
    if isinstance(value, (list, MultiValue)):
        return "\\".join(str(v) for v in value)
    return "" if value is None else str(value).strip("\0 ")


def _first(dataset: Any, sequence: str) -> Any:
    return next(iter(dataset.get(sequence, None) or ()), pydicom.Dataset())


def _find(sources: tuple[Any, ...], sequence: str, keyword: str) -> Any:
    for source in sources:
        if source.get(sequence):
            value = source[sequence].value[0].get(keyword)
            if value is not None:
                return value
    return None


def _plane(group: Any, shared: Any, dataset: Any, names: tuple[str, ...]) -> FramePlane:
    def find(sequence: str, keyword: str) -> Floats:
        stated = numbers(_find((group, shared), sequence, keyword))
        return stated or numbers(dataset.get(keyword))

    slope = find("PixelValueTransformationSequence", "RescaleSlope")
    intercept = find("PixelValueTransformationSequence", "RescaleIntercept")
    converted = _find((group,), _CONVERTED[0], "AcquisitionNumber")
    content = _find((group, shared), "FrameContentSequence", "FrameAcquisitionNumber")
    return FramePlane(
        of_length(find("PlanePositionSequence", "ImagePositionPatient"), 3),
        of_length(find("PlaneOrientationSequence", "ImageOrientationPatient"), 6),
        positive(of_length(find("PixelMeasuresSequence", "PixelSpacing"), 2)),
        (slope or (None,))[0],
        (intercept or (None,))[0],
        element_text(converted if content is None else content),
        tuple(dict(_traits(group, shared, names)).items()),
    )


def _traits(group: Any, shared: Any, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What may tell the frame from others at its place; the last of a name counts."""
    for name, sequence, keyword in reversed(_TRAITS):
        value = element_text(_find((group, shared), sequence, keyword))
        if value:
            yield name, value
    content = _first(group, "FrameContentSequence")
    values = content.get("DimensionIndexValues", None)
    indices = values if isinstance(values, (list, MultiValue)) else [values]
    for n, index in enumerate(indices):
        if index is not None:
            yield (names[n] if n < len(names) else f"dimension {n + 1}"), str(index)


def _dimension_names(dataset: Any) -> tuple[str, ...]:
    """What the dimension indices count, in the files' own words."""
    items = dataset.get("DimensionIndexSequence", None) or ()
    pointers = [item.get("DimensionIndexPointer") for item in items]
    return tuple(
        f"dimension {n} ({(p and keyword_for_tag(p)) or 'unnamed'})"
        for n, p in enumerate(pointers, 1)
    )
