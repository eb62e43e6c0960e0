"""The header of an NRRD file (.nrrd, or .nhdr with its voxels in another file).

The format: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.io.formats.raw_image import (
    RawImage,
    bytes_before,
    damaged,
    detached,
    image_of,
    unsupported,
)
from liverseg_gui.system.regular_file import open_regular

MAGIC = b"NRRD000"

_LONGEST_HEADER = 1 << 22
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_DEFLATED = {"raw": False, "gzip": True, "gz": True}
"""Whether the voxels of an encoding are packed."""

_SPACES = {
    "right-anterior-superior": (1, 1, 1),
    "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1),
    "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1),
    "lps": (-1, -1, 1),
}
"""The signs that bring a space's axes to RAS+."""

_SPATIAL_KINDS = ("domain", "space")
_VOLUME_KINDS = ("list", "time", "none", "???", "")


@dataclass(frozen=True)
class _Header:
    """The fields (names in lower case) and notes of a header, and its length."""

    fields: dict[str, str]
    notes: dict[str, str]
    length: int

    def values(self, name: str) -> list[str]:
        """The words of a field that has one for each axis, or none."""
        return self.fields.get(name, "").split()


def read_nrrd(path: Path) -> RawImage:
    """Where the voxels of the NRRD file `path` lie.

    Raises:
        UnreadableFileError: it makes no sense, or its data file is missing.
        OSError, ValueError, KeyError: likewise.
    """
    with open_regular(path) as stream:
        header = _parse(stream.read(_LONGEST_HEADER))
    fields = header.fields
    _require_supported(path, fields)
    shape = tuple(int(n) for n in header.values("sizes"))
    if len(shape) != int(fields["dimension"]):
        raise damaged(path)
    vectors = _vectors(header, len(shape))
    extra = _extra_axis(header, shape, vectors)
    if len(shape) == 3 and extra == 2 and _kind(header, extra) in ("time", "list"):
        raise UnreadableFileError(
            f"{path} has its slices on the time axis, and does not say how far they lie apart.",
            "Convert the scan again from DICOM.",
        )
    matrix, oriented = _matrix(header, vectors, extra, len(shape))
    where, dtype = fields.get("data file"), _dtype(fields)
    file, length = (path, header.length) if where is None else (detached(path, where), 0)
    skip = int(fields.get("byte skip", 0))
    length = length + skip if skip >= 0 else bytes_before(file, skip, shape, dtype)
    return image_of(
        path,
        shape,
        extra,
        matrix,
        color=extra is not None and _is_color(header, extra),
        dtype=dtype,
        deflated=_DEFLATED[fields["encoding"].lower()],
        file=file,
        header_bytes=length,
        oriented=oriented,
        spaced=any(v is not None for v in vectors) or "spacings" in fields,
        unit=" and ".join(sorted(set(_units(fields)))) or "mm",
        notes=header.notes,
    )


def _require_supported(path: Path, fields: dict[str, str]) -> None:
    """Check that the voxels are packed and placed as writers of scans do it."""
    if fields["encoding"].lower() not in _DEFLATED:
        raise unsupported(path, f"has its voxels encoded as {fields['encoding'][:20]}")
    packed = _DEFLATED[fields["encoding"].lower()]
    if int(fields.get("line skip", 0)) or (packed and int(fields.get("byte skip", 0))):
        raise unsupported(path, "has other bytes before its voxels")


def _units(fields: dict[str, str]) -> list[str]:
    """The units of the spatial axes: those of the space, or of the axes themselves."""
    given = re.findall(r'"([^"]*)"', fields.get("space units", fields.get("units", "")))
    return [unit.strip() for unit in given if unit.strip() not in ("", "s", "ms", "sec", "HU")]


def _is_color(header: _Header, extra: int) -> bool:
    """Whether the fourth axis is that of a color or vector, not of volumes."""
    all_alike = len(set(header.values("kinds"))) == 1
    return not all_alike and _kind(header, extra) not in _VOLUME_KINDS


def _parse(start: bytes) -> _Header:
    ends = [at + len(end) for end in (b"\n\n", b"\n\r\n") if (at := start.find(end)) >= 0]
    length = min(ends, default=len(start))
    lines = start[:length].decode("utf-8", errors="replace").splitlines()[1:]
    fields: dict[str, str] = {}
    notes: dict[str, str] = {}
    for line in lines:
        note, is_note, value = line.partition(":=")
        name, is_field, text = line.partition(":")
        if line.startswith("#"):
            continue
        if is_note:
            notes[note.strip()] = value.strip()
        elif is_field:
            fields[_plain(name)] = text.strip()
    return _Header(fields, notes, length)


def _plain(name: str) -> str:
    name = " ".join(name.lower().split())
    same = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip"}
    return same.get(name, name)


def _dtype(fields: dict[str, str]) -> np.dtype[Any]:
    name = " ".join(fields["type"].lower().split())
    code = next(code for code, names in _TYPES.items() if name in names)
    return np.dtype((">" if fields.get("endian", "").lower() == "big" else "<") + code)


def _vectors(header: _Header, count: int) -> list[NDArray[np.float64] | None]:
    """The step along each axis in the header's space; None for an axis that has none."""
    text = header.fields.get("space directions")
    if text is None:
        return [None] * count
    steps = re.findall(r"\(([^)]*)\)|(none)", text)
    if len(steps) != count:
        raise ValueError("a space direction is missing")
    return [None if none else _vector(inside) for inside, none in steps]


def _vector(text: str) -> NDArray[np.float64]:
    numbers = [float(n) for n in text.split(",")]
    return np.array(numbers[:3] if len(numbers) == 4 else numbers)


def _kind(header: _Header, axis: int) -> str:
    kinds = header.values("kinds")
    return kinds[axis].lower() if axis < len(kinds) else ""


def _extra_axis(
    header: _Header, shape: tuple[int, ...], vectors: list[NDArray[np.float64] | None]
) -> int | None:
    """The axis that is no direction in space; None in a file of three axes without one."""
    if any(v is not None for v in vectors):
        odd = [n for n, v in enumerate(vectors) if v is None]
    else:
        odd = [n for n in range(len(shape)) if _kind(header, n) not in (*_SPATIAL_KINDS, "")]
    if not odd:
        odd = [n for n in range(len(shape)) if _kind(header, n) == "time"]
    if odd:
        return odd[0]
    return 3 if len(shape) == 4 else None


def _matrix(
    header: _Header, vectors: list[NDArray[np.float64] | None], extra: int | None, count: int
) -> tuple[NDArray[np.float64], bool]:
    """The affine (RAS+ mm) of the spatial axes, and whether the header says how they lie."""
    space = header.fields.get("space", "").lower().removesuffix("-time")
    signs = _SPACES.get(space.removesuffix("t"), (-1, -1, 1))
    matrix = np.eye(4)
    steps = [v for n, v in enumerate(vectors) if n != extra and v is not None]
    if steps:
        matrix[:3, :3] = np.array(steps).T
        inside = header.fields.get("space origin", "(0,0,0)").strip("() ")
        matrix[:3, 3] = _vector(inside)
        return np.diag([*signs, 1.0]) @ matrix, space.removesuffix("t") in _SPACES
    given = [float(mm) for mm in header.values("spacings")] or [1.0] * count
    spacings = [mm for n, mm in enumerate(given) if n != extra]
    matrix[:3, :3] = np.diag([1.0 if np.isnan(mm) else mm for mm in spacings])
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix, False
