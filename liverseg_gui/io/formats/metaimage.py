"""The header of a MetaImage file (.mha, or .mhd with its voxels in another file).

The format: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.io.formats.raw_image import (
    RawImage,
    bytes_before,
    damaged,
    detached,
    image_of,
    unsupported,
)
from liverseg_gui.system.regular_file import open_regular

_LONGEST_HEADER = 1 << 20
_TYPES = {
    **{"MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2"},
    **{"MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4"},
    **{"MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8"},
}
_TURN = ("TransformMatrix", "Rotation", "Orientation")
_PLACE = ("Offset", "Position", "Origin")
_SPACING = ("ElementSpacing", "ElementSize")
_MODALITIES = {"MET_MOD_CT": "CT", "MET_MOD_MR": "MR", "MET_MOD_NM": "NM", "MET_MOD_US": "US"}


def read_metaimage(path: Path) -> RawImage:
    """Where the voxels of the MetaImage file `path` lie.

    Raises:
        UnreadableFileError: it makes no sense, or its data file is missing.
        OSError, ValueError, KeyError: likewise.
    """
    with open_regular(path) as stream:
        fields, length = _parse(path, stream.read(_LONGEST_HEADER))
    _require_supported(path, fields)
    shape = tuple(int(n) for n in fields["DimSize"].split())
    if len(shape) != int(fields["NDims"]):
        raise damaged(path)
    extra = 3 if len(shape) == 4 else None
    matrix = _matrix(fields, len(shape))
    channels = int(fields.get("ElementNumberOfChannels", 1))
    if channels != 1:  # the channels of a voxel lie together
        shape, extra = (channels, *shape), 0
    where = fields["ElementDataFile"]
    local = where.upper() == "LOCAL"
    unit = fields.get("DistanceUnits", "mm")
    dtype, packed = _dtype(fields), _true(fields.get("CompressedData", ""))
    file, skipped = (path, length) if local else (detached(path, where), 0)
    if not local and int(fields.get("HeaderSize", 0)):
        if packed:
            raise unsupported(path, "has other bytes before its packed voxels")
        skipped = bytes_before(file, int(fields["HeaderSize"]), shape, dtype)
    return image_of(
        path,
        shape,
        extra,
        matrix,
        color=channels != 1,
        dtype=dtype,
        deflated=packed,
        file=file,
        header_bytes=skipped,
        oriented=any(name in fields for name in _TURN),
        spaced=any(name in fields for name in _SPACING),
        unit={"?": ""}.get(unit, unit),
        modality=_MODALITIES.get(fields.get("Modality", ""), ""),
        notes=fields,
    )


def _require_supported(path: Path, fields: dict[str, str]) -> None:
    """Check that the voxels are written and placed as writers of scans do it."""
    if not _true(fields.get("BinaryData", "True")):
        raise unsupported(path, "has its voxels written as text")


def _parse(path: Path, start: bytes) -> tuple[dict[str, str], int]:
    """The fields and the length of the header."""
    fields: dict[str, str] = {}
    length = 0
    while "ElementDataFile" not in fields:
        end = start.find(b"\n", length)
        line = start[length:] if end < 0 else start[length : end + 1]
        name, equals, value = line.decode("utf-8", errors="replace").partition("=")
        if not equals:
            raise damaged(path)
        fields[name.strip()] = value.strip()
        length += len(line)
    return fields, length


def _dtype(fields: dict[str, str]) -> np.dtype[np.generic]:
    big = any(
        _true(fields.get(name, "")) for name in ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
    )
    return np.dtype((">" if big else "<") + _TYPES[fields["ElementType"].removesuffix("_ARRAY")])


def _true(text: str) -> bool:
    return text[:1] in ("T", "t", "1")


def _matrix(fields: dict[str, str], count: int) -> NDArray[np.float64]:
    """The affine in RAS+ mm; a row of the header's matrix is the direction of an axis (LPS)."""

    def numbers(names: tuple[str, ...], default: NDArray[np.float64]) -> NDArray[np.float64]:
        text = next((fields[name] for name in names if name in fields), None)
        if text is None:
            return default
        return np.array([float(n) for n in text.split()]).reshape(default.shape)

    turn = numbers(_TURN, np.eye(count))[:3, :3]
    lps = np.eye(4)
    lps[:3, :3] = turn.T * numbers(_SPACING, np.ones(count))[:3]
    lps[:3, 3] = numbers(_PLACE, np.zeros(count))[:3]
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps
