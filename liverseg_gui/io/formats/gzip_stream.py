"""Raw voxels from plain and gzipped files, straight into memory that is there already."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

from isal import igzip, isal_zlib
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError, cannot_read
from liverseg_gui.system.regular_file import open_regular

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_GZIP_OR_ZLIB = 47  # the largest window (15), and whichever of the two headers is there (32)
GZIP_RATIO = 1032
"""The most that deflate can compress: 258 bytes in two bits."""

_DAMAGED: Any = (OSError, EOFError, zlib.error, isal_zlib.error)


def require_room(path: Path, promised: int, compressed: bool) -> None:
    """Check that a file can hold the bytes its header promises, before they are allocated.

    Raises:
        UnreadableFileError: it cannot.
    """
    there = path.stat().st_size * (GZIP_RATIO if compressed else 1)
    if promised > there:
        raise cut_short(path)


def cut_short(path: Path) -> UnreadableFileError:
    """The error for a file that ends before its voxels do."""
    return UnreadableFileError(f"{path} is cut short or damaged.", "Copy it again from its source.")


def unread(path: Path, problem: BaseException) -> UnreadableFileError:
    """The error for a file that the system does not give, or that is damaged."""
    if isinstance(problem, OSError) and problem.errno is not None:
        return cannot_read(path, problem)
    return cut_short(path)


def is_gzip(path: Path) -> bool:
    """Whether `path` starts as a gzip file does.

    Raises:
        UnreadableFileError: the system does not give it.
    """
    try:
        with open_regular(path) as stream:
            return stream.read(len(_GZIP)) == _GZIP
    except OSError as problem:
        raise unread(path, problem) from problem


@contextmanager
def opened(path: Path, compressed: bool, start: int = 0) -> Iterator[BinaryIO]:
    """`path` as a stream of uncompressed bytes, `start` bytes in.

    Raises:
        UnreadableFileError: what is read from it is damaged.
    """
    try:
        with open_regular(path) as file, igzip.open(file, "rb") if compressed else file as stream:
            if compressed:
                _skip(stream, start)
            else:
                stream.seek(start)
            yield stream
    except _DAMAGED as error:
        raise unread(path, error) from error


@contextmanager
def inflated(path: Path, header_bytes: int, start: int = 0) -> Iterator[BinaryIO]:
    """The gzip or zlib stream behind the header of `path`, unpacked, `start` bytes in.

    Raises:
        UnreadableFileError: what is read from it is damaged.
    """
    try:
        with open_regular(path) as packed:
            packed.seek(header_bytes)
            stream = BufferedReader(_Inflated(packed))
            _skip(stream, start)
            yield stream
    except _DAMAGED as error:
        raise unread(path, error) from error


class _Inflated(RawIOBase):
    """A gzip or zlib stream, unpacked."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._unpack = isal_zlib.decompressobj(wbits=_GZIP_OR_ZLIB)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:
        """Fill the start of `target`; 0 at the end."""
        while True:
            packed = self._unpack.unconsumed_tail or self._source.read(_CHUNK)
            data = self._unpack.decompress(packed, len(target))
            if data or not packed:
                target[: len(data)] = data
                return len(data)


def _skip(stream: BinaryIO, count: int) -> None:
    while count > 0:
        count -= len(stream.read(min(count, _CHUNK)) or _end())


def up_to(stream: BinaryIO, count: int) -> bytes:
    """The next `count` bytes, or those that there are."""
    parts: list[bytes] = []
    while count > 0 and (part := stream.read(min(count, _CHUNK))):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def fill(stream: BinaryIO, target: NDArray[Any]) -> None:
    """Fill contiguous `target` from `stream`.

    Raises:
        EOFError: the stream ends before.
    """
    flat: Any = target.reshape(-1, order="A").view("u1")
    view = memoryview(flat)
    done = 0
    while done < len(view):
        done += stream.readinto(view[done : done + _CHUNK]) or _end()  # type: ignore[attr-defined]


def _end() -> Any:
    raise EOFError
