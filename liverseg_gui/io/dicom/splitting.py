"""Slices that visit positions more than once, split into volumes by what their files state."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from liverseg_gui.core.scan_issues import ScanIssue, error, info, warning
from liverseg_gui.io.dicom.stacks import SAME_PLACE_MM, Slice, visits

Part = tuple[str, list[Slice], list[ScanIssue]]
"""What tells the slices from the others of their series, the slices, and the findings."""

_Key = Callable[[Slice], str]
_FEWEST, _MOST_INTERLEAVED = 3, 6
_LACKS_STEPS = 0.95
_EVEN = 0.05
_BLOCK_GAP_STEPS = 1.5
_BLOCK_GAP_S = 60.0
_IN_BLOCKS = ("acquisition", "time")
_IN_ORDER = ("temporal position", "cardiac phase", "trigger time", "echo time", "dimension")


def _trait(name: str, field: str = "") -> _Key:
    def value(one: Slice) -> str:
        of_frame = dict(one.plane.traits).get(name, "")
        return of_frame or (str(getattr(one.header, field)) if field else "")

    return value


# in the order in which they are tried
_CRITERIA: tuple[tuple[str, _Key], ...] = (
    ("acquisition", lambda s: s.acquisition),
    ("time", lambda s: s.time),
    ("series number", lambda s: s.header.series_number),
    ("description", lambda s: s.header.description),
    ("temporal position", _trait("temporal position", "temporal")),
    ("cardiac phase", _trait("cardiac phase", "cardiac_phase")),
    ("trigger time", lambda s: s.header.trigger),
    ("respiratory phase", _trait("respiratory phase")),
    ("contrast", _trait("contrast", "contrast")),
    ("echo time", _trait("echo time", "echo")),
    ("kernel", _trait("kernel", "kernel")),
    ("tube voltage", _trait("tube voltage", "voltage")),
    ("b value", _trait("b value", "b_value")),
    ("image type", _trait("image type", "image_type")),
    ("protocol", lambda s: s.header.protocol),
    ("comments", lambda s: s.header.comments),
    ("thickness", lambda s: str(s.header.thickness)),
    ("stack", _trait("stack")),
    ("file", lambda s: s.header.path if len(s.header.planes) > 1 else ""),
    ("folder", lambda s: str(Path(s.header.path).parent)),
)


def split(ordered: list[Slice]) -> list[Part]:
    """The volumes among slices sorted by depth (phases, echoes, kernels), told apart by tags.

    A part that does not reach as far as all of them together says so.
    """
    count = visits(ordered)
    if count == 1:
        return _interleaved(ordered) or [("", ordered, [])]
    ways = list(_ways(ordered))
    blocks = [
        (name, joined)
        for name, parts in ways
        if name in _IN_BLOCKS and len(parts) <= 2 * count + 2
        for joined in [_joined(parts)]
    ]
    for name, parts in (*ways, *blocks):
        if len(parts) == count and all(_reaches(part, ordered) for part in parts.values()):
            return _named(name, parts)
    for fewest, most in ((count, count), (2, 2 * count + 2)):
        for name, parts in ways:
            if fewest <= len(parts) <= most:
                return _named(name, parts)
    turns = _by_turns(ordered, count)
    if turns is not None:
        return _named("turn", turns)
    return [("", ordered, [_repeated()])]


def _ways(ordered: list[Slice]) -> Iterator[tuple[str, dict[str, list[Slice]]]]:
    """Each tag, and each pair of tags, that leaves no position twice in a part."""
    telling: dict[str, list[str]] = {}
    for name, key in (*_CRITERIA, *_dimensions(ordered)):
        values = [key(s) for s in ordered]
        if len(set(values)) > 1:
            telling[name] = values
    for names in (*((name,) for name in telling), *combinations(telling, 2)):
        parts: dict[str, list[Slice]] = defaultdict(list)
        for n, s in enumerate(ordered):
            parts[", ".join(telling[name][n] for name in names)].append(s)
        if all(visits(part) == 1 for part in parts.values()):
            yield " and ".join(names), dict(parts)


def _dimensions(ordered: list[Slice]) -> list[tuple[str, _Key]]:
    names = {name for s in ordered for name, _ in s.plane.traits if name.startswith("dimension")}
    return [(name, _trait(name)) for name in sorted(names)]


def _joined(parts: Mapping[str, list[Slice]]) -> dict[str, list[Slice]]:
    """`parts` with table blocks joined that follow each other in time and in place."""
    joined: dict[str, list[Slice]] = {}
    for value, part in sorted(parts.items(), key=lambda item: _when(item[1])):
        last = next(reversed(joined), None)
        if last is not None and _continues(joined[last], part):
            both = sorted([*joined.pop(last), *part], key=lambda s: s.depth)
            joined[f"{last} and {value}"] = both
        else:
            joined[value] = part
    return joined


def _continues(first: list[Slice], second: list[Slice]) -> bool:
    below, above = sorted((first, second), key=lambda part: part[0].depth)
    gap = above[0].depth - below[-1].depth
    step = max(_step(first), _step(second))
    if not SAME_PLACE_MM < gap <= _BLOCK_GAP_STEPS * step:
        return False
    apart = [_seconds(part[0].time) for part in (first, second)]
    return None in apart or abs((apart[1] or 0.0) - (apart[0] or 0.0)) <= _BLOCK_GAP_S


def _step(part: Sequence[Slice]) -> float:
    """The usual distance of slices sorted by depth, mm; 0 for a single one."""
    steps = [after.depth - before.depth for before, after in pairwise(part)]
    return float(np.median(steps)) if steps else 0.0


def _reaches(part: Sequence[Slice], ordered: Sequence[Slice]) -> bool:
    """Whether `part` begins and ends where all slices together do."""
    slack = _LACKS_STEPS * (_step(part) or _step(ordered)) + SAME_PLACE_MM
    lacks = max(part[0].depth - ordered[0].depth, ordered[-1].depth - part[-1].depth)
    return lacks < slack


def _interleaved(ordered: list[Slice]) -> list[Part] | None:
    """Split volumes that share no position but lie between each other's slices."""
    for name, parts in _ways(ordered):
        if not 1 < len(parts) <= _MOST_INTERLEAVED or min(map(len, parts.values())) < _FEWEST:
            continue
        home = {id(s): value for value, part in parts.items() for s in part}
        changes = sum(home[id(a)] != home[id(b)] for a, b in pairwise(ordered))
        mixed = changes >= len(parts) - 1 + _FEWEST
        if mixed and (name == "acquisition" or _even_apart(ordered, parts)):
            return _named(name, parts)
    return None


