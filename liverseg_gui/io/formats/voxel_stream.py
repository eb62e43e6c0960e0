"""Voxels as one stream of bytes: from one file or many, plain, deflated or written as text."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from isal import isal_zlib

from liverseg_gui.io.formats import gzip_stream

_CHUNK = 1 << 20
_GZIP_OR_ZLIB = 47


class Encoding(StrEnum):
    """How voxels are written."""

    RAW = "raw"
    DEFLATED = "gzip or zlib"
    TEXT = "text"
    HEX = "hex"


@dataclass(frozen=True)
class Start:
    """Where the voxels begin in a file: `header_bytes`, then lines, then bytes once unpacked.

    An `offset` of -1 means that they end with the file.
    """

    header_bytes: int = 0
    skip_lines: int = 0
    offset: int = 0


class VoxelStream:
    """The bytes of all voxels, one file after the other; each file holds the same share.

    A context that turns what a damaged file provokes into an UnreadableFileError.
    """

    def __init__(
        self,
        files: tuple[Path, ...],
        share: int,
        start: Start,
        encoding: Encoding,
        dtype: np.dtype[Any],
    ) -> None:
        """Read `share` bytes of each of `files`; `dtype` is that of numbers written as text."""
        self._files = iter(files)
        self._first = files[0]
        self._share = share
        self._start = start
        self._encoding = encoding
        self._dtype = dtype
        self._left = 0
        self._open = ExitStack()
        self._source: _Source = BytesIO()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        self._open.close()
        if isinstance(problem, (*gzip_stream.DAMAGED, ValueError, OverflowError)):
            raise gzip_stream.cut_short(self._first) from problem

    def readinto(self, target: memoryview) -> int:
        """Fill the start of `target`; 0 where a file ends too early."""
        if self._left == 0:
            self._open_next()
        count = self._source.readinto(target[: self._left])
        self._left -= count
        return count

    def skip(self, count: int) -> None:
        """Leave out `count` bytes."""
        while count > 0:
            if self._left == 0:
                self._open_next()
            step = min(count, self._left)
            _skip(self._source, step)
            self._left -= step
            count -= step

    def _open_next(self) -> None:
        path = next(self._files, None)
        self._open.close()
        if path is None:
            raise EOFError
        stream = self._open.enter_context(path.open("rb"))
        stream.seek(self._start.header_bytes)
        for _ in range(self._start.skip_lines):
            stream.readline()
        self._source = _decoded(stream, self._encoding, self._dtype)
        self._left = self._share
        if self._start.offset >= 0:
            _skip(self._source, self._start.offset)
        else:
            stream.seek(-self._share, 2)


class _Source(Protocol):
    def readinto(self, target: memoryview, /) -> int: ...


def _skip(source: _Source, count: int) -> None:
    if isinstance(source, BufferedReader):
        source.seek(count, 1)
        return
    waste = memoryview(bytearray(min(count, _CHUNK)))
    while count > 0:
        done = source.readinto(waste[: min(count, len(waste))])
        if not done:
            raise EOFError
        count -= done


def _decoded(stream: BufferedReader, encoding: Encoding, dtype: np.dtype[Any]) -> _Source:
    match encoding:
        case Encoding.RAW:
            return stream
        case Encoding.DEFLATED:
            return _Inflated(stream)
        case Encoding.TEXT:
            return BytesIO(_numbers(stream.read(), dtype))
        case Encoding.HEX:
            return BytesIO(bytes.fromhex(stream.read().decode("ascii")))


def _numbers(text: bytes, dtype: np.dtype[Any]) -> bytes:
    """Numbers written as text, as bytes of `dtype`."""
    kind = np.float64 if dtype.kind == "f" else np.int64
    return np.array(text.split()).astype(kind).astype(dtype).tobytes()


class _Inflated:
    """A gzip or zlib stream, unpacked."""

    def __init__(self, source: BufferedReader) -> None:
        self._source = source
        self._unpack = isal_zlib.decompressobj(wbits=_GZIP_OR_ZLIB)

    def readinto(self, target: memoryview, /) -> int:
        """Fill the start of `target`; 0 at the end."""
        while True:
            packed = self._unpack.unconsumed_tail or self._source.read(_CHUNK)
            data = self._unpack.decompress(packed, len(target))
            if data or not packed:
                target[: len(data)] = data
                return len(data)
