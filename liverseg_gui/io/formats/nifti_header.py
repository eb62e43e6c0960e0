"""NIfTI headers as nibabel reads them, with what cannot be true in them replaced and told."""

from __future__ import annotations

import io
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
from nibabel.fileholders import FileHolder

from liverseg_gui.core.errors import UnreadableFileError, UnsupportedFileError
from liverseg_gui.core.scan_issues import Concern, ScanIssue, warning
from liverseg_gui.io.formats import gzip_stream

_MOST_EXTENSIONS = 1 << 24


@dataclass(frozen=True)
class _Fields:
    """Where a NIfTI version has the fields that are looked at, and the least offset of voxels."""

    kind: type[nib.Nifti1Image]
    header_bytes: int
    dim: tuple[int, str]
    bits: int
    offset: tuple[int, str]
    slope: tuple[int, str]
    inter: tuple[int, str]


_VERSIONS = {
    348: _Fields(nib.Nifti1Image, 348, (40, "8h"), 72, (108, "f"), (112, "f"), (116, "f")),
    540: _Fields(nib.Nifti2Image, 540, (16, "8q"), 14, (168, "q"), (176, "d"), (184, "d")),
}


@dataclass(frozen=True)
class Loaded:
    """A nibabel image whose voxels are not read, where they start if not where it says, and what
    was replaced in its header."""

    image: Any
    offset: int | None = None
    issues: tuple[ScanIssue, ...] = ()


def load_header(path: Path) -> Loaded:
    """The header of `path`.

    Raises:
        UnsupportedFileError: it is an Analyze file.
        OSError: the system does not give it.
        Exception: it is damaged, which nibabel says in any way it likes.
    """
    if path.name.lower().endswith((".nii", ".nii.gz")):
        mended = _mended(path)
        if mended is not None:
            return mended
    image: Any = nib.load(path, mmap=False)
    if isinstance(image, nib.AnalyzeImage) and not isinstance(image, nib.Nifti1Pair):
        raise UnsupportedFileError(
            f"{path} is an Analyze 7.5 image, not NIfTI: it does not say how the patient lies.",
            "Convert it to NIfTI with the program it comes from, or open the DICOM folder.",
        )
    if not isinstance(image, nib.Nifti1Pair):
        raise TypeError("another format")
    return Loaded(image)


def _mended(path: Path) -> Loaded | None:
    """A single file whose header, or whose ending, cannot be true; None where both can be."""
    packed = gzip_stream.is_gzip(path)
    try:
        start = bytearray(_start(path, packed, 544))
    except UnreadableFileError as problem:
        if getattr(problem.__cause__, "errno", None) is None:
            return None
        raise
    if len(start) < 352:
        return None
    order, fields = next(
        (
            (order, fields)
            for order in "<>"
            for length, fields in _VERSIONS.items()
            if struct.unpack_from(f"{order}i", start)[0] == length <= len(start) - 4
        ),
        ("", None),
    )
    if fields is None:
        return None
    issues = [*_mend_scale(start, order, fields), *_mend_offset(path, packed, start, order, fields)]
    offset = int(_get(start, order, fields.offset))
    called_packed = path.name.lower().endswith(".gz")
    if not issues and packed == called_packed and offset != fields.header_bytes:
        return None
    _set(start, order, fields.offset, max(offset, fields.header_bytes + 4))
    head = bytes(start) + _start(path, packed, min(offset, _MOST_EXTENSIONS))[len(start) :]
    holder = FileHolder(filename=str(path), fileobj=io.BytesIO(head))
    image: Any = fields.kind.from_file_map({"header": holder, "image": holder})
    return Loaded(image, offset, tuple(issues))


def _mend_offset(
    path: Path, packed: bool, start: bytearray, order: str, fields: _Fields
) -> list[ScanIssue]:
    """Set the offset where the voxels start if the header's own lies in it or beyond the end."""
    stated = float(_get(start, order, fields.offset))
    least = fields.header_bytes + 4
    dim = struct.unpack_from(order + fields.dim[1], start, fields.dim[0])
    bits = struct.unpack_from(f"{order}h", start, fields.bits)[0]
    voxels = math.prod(dim[1 : dim[0] + 1]) * bits // 8 if 1 <= dim[0] <= 7 else 0
    size = _size(path, packed)
    possible = math.isfinite(stated) and stated >= least
    if voxels <= 0 or (possible and (packed or int(stated) + voxels <= size)):
        return []
    true = _behind_extensions(_start(path, packed, _MOST_EXTENSIONS), order, least)
    if size - voxels == fields.header_bytes:
        true = fields.header_bytes
    if possible and true + voxels != size:
        return []
    _set(start, order, fields.offset, true)
    if stated == fields.header_bytes == true:
        return []
    return [
        warning(
            "voxel-offset",
            f"The file says that its voxels start at byte {stated:g}, which cannot be: they were "
            f"read from byte {true} on, behind its header.",
            "Check that the picture looks right, or convert the scan again from DICOM.",
        )
    ]


def _behind_extensions(start: bytes, order: str, least: int) -> int:
    """Where the extensions of a header end."""
    at = least
    if len(start) < least or not start[least - 4]:
        return at
    while at + 8 <= len(start):
        length = struct.unpack_from(f"{order}i", start, at)[0]
        if length < 8 or length % 16 or at + length > len(start):
            break
        at += length
    return at


def _mend_scale(start: bytearray, order: str, fields: _Fields) -> list[ScanIssue]:
    """Set slope and intercept to none where they are no numbers; say where they do not count."""
    slope, inter = (float(_get(start, order, f)) for f in (fields.slope, fields.inter))
    if math.isfinite(slope) and math.isfinite(inter) and (slope or not inter):
        return []
    if math.isnan(slope) and (math.isnan(inter) or not inter):
        return []  # how some programs write that there is no scaling
    used = slope if math.isfinite(slope) and slope else 1.0, inter if math.isfinite(inter) else 0.0
    if slope == 0:
        used = 1.0, 0.0  # the format: with a slope of 0 the voxels stand as they are
    _set(start, order, fields.slope, used[0])
    _set(start, order, fields.inter, used[1])
    return [
        warning(
            "rescale-missing",
            f"The file's scaling makes no sense (scl_slope {slope:g}, scl_inter {inter:g}): slope "
            f"{used[0]:g}, intercept {used[1]:g} was assumed.",
            "Check the air outside the body (about -1000 HU) and the liver (40 to 150 HU), or "
            "convert the scan again from DICOM.",
            Concern.HU,
        )
    ]


def _get(start: bytearray, order: str, field: tuple[int, str]) -> Any:
    return struct.unpack_from(order + field[1], start, field[0])[0]


def _set(start: bytearray, order: str, field: tuple[int, str], value: float) -> None:
    struct.pack_into(order + field[1], start, field[0], int(value) if field[1] == "q" else value)


def _start(path: Path, packed: bool, count: int) -> bytes:
    with gzip_stream.opened(path, packed) as stream:
        return gzip_stream.up_to(stream, count)


def _size(path: Path, packed: bool) -> int:
    """The bytes of a file once unpacked; of a packed one modulo 4 GB, as gzip notes it."""
    if not packed:
        return path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(-4, io.SEEK_END)
        return int.from_bytes(stream.read(4), "little")
