"""Images sorted into stacks: one series, orientation, size and contrast phase each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from liverseg_gui.core.scan_issues import Concern, ScanIssue, error, info, warning
from liverseg_gui.io.dicom.headers import Floats, FramePlane, ImageHeader
from liverseg_gui.io.entries import Role

_SAME_PLACE_MM = 0.02
_SAME_DIRECTION = 2e-3
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
NO_IMAGES = ("SEG", "RTSTRUCT", "RTDOSE", "RTPLAN", "SR", "PR", "KO", "REG")
_CROSS_SECTIONS = ("CT", "MR", "PT", "NM")
_SCOUT = re.compile(r"scout|topogram|locali[sz]er|surview|scanogram", re.IGNORECASE)
_FEWEST, _MOST_INTERLEAVED = 3, 6
_AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True)
class Slice:
    """One frame of an image and where it lies."""

    header: ImageHeader
    frame: int
    plane: FramePlane

    @cached_property
    def normal(self) -> tuple[float, float, float]:
        """The direction from slice to slice, LPS."""
        a, b, c, d, e, f = self.plane.orientation
        return b * f - c * e, c * d - a * f, a * e - b * d

    @cached_property
    def depth(self) -> float:
        """Where the slice lies along its normal, mm."""
        return sum(n * p for n, p in zip(self.normal, self.plane.position, strict=True))

    @property
    def instance(self) -> int | None:
        """Its number in the series, or None."""
        try:
            return int(self.header.instance) + self.frame
        except ValueError:
            return None


@dataclass(frozen=True)
class Stack:
    """Slices that make one volume, sorted by depth. `part` tells it from others of its series."""

    slices: tuple[Slice, ...]
    role: Role
    part: str = ""
    issues: tuple[ScanIssue, ...] = ()

    @property
    def first(self) -> ImageHeader:
        """The header that speaks for all."""
        return self.slices[0].header


def make_stacks(headers: Iterable[ImageHeader]) -> list[Stack]:
    """Sort images into stacks, the volumes first, each in the order of study and series."""
    series: dict[tuple[str, ...], list[ImageHeader]] = defaultdict(list)
    for header in headers:
        if header.modality in NO_IMAGES:
            continue
        folder = "" if header.series_uid else str(Path(header.path).parent)
        key = (header.patient_id, header.study_uid, header.series_uid, header.modality, folder)
        series[key].append(header)
    stacks = [stack for group in series.values() for stack in _of_series(group)]
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


def _of_series(headers: list[ImageHeader]) -> list[Stack]:
    once, again = _without_copies(headers)
    stacks: list[Stack] = []
    for group in _alike(once):
        role = _role(group[0].header)
        placed, issues = _placed(group)
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
        for part, members, more in _phases(ordered):
            stacks.append(Stack(tuple(members), role, part, (*issues, *more)))
    return stacks


def _without_copies(headers: list[ImageHeader]) -> tuple[list[ImageHeader], int]:
    """The images that differ in more than their file, and how many did not."""
    seen: dict[object, ImageHeader] = {}
    for header in headers:
        identity = (
            header.instance_uid or header.path,
            *(header.planes, header.acquisition, header.acquisition_time, header.instance),
        )
        seen.setdefault(identity, header)
    return list(seen.values()), len(headers) - len(seen)


_NO_CT_BITS = 8
"""HU do not fit into these: masks and pictures do."""


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
                "The files do not give the size of a pixel: 1 mm is assumed, and mm and ml are "
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
                "and right may be swapped.",
                "Compare the liver's side with another picture of the patient.",
            )
        )
    if not plane.position:
        issues.append(
            warning(
                "no-position",
                "The files do not say where the slices lie: their order and distance are taken "
                "from their numbers, mm and ml are not reliable, and head and feet may be swapped.",
                "Export the series again from the archive.",
                Concern.MM,
            )
        )
    return [_filled(s, n) for n, s in enumerate(group)], issues


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
    position = plane.position
    if not position:
        number = one.instance if one.instance is not None else n
        along = header.slice_location  # images are usually numbered from the head
        position = (0.0, 0.0, along if along is not None else -number * (header.thickness or 1.0))
    return replace(
        one,
        plane=replace(
            plane,
            position=position,
            orientation=plane.orientation if _usable(plane.orientation) else _AXIAL,
            pixel_mm=plane.pixel_mm or (1.0, 1.0),
        ),
    )


Part = tuple[str, list[Slice], list[ScanIssue]]
_Key = Callable[[Slice], str]


def _acquisition(one: Slice) -> str:
    return one.plane.acquisition or one.header.acquisition


# in the order in which they are tried: the first that leaves no position twice in a part wins
_CRITERIA: tuple[tuple[str, _Key], ...] = (
    ("acquisition", _acquisition),
    ("time", lambda s: s.header.acquisition_time),
    ("temporal position", lambda s: s.header.temporal),
    ("echo time", lambda s: s.header.echo),
    ("kernel", lambda s: s.header.kernel),
    ("image type", lambda s: s.header.image_type),
)


def _phases(ordered: list[Slice]) -> list[Part]:
    """Split a stack that visits positions more than once (phases, echoes, kernels) by its tags."""
    visits = _visits(ordered)
    if visits == 1:
        return _interleaved(ordered) or [("", ordered, [])]
    for exact in (True, False):
        for criterion, key in _CRITERIA:
            parts: dict[str, list[Slice]] = defaultdict(list)
            for s in ordered:
                parts[key(s)].append(s)
            fits = len(parts) == visits if exact else 1 < len(parts) <= 2 * visits + 2
            if fits and all(_visits(part) == 1 for part in parts.values()):
                return _named(criterion, parts)
    turns = _by_turns(ordered, visits)
    if turns is not None:
        return _named("turn", turns)
    return [("", ordered, [_repeated()])]


def _interleaved(ordered: list[Slice]) -> list[Part] | None:
    """Split acquisitions that share no position but lie between each other's slices."""
    parts: dict[str, list[Slice]] = defaultdict(list)
    for s in ordered:
        parts[_acquisition(s)].append(s)
    if not 1 < len(parts) <= _MOST_INTERLEAVED or min(map(len, parts.values())) < _FEWEST:
        return None
    changes = sum(_acquisition(a) != _acquisition(b) for a, b in pairwise(ordered))
    if changes < len(parts) - 1 + _FEWEST:
        return None
    return _named("acquisition", parts)


