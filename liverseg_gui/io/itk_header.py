"""The text headers of NRRD and MetaImage files: what they say, and how many voxels they can hold.

SimpleITK reads these formats (io/itk.py) but trusts a header's sizes, and does not tell what the
header left out; both are looked up here before it may allocate anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.errors import UnreadableFileError

_LONGEST_HEADER = 1 << 22
_GZIP_RATIO = 1032
"""The most that deflate can compress: 258 bytes in two bits."""

_MOST_DIMENSIONS = 5
_MOST_FILES = 100_000
_LONGEST_FIELD = 2000
_NRRD_PATIENT_SPACES = (
    *("right-anterior-superior", "left-anterior-superior", "left-posterior-superior"),
    *("ras", "las", "lps"),
)
_NRRD_GZIP = ("gzip", "gz")
_NRRD_TEXT = ("ascii", "text", "txt")
_NUMBERED = re.compile(r"[^%]*%0?\d{0,2}[diu][^%]*")
_META_FIELDS = {
    "orientation": ("TransformMatrix", "Rotation", "Orientation"),
    "spacing": ("ElementSpacing", "ElementSize"),
}


@dataclass(frozen=True)
class TextHeader:
    """What an NRRD or MetaImage header says.

    `reader` is SimpleITK's name for the format. `fields` keep a MetaImage's names, an NRRD's in
    lower case; `notes` are an NRRD's `name:=value` pairs. `room_bytes` is the most that the voxels
    can take once unpacked, from the size of the data files; `room_numbers` the same for voxels
    written as text. `oriented` and `spaced` say whether the header tells how the patient lies and
    how large a voxel is; `streams`, whether one slice can be read without all the others.
    """

    reader: str
    fields: Mapping[str, str]
    notes: Mapping[str, str]
    room_bytes: int
    room_numbers: int | None
    oriented: bool
    spaced: bool
    streams: bool = False

    def holds(self, numbers: int, item_bytes: int) -> bool:
        """Whether the data files can hold so many numbers of `item_bytes` each."""
        if self.room_numbers is not None:
            return numbers <= self.room_numbers
        return numbers * item_bytes <= self.room_bytes


def read_header(path: Path) -> TextHeader:
    """The header of `path`, whichever of the two formats it is.

    Raises:
        UnreadableFileError: it is neither, is damaged, or its data file is missing.
        OSError: it cannot be read at all.
    """
    with path.open("rb") as stream:
        start = stream.read(_LONGEST_HEADER)
    if start.startswith(b"NRRD000"):
        return _nrrd(path, start)
    return _meta(path, start)


def damaged(path: Path) -> UnreadableFileError:
    """The error for a file that makes no sense."""
    return UnreadableFileError(
        f"{path} is no NRRD or MetaImage file or is damaged. Copy it again from its source, or "
        "open the original DICOM folder."
    )


def _nrrd(path: Path, start: bytes) -> TextHeader:
    fields: dict[str, str] = {}
    notes: dict[str, str] = {}
    lines, body = _nrrd_lines(start)
    while lines:
        line = lines.pop(0)
        name, is_note, value = line.partition(":=")
        if is_note:
            notes[name.strip()] = value.strip()
            continue
        name, _, value = line.partition(":")
        fields[name.strip().lower().replace("datafile", "data file")] = value.strip()
        if name.strip().lower() in ("data file", "datafile") and value.split()[:1] == ["LIST"]:
            fields["data file"] = "LIST\n" + "\n".join(lines)
            break
    _require_dimensions(path, fields.get("dimension", ""))
    files = _detached(path, fields["data file"]) if "data file" in fields else None
    size = path.stat().st_size - body if files is None else _total(files)
    encoding = fields.get("encoding", "").lower()
    space = fields.get("space", "").lower().removesuffix("-time")
    return TextHeader(
        "NrrdImageIO",
        fields,
        notes,
        size * (_GZIP_RATIO if encoding in _NRRD_GZIP else 1),
        size if encoding in _NRRD_TEXT else None,
        space in _NRRD_PATIENT_SPACES and "space directions" in fields,
        "space directions" in fields or "spacings" in fields,
    )


def _nrrd_lines(start: bytes) -> tuple[list[str], int]:
    """The header's lines without its magic and comments, and where the attached data begins."""
    ends = [at + len(end) for end in (b"\n\n", b"\r\n\r\n") if (at := start.find(end)) >= 0]
    body = min(ends, default=len(start))
    text = start[:body].decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines()[1:]]
    return [line for line in lines if line and not line.startswith("#")], body


def _meta(path: Path, start: bytes) -> TextHeader:
    fields: dict[str, str] = {}
    body = 0
    for raw_line in start.splitlines(keepends=True):
        body += len(raw_line)
        name, equals, value = raw_line.decode("latin-1").partition("=")
        if not equals or len(raw_line) > _LONGEST_FIELD:
            raise damaged(path)
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile":
            break
    else:
        raise damaged(path)
    _require_dimensions(path, fields.get("NDims", ""))
    where = fields["ElementDataFile"]
    if where.split()[:1] == ["LIST"]:
        where = "LIST\n" + start[body:].decode("latin-1")
    local = where.upper() == "LOCAL"
    size = path.stat().st_size - body if local else _total(_detached(path, where))
    packed = fields.get("CompressedData", "").lower().startswith(("t", "1"))
    if packed and _whole(fields.get("CompressedDataSize", "0")) > size:
        raise _cut_short(path)
    as_text = fields.get("BinaryData", "").lower().startswith(("f", "0"))
    return TextHeader(
        "MetaImageIO",
        fields,
        {},
        size * (_GZIP_RATIO if packed else 1),
        size if as_text else None,
        any(name in fields for name in _META_FIELDS["orientation"]),
        any(name in fields for name in _META_FIELDS["spacing"]),
        streams=not packed and not as_text,
    )


def _require_dimensions(path: Path, text: str) -> None:
    if not 1 <= _whole(text) <= _MOST_DIMENSIONS:
        raise damaged(path)


def _whole(text: str) -> int:
    """The number in `text`; one that no file can have where there is none."""
    try:
        return int(text)
    except ValueError:
        return 1 << 62


def _detached(path: Path, where: str) -> list[Path]:
    """The data files that a header names: one, a list, or a pattern with first, last and step."""
    first, _, rest = where.partition("\n")
    if first.split()[:1] == ["LIST"]:
        names = [line.strip() for line in rest.splitlines() if line.strip()]
    elif "%" in first:
        names = _numbered(path, first)
    else:
        names = [first]
    if not names or len(names) > _MOST_FILES or "\0" in where:
        raise damaged(path)
    files = [path.parent / name for name in names]
    for file in files:
        if not file.is_file():
            raise UnreadableFileError(
                f"{path} keeps its voxels in {file.name}, which is not beside it. Copy both from "
                "their source into one folder."
            )
    return files


def _numbered(path: Path, pattern: str) -> list[str]:
    form, *numbers = pattern.split()
    if len(numbers) not in (3, 4) or not _NUMBERED.fullmatch(form):
        raise damaged(path)
    try:
        first, last, step = (int(n) for n in numbers[:3])
        count = (last - first) // step + 1
        if not 0 < count <= _MOST_FILES:
            raise ValueError("no files")
        return [form % (first + n * step) for n in range(count)]
    except (ValueError, ZeroDivisionError) as problem:
        raise damaged(path) from problem


def _total(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files)


def _cut_short(path: Path) -> UnreadableFileError:
    return UnreadableFileError(f"{path} is cut short or damaged. Copy it again from its source.")