def _even_apart(ordered: list[Slice], parts: Mapping[str, list[Slice]]) -> bool:
    """Whether the parts are evenly spaced, each by itself, and all together are not."""

    def even(part: Sequence[Slice]) -> bool:
        steps = [after.depth - before.depth for before, after in pairwise(part)]
        return max(steps) - min(steps) <= _EVEN * float(np.median(steps)) + SAME_PLACE_MM

    return all(even(part) for part in parts.values()) and not even(ordered)


def _by_turns(ordered: list[Slice], count: int) -> dict[str, list[Slice]] | None:
    """Split by the order of the images, where each run of them visits every position once."""
    if any(s.instance is None for s in ordered) or len(ordered) % count:
        return None
    by_number = sorted(ordered, key=lambda s: s.instance or 0)
    size = len(ordered) // count
    if size < 2:
        return None
    turns = {
        str(n): sorted(by_number[n * size : (n + 1) * size], key=lambda s: s.depth)
        for n in range(count)
    }
    return None if any(visits(turn) > 1 for turn in turns.values()) else turns


def _when(part: list[Slice]) -> tuple[object, ...]:
    first = min(part, key=lambda s: s.instance or 0)
    return (first.time, first.instance or 0, first.header.path)


def _named(criterion: str, parts: Mapping[str, list[Slice]]) -> list[Part]:
    """The parts in the order of time, each with a name and a finding."""

    def order(item: tuple[str, list[Slice]]) -> tuple[object, ...]:
        in_order = criterion.startswith(_IN_ORDER)
        return (_number(item[0]) if in_order else 0.0, *_when(item[1]))

    count = len(parts)
    slices = sorted((s for part in parts.values() for s in part), key=lambda s: s.depth)
    places = 1 + sum(b.depth - a.depth > SAME_PLACE_MM for a, b in pairwise(slices))
    named: list[Part] = []
    for n, (value, part) in enumerate(sorted(parts.items(), key=order), 1):
        name = f"kernel {value}" if criterion == "kernel" else f"phase {n} of {count}"
        if criterion == "description":
            name += f", {value or 'without a description'}"
        if criterion == "acquisition" and all(s.header.acquisition for s in part):
            several = len({s.header.acquisition for s in part}) > 1
            name += f", acquisition{'s' if several else ''} {value}"
        time = _clock(part[0].time)
        issue = info(
            "several-phases",
            f"The series visits positions more than once: it holds {count} volumes, told apart by "
            f"their {criterion}. This is {name}.",
            "Open the phase you want to measure.",
        )
        if not _reaches(part, slices):
            issue = warning(
                "separate-parts",
                f"The series holds {count} volumes, told apart by their {criterion}, that do not "
                f"cover the same: this one, {name}, has {len(part)} slices at {places} places, and "
                "others reach farther.",
                "Look at each of them; this one may not hold the whole liver.",
            )
        named.append((f"{name}, {time}" if time else name, part, [issue]))
    return named


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _clock(time: str) -> str:
    """DICOM's "101500.12", a date before it or not, as "10:15:00"."""
    digits = time.split(".")[0].split("+")[0][-6:]
    return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}" if len(digits) == 6 else ""


def _seconds(time: str) -> float | None:
    """Seconds since midnight, or None where the time is not known."""
    parts = _clock(time).split(":")
    if len(parts) < 3 or not all(part.isdigit() for part in parts):
        return None
    return sum(int(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=True))


def _repeated() -> ScanIssue:
    return error(
        "repeated-positions",
        "Several images lie at the same place and nothing in them tells two scans apart.",
        "Export the series again from the archive.",
    )