def _by_turns(ordered: list[Slice], visits: int) -> dict[str, list[Slice]] | None:
    """Split by the order of the images, where each run of them visits every position once."""
    if any(s.instance is None for s in ordered) or len(ordered) % visits:
        return None
    by_number = sorted(ordered, key=lambda s: s.instance or 0)
    size = len(ordered) // visits
    if size < 2:
        return None
    turns = {str(n): by_number[n * size : (n + 1) * size] for n in range(visits)}
    if any(_visits(turn) > 1 for turn in turns.values()):
        return None
    return {n: sorted(turn, key=lambda s: s.depth) for n, turn in turns.items()}


def _named(criterion: str, parts: dict[str, list[Slice]]) -> list[Part]:
    """The parts in the order of time, each with a name and a finding."""

    def when(part: list[Slice]) -> tuple[object, ...]:
        first = min(part, key=lambda s: s.instance or 0)
        return (first.header.acquisition_time, first.instance or 0, first.header.path)

    count = len(parts)
    slices = [s for part in parts.values() for s in part]
    places = 1 + sum(b - a > _SAME_PLACE_MM for a, b in pairwise(sorted(s.depth for s in slices)))
    apart = len(slices) < (1 + count) / 2 * places
    named: list[Part] = []
    for n, (value, part) in enumerate(sorted(parts.items(), key=lambda item: when(item[1])), 1):
        name = f"kernel {value}" if criterion == "kernel" else f"phase {n} of {count}"
        if criterion == "acquisition" and len({s.header.acquisition for s in part}) == 1:
            name += f", acquisition {value}"
        time = _clock(part[0].header.acquisition_time)
        issue = info(
            "several-phases",
            f"The series visits each position {count} times: it holds {count} volumes, told apart "
            f"by their {criterion}. This is {name}.",
            "Open the phase you want to measure.",
        )
        if apart:
            issue = warning(
                "separate-parts",
                f"The series holds {count} volumes, told apart by their {criterion}, that share "
                "few positions: each covers only some of the body or of the slices. This is "
                f"{name}.",
                "Look at each of them; none may hold the whole liver.",
            )
        named.append((f"{name}, {time}" if time else name, part, [issue]))
    return named


def _clock(time: str) -> str:
    """DICOM's "101500.12" as "10:15:00"."""
    digits = time.split(".")[0]
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:6]}" if len(digits) == 6 else ""


def _repeated() -> ScanIssue:
    return error(
        "repeated-positions",
        "Several images lie at the same place and nothing in them tells two scans apart.",
        "Export the series again from the archive.",
    )


def _visits(ordered: Sequence[Slice]) -> int:
    """How often the most visited position occurs in slices sorted by depth."""
    most = run = 1
    for before, after in pairwise(ordered):
        run = run + 1 if after.depth - before.depth <= _SAME_PLACE_MM else 1
        most = max(most, run)
    return most
