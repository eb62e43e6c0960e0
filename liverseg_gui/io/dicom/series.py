"""Images sorted into series, and each series into stacks: one orientation, size and phase each."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from liverseg_gui.core.scan_issues import Concern, ScanIssue, info, warning
from liverseg_gui.io.dicom.headers import Floats, ImageHeader
from liverseg_gui.io.dicom.splitting import split
from liverseg_gui.io.dicom.stacks import NO_IMAGES, SAME_PLACE_MM, Slice, Stack
from liverseg_gui.io.entries import Role

_SAME_DIRECTION = 2e-3
_WOBBLE = 1e-4
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_CROSS_SECTIONS = ("CT", "MR", "PT", "NM")
_SCOUT = re.compile(r"scout|topogram|locali[sz]er|surview|scanogram", re.IGNORECASE)
_NO_CT_BITS = 8
"""HU do not fit into these: masks and pictures do."""
_FEWEST = 3
_STEP_TOLERANCE = 0.15
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_ARCHIVE = "Export the series again from the archive."
_REMARKS = {
    remark.code: remark
    for remark in (
        warning("modality-assumed", "", "Check that it is one."),
        warning("pixel-spacing-assumed", "", _ARCHIVE, Concern.MM),
        info("pixel-spacing-misspelled", ""),
        warning("frames-missing", "", "Copy the series again from its source.", Concern.MM),
    )
}
"""The findings that remarks of headers become."""


def make_stacks(headers: Iterable[ImageHeader]) -> list[Stack]:
    """Sort images into stacks, the volumes first, each in the order of study and series."""
    series: dict[tuple[str, ...], list[ImageHeader]] = defaultdict(list)
    for header in headers:
        if header.modality in NO_IMAGES:
            continue
        named: tuple[str, ...] = ()
        if not header.series_uid:
            named = (str(Path(header.path).parent), header.series_number, header.description)
        key = (header.patient_id, header.study_uid, header.series_uid, header.modality, *named)
        series[key].append(header)
    groups, joined = _with_scattered(list(series.values()))
    stacks = [stack for group in groups for stack in _of_series(group, [])]
    stacks += [stack for group in joined for stack in _of_series(group, [_own_uids(len(group))])]
    return sorted(_set_aside_singles(stacks), key=_order)


def _order(stack: Stack) -> tuple[object, ...]:
    first = stack.first
    number = int(first.series_number) if first.series_number.isdigit() else 0
    return (
        list(Role).index(stack.role),
        *(first.patient_id, first.study_date, first.study_uid),
        *(number, first.series_uid, stack.part, Path(first.path)),
    )


def _set_aside_singles(stacks: list[Stack]) -> list[Stack]:
    """Single images count as volumes only where there is nothing larger in the same study."""
    largest: dict[str, int] = defaultdict(int)
    for stack in stacks:
        if stack.role is Role.VOLUME:
            study = stack.first.study_uid
            largest[study] = max(largest[study], len(stack.slices))
    return [
        replace(stack, role=Role.SINGLE)
        if stack.role is Role.VOLUME
        and len(stack.slices) == 1
        and largest[stack.first.study_uid] > 1
        else stack
        for stack in stacks
    ]


def _with_scattered(
    groups: list[list[ImageHeader]],
) -> tuple[list[list[ImageHeader]], list[list[ImageHeader]]]:
    """The series, and those joined of images that each call themselves a series of their own.

    De-identification gives every file new identifiers, at times those of study and frame of
    reference too. Images are joined where all else agrees and they lie in regular steps.
    """
    alike: dict[tuple[object, ...], list[list[ImageHeader]]] = defaultdict(list)
    rest = []
    for group in groups:
        header = group[0]
        if len(group) > 1 or len(header.planes) > 1 or _role(header) is not Role.VOLUME:
            rest.append(group)
            continue
        key = (
            *(str(Path(header.path).parent), header.patient_id, header.study_date),
            *(header.modality, header.series_number, header.description, header.protocol),
            *(header.rows, header.columns, header.samples, header.thickness),
        )
        alike[key].append(group)
    joined = []
    for members in alike.values():
        headers = [group[0] for group in members]
        agree = all(
            len(set(values)) in (1, len(values))
            for values in (
                [h.study_uid for h in headers],
                [h.frame_of_reference for h in headers],
            )
        )
        if agree and _regular(headers):
            joined.append(headers)
        else:
            rest += members
    return rest, joined


def _regular(headers: list[ImageHeader]) -> bool:
    """Whether single images lie one over the other, most of them in equal steps."""
    slices = [Slice(h, 0, h.planes[0]) for h in headers]
    first = slices[0]
    if not _usable(first.plane.orientation) or not all(s.plane.position for s in slices):
        return False
    if not all(_fits(first, s) for s in slices):
        return False
    positions = np.array([s.plane.position for s in slices])
    depths = np.sort(positions @ np.array(first.normal))
    steps = np.diff(depths)
    steps = steps[steps > SAME_PLACE_MM]
    if len(steps) < _FEWEST - 1:
        return False
    usual = float(np.median(steps))
    sideways = positions - np.outer(positions @ np.array(first.normal), first.normal)
    multiple = np.rint(steps / usual)
    even = (np.abs(steps - multiple * usual) <= _STEP_TOLERANCE * usual) & (multiple >= 1)
    aligned = float(np.ptp(sideways, axis=0).max()) <= max(first.plane.pixel_mm or (1.0,))
    return aligned and bool(even.all()) and bool((multiple == 1).mean() >= 0.5)


def _own_uids(count: int) -> ScanIssue:
    return warning(
        "series-joined",
        f"Each of the {count} images calls itself a series of its own, as some programs write that "
        "remove names. They agree in all else and were put together.",
        "Look through the slices: they should fit to each other.",
    )


def _of_series(headers: list[ImageHeader], found: Sequence[ScanIssue]) -> list[Stack]:
    once, again = _without_copies(headers)
    stacks: list[Stack] = []
    lacking = [*found, *_incomplete(once)]
    groups = _alike(once)
    for group in groups:
        role = _role(group[0].header)
        placed, issues = _placed(group)
        if role is Role.VOLUME:
            issues += _mixed(group, groups)
        issues += [*_remarks(group), *(lacking if role is Role.VOLUME else ())]
        if again:
            issues.append(
                info(
                    "duplicate-files",
                    f"{again} images of the series are there twice; each was taken once.",
                )
            )
        if placed is None:
            stacks += [Stack((_filled(s, 0),), Role.SECONDARY, "", tuple(issues)) for s in group]
            continue
        ordered = sorted(placed, key=lambda s: (s.depth, s.instance or 0, s.header.path, s.frame))
        for part, members, more in split(ordered):
            stacks.append(Stack(tuple(members), role, part, (*issues, *more)))
    return stacks


def _without_copies(headers: list[ImageHeader]) -> tuple[list[ImageHeader], int]:
    """The images that differ in more than their file, and how many did not."""
    seen: dict[object, ImageHeader] = {}
    for header in headers:
        identity = (
            header.instance_uid or header.path,
            *(header.planes, header.acquisition, header.acquisition_time, header.instance),
            *(header.series_number, header.description, header.kernel, header.image_type),
            *(header.temporal, header.trigger, header.echo, header.voltage, header.contrast),
        )
        seen.setdefault(identity, header)
    return list(seen.values()), len(headers) - len(seen)


def _incomplete(headers: list[ImageHeader]) -> list[ScanIssue]:
    """What the series says of images that are not there."""
    lacking = [*_missing_parts(headers), *_fewer_than_stated(headers)]
    numbers = [int(h.instance) for h in headers if h.instance.isdigit()]
    if not lacking and len(numbers) > 1 and min(numbers) > 1:
        lacking.append(
            info(
                "starts-late",
                f"The images of the series are numbered from {min(numbers)} on: those before may "
                "lie elsewhere.",
                "Look at the first and the last slice: the liver should end before them.",
            )
        )
    return lacking


def _missing_parts(headers: list[ImageHeader]) -> list[ScanIssue]:
    """The parts of objects that were cut into several files (concatenations) and are not there."""
    objects: dict[str, list[ImageHeader]] = defaultdict(list)
    for header in headers:
        if header.concatenation:
            objects[header.concatenation].append(header)
    issues = []
    for parts in objects.values():
        there = {int(h.concatenation_part) for h in parts if h.concatenation_part.isdigit()}
        totals = [int(h.concatenation_parts) for h in parts if h.concatenation_parts.isdigit()]
        total = max([*totals, *there, 2 if len(parts) == 1 else 1])
        gone = sorted(set(range(1, total + 1)) - there)
        if gone:
            which = ", ".join(map(str, gone))
            issues.append(
                _not_there(
                    f"The image was cut into {total if totals else 'several'} files, and not all "
                    f"are there (part {which} is missing)"
                )
            )
    return issues


def _fewer_than_stated(headers: list[ImageHeader]) -> list[ScanIssue]:
    stated = max(
        (int(h.images_in_series) for h in headers if h.images_in_series.isdigit()), default=0
    )
    if stated > len(headers):
        return [_not_there(f"The series has {stated} images, and {len(headers)} are there")]
    counted = Counter(h.acquisition for h in headers)
    for header in headers:
        count = header.images_in_acquisition
        if count.isdigit() and int(count) > max(counted[header.acquisition], len(header.planes)):
            return [
                _not_there(
                    f"Acquisition {header.acquisition or 'of the series'} has {count} images, and "
                    f"{counted[header.acquisition]} are there"
                )
            ]
    return []


def _not_there(what: str) -> ScanIssue:
    return warning(
        "incomplete-series",
        f"{what}: slices are missing, and mm and ml are not reliable.",
        "Copy or export the series again, whole.",
        Concern.MM,
    )


def _mixed(group: list[Slice], groups: list[list[Slice]]) -> list[ScanIssue]:
    """Whether images of the series do not fit to those of `group`, and may be part of the scan."""
    plane = group[0].plane
    others = [
        other
        for other in groups
        if other is not group
        and _role(other[0].header) is Role.VOLUME
        and _close(other[0].plane.orientation, plane.orientation)
    ]
    count = sum(map(len, others))
    if not count:
        return []
    return [
        warning(
            "mixed-series",
            f"{count} more images of the series have another size, pixel size or no place, and are "
            f"not among these {len(group)}.",
            "Look at the first and the last slice: the whole liver should lie between them.",
        )
    ]


def _remarks(group: list[Slice]) -> list[ScanIssue]:
    """The findings of the headers about what they state, each once."""
    told = dict(remark for s in reversed(group) for remark in s.header.remarks)
    return [
        replace(_REMARKS[code], message=message)
        for code, message in told.items()
        if code in _REMARKS
    ]


def _role(header: ImageHeader) -> Role:
    if header.sop_class.startswith(_SECONDARY_CAPTURE) or header.modality not in _CROSS_SECTIONS:
        return Role.SECONDARY
    if "LOCALIZER" in header.image_type or _SCOUT.search(header.description):
        return Role.LOCALIZER
    if header.modality == "CT" and header.bits_stored <= _NO_CT_BITS:
        return Role.EIGHT_BIT
    return Role.VOLUME


def _alike(headers: list[ImageHeader]) -> list[list[Slice]]:
    """Frames of one size, orientation and pixel size each."""
    groups: list[list[Slice]] = []
    for header in headers:
        for frame, plane in enumerate(header.planes):
            one = Slice(header, frame, plane)
            home = next((group for group in groups if _fits(group[0], one)), None)
            if home is None:
                groups.append([one])
            else:
                home.append(one)
    return groups


def _fits(a: Slice, b: Slice) -> bool:
    first, second = a.header, b.header
    return (
        (first.rows, first.columns, first.samples) == (second.rows, second.columns, second.samples)
        and _role(first) is _role(second)
        and _close(a.plane.orientation, b.plane.orientation)
        and _close(a.plane.pixel_mm, b.plane.pixel_mm)
        and len(a.plane.position) == len(b.plane.position)
    )


def _close(a: Floats, b: Floats) -> bool:
    return len(a) == len(b) and all(
        abs(x - y) <= _SAME_DIRECTION for x, y in zip(a, b, strict=True)
    )


def _placed(group: list[Slice]) -> tuple[list[Slice] | None, list[ScanIssue]]:
    """`group` with what its files do not say filled in as well as can be, and what was missing.

    None where the images have no place in the patient at all, as secondary captures.
    """
    plane, header = group[0].plane, group[0].header
    issues: list[ScanIssue] = []
    if not plane.position and not plane.orientation and header.modality not in ("CT", "MR", "PT"):
        return None, issues
    if not plane.pixel_mm:
        issues.append(
            warning(
                "no-pixel-spacing",
                dict(header.remarks).get("no-pixel-spacing")
                or "The files do not give the size of a pixel: 1 mm is assumed, and mm and ml are "
                "not reliable.",
                "Export the series again from the archive.",
                Concern.MM,
            )
        )
    if not _usable(plane.orientation):
        what = "give an impossible orientation" if plane.orientation else "give no orientation"
        issues.append(
            warning(
                "no-orientation",
                f"The files {what}: axial slices of a patient on the back are assumed, and left "
                f"and right may be swapped.{_position(header)}",
                "Compare the liver's side with another picture of the patient.",
            )
        )
    if not plane.position:
        issues.append(
            warning(
                "no-position",
                "The files do not say where the slices lie: their order and distance are taken "
                "from their numbers or locations, mm and ml are not reliable, and head and feet "
                "may be swapped.",
                "Export the series again from the archive.",
                Concern.MM,
            )
        )
    placed = [_filled(s, n) for n, s in enumerate(group)]
    return _of_one_orientation(placed, issues), issues


def _position(header: ImageHeader) -> str:
    stated = header.patient_position
    on_the_back = stated in ("", "HFS", "FFS")
    return "" if on_the_back else f" The files call the patient's position {stated}."


def _of_one_orientation(group: list[Slice], issues: list[ScanIssue]) -> list[Slice]:
    """The slices with the median of their directions, so that all lie along one normal."""
    directions = np.array([s.plane.orientation for s in group])
    wobble = float(np.ptp(directions, axis=0).max())
    if wobble == 0:
        return group
    usual = tuple(float(x) for x in np.median(directions, axis=0))
    if wobble > _WOBBLE:
        issues.append(
            info(
                "directions-vary",
                f"The directions of rows and columns differ by up to {np.degrees(wobble):.2g} "
                "degrees from slice to slice; the median was taken for all.",
            )
        )
    return [replace(s, plane=replace(s.plane, orientation=usual)) for s in group]


def _usable(orientation: Floats) -> bool:
    """Whether the directions along a row and along a column are about unit and at right angles."""
    if not orientation:
        return False
    row, column = orientation[:3], orientation[3:]
    lengths = [sum(x * x for x in axis) ** 0.5 for axis in (row, column)]
    product = sum(x * y for x, y in zip(row, column, strict=True))
    return all(0.5 < length < 2 for length in lengths) and abs(product) < 0.5


def _filled(one: Slice, n: int) -> Slice:
    plane, header = one.plane, one.header
    orientation = plane.orientation if _usable(plane.orientation) else _AXIAL
    pixel_mm = plane.pixel_mm or (1.0, 1.0)
    filled = replace(one, plane=replace(plane, orientation=orientation, pixel_mm=pixel_mm))
    if plane.position:
        return filled
    along = header.slice_location if len(header.planes) == 1 else None
    if along is None:  # images are usually numbered from the head
        number = one.instance if one.instance is not None else n
        along = -number * (header.step or header.thickness or 1.0)
    position = tuple(x * along for x in filled.normal)
    return replace(filled, plane=replace(filled.plane, position=position))
