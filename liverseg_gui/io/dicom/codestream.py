"""What a compressed frame says of itself: its kind, and whether the compression had a loss."""

from __future__ import annotations

from typing import NamedTuple

from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

ITEM = b"\xfe\xff\x00\xe0"
"""What encapsulated pixels start with, whatever the transfer syntax says."""
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
"""The transfer syntaxes without compressed frames."""
_FAMILIES = {
    "JPEG": (*range(50, 67), 70),
    "JPEG-LS": (80, 81),
    "JPEG 2000": range(90, 94),
}
"""By the last number of the transfer syntax, of those that are decoded."""
_J2K = b"\xff\x4f\xff\x51"
_COD, _CAP, _SOS, _EOI = 0x52, 0x50, 0xDA, 0xD9
_MOST_SEGMENTS = 15
_HEADER_BYTES = 4096


class Codestream(NamedTuple):
    """The transfer syntax that fits a compressed frame, and whether values were lost in it."""

    syntax: UID
    lossy: bool


def family(syntax: UID) -> str:
    """What a transfer syntax compresses with; nothing for one that is not decoded."""
    if syntax == RLELossless:
        return "run-length encoding"
    start, _, last = syntax.rpartition(".")
    if start != "1.2.840.10008.1.2.4" or not last.isdigit():
        return ""
    return next((name for name, numbers in _FAMILIES.items() if int(last) in numbers), "")


def codestream(frame: bytes) -> Codestream | None:
    """What `frame` is by its own header; None for what is none of the usual kinds."""
    start = frame[:_HEADER_BYTES]
    if start[:3] == b"\xff\xd8\xff":
        return _jpeg(start)
    at = start.find(_J2K)
    if at == 0 or (at > 0 and start[4:8] == b"jP  "):
        return _jpeg_2000(start[at:])
    segments, first = (int.from_bytes(start[n : n + 4], "little") for n in (0, 4))
    if 1 <= segments <= _MOST_SEGMENTS and first == 64:
        return Codestream(RLELossless, False)
    return None


def _jpeg(start: bytes) -> Codestream | None:
    """A JPEG or JPEG-LS stream, by its frame header and, for JPEG-LS, its first scan's."""
    kind, at = 0, 2
    while at + 4 <= len(start) and start[at] == 0xFF:
        marker, length = start[at + 1], int.from_bytes(start[at + 2 : at + 4], "big")
        if marker in (0xC0, 0xC1, 0xC2, 0xC3, 0xF7):
            kind = marker
        if marker in (_SOS, _EOI):
            break
        at += 2 + length
    if kind == 0xF7:
        near = at + 5 + 2 * start[at + 4] if at + 4 < len(start) else len(start)
        lossy = near < len(start) and start[near] > 0
        return Codestream(JPEGLSNearLossless if lossy else JPEGLSLossless, lossy)
    return {
        0xC0: Codestream(JPEGBaseline8Bit, True),
        0xC1: Codestream(JPEGExtended12Bit, True),
        0xC2: Codestream(UID("1.2.840.10008.1.2.4.55"), True),
        0xC3: Codestream(JPEGLossless, False),
    }.get(kind)


def _jpeg_2000(start: bytes) -> Codestream | None:
    """A JPEG 2000 stream, by its wavelet: 9-7 loses values. High-throughput ones are none."""
    at, lossy = 2, False
    while at + 14 <= len(start) and start[at] == 0xFF:
        if start[at + 1] == _CAP:
            return None
        if start[at + 1] == _COD:
            lossy = start[at + 13] == 0
            break
        at += 2 + int.from_bytes(start[at + 2 : at + 4], "big")
    return Codestream(JPEG2000 if lossy else JPEG2000Lossless, lossy)
