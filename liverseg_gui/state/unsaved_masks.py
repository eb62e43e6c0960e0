"""Copies of masks that are not saved, for when the program ends before they are.

A copy lies in the folder of its scan for as long as its mask is shown and not saved. Each window
keeps a lock while it is open, which the system lets go of however the program ends: a copy whose
lock nobody keeps was left behind.
"""

from __future__ import annotations

import gzip
import json
import logging
import secrets
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from liverseg_gui.core.errors import LiverSegError, SaveError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.open_scan import MaskSource, OpenScan, ScanLocation
from liverseg_gui.state.scan_folder import (
    make_private,
    scan_folder,
    scan_folders,
    scans_folder,
    write_private,
)

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PREFIX, _ENDING = "unsaved-", ".mask"
_FASTEST = 1
_DAMAGED = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    OverflowError,
    RecursionError,
    LiverSegError,
    zlib.error,
    MemoryError,
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeftMask:
    """A mask that was not saved when its window ended without a question, at `made`.

    `place` is where its scan was read, None where no file has it as it was shown.
    """

    file: Path
    made: datetime
    source: MaskSource
    place: ScanLocation | None

    def read(self, volume: Volume) -> LabelMap | None:
        """The mask, on the grid of `volume`; None where the copy is damaged."""
        try:
            with gzip.open(self.file) as stream:
                shape = parse_json(stream.readline())["shape"]
                labels = np.frombuffer(stream.read(), np.uint8)
            mask = LabelMap(labels.reshape(shape).transpose().copy(), volume.grid)
            mask.require_grid(volume.shape, volume.affine)
        except _DAMAGED:
            return None
        return mask if labels.max(initial=0) <= 2 else None

    def delete(self) -> None:
        """Remove the copy."""
        with suppress(OSError):
            self.file.unlink(missing_ok=True)


class UnsavedMasks:
    """Keeps a copy of the mask of the open scan while it is not saved.

    Copies are written in a thread, one after the other.
    """

    def __init__(self, study: OpenScan) -> None:
        self._study, self._name = study, secrets.token_hex(8)
        self._writer = ThreadPoolExecutor(1, "unsaved-mask")
        self._lock: BaseFileLock | None = None
        self._wanted: LabelMap | None = None
        self._file: Path | None = None
        study.mask_changed.connect(self._follow)
        study.saved.connect(self._follow)

    def left_behind(self, fingerprint: str = "") -> list[LeftMask]:
        """Those of the scan with this fingerprint, or of all scans; the newest first."""
        folders = [scan_folder(fingerprint)] if fingerprint else scan_folders()
        files = [file for folder in folders for file in folder.glob(f"{_PREFIX}*{_ENDING}")]
        left = [read for file in files if not _is_open(file) and (read := _read(file))]
        return sorted(left, key=lambda each: each.made, reverse=True)

    def flush(self) -> None:
        """Wait until all is written."""
        self._writer.submit(lambda: None).result()

    def close(self) -> None:
        """The window closes: its mask is saved, or may go."""
        self._want(None)
        self._writer.shutdown()
        if self._lock is not None:
            _let_go(self._lock)

    def _follow(self) -> None:
        self._want(self._study.mask if self._study.unsaved else None)

    def _want(self, mask: LabelMap | None) -> None:
        """Let there be a copy of `mask`, and of no other one."""
        if mask is self._wanted:
            return
        self._wanted = mask
        before, self._file = self._file, None
        if mask is not None:
            if self._lock is None and _kept(lock := _lock_of(self._name)):
                self._lock = lock
            folder = scan_folder(self._study.fingerprint)
            self._file = folder / f"{_PREFIX}{self._name}{_ENDING}"
            head = _head(self._study, mask)
            self._writer.submit(partial(self._write, self._file, head, mask))
        if before is not None and before != self._file:
            self._writer.submit(partial(before.unlink, missing_ok=True))

    def _write(self, file: Path, head: bytes, mask: LabelMap) -> None:
        if mask is not self._wanted:
            return
        try:
            # the axis of slices last, as it lies in memory
            data = np.ascontiguousarray(mask.labels.T).tobytes()
            write_private(file, gzip.compress(head + b"\n" + data, _FASTEST))
        except (SaveError, MemoryError) as error:
            _log.warning("no copy of the unsaved mask could be kept: %s", error)


def _head(study: OpenScan, mask: LabelMap) -> bytes:
    source, place = study.mask_source, study.place
    values = {
        "shape": mask.labels.shape[::-1],
        "made": datetime.now(UTC).isoformat(),
        "model": source.model,
        "device": source.device,
        "seconds": source.seconds,
        "warnings": source.warnings,
        "why": source.why,
        "scan": str(place.path) if place else None,
        "number": place.number if place else None,
    }
    return json.dumps(values).encode()


def _read(file: Path) -> LeftMask | None:
    """What is said of the copy `file`; None where it is damaged."""
    try:
        with gzip.open(file) as stream:
            values: Mapping[str, Any] = parse_json(stream.readline())
        seconds = values["seconds"]
        source = MaskSource(
            model=str(values["model"]),
            device=str(values["device"]),
            seconds=None if seconds is None else float(seconds),
            warnings=tuple(str(text) for text in values["warnings"]),
            why=str(values["why"]),
        )
        scan, number = values["scan"], values["number"]
        place = ScanLocation(Path(scan), number and int(number)) if scan is not None else None
        return LeftMask(file, datetime.fromisoformat(values["made"]), source, place)
    except _DAMAGED:
        return None


def _lock_file(name: str) -> Path:
    return scans_folder() / f"{name}.lock"


def _lock_of(name: str) -> BaseFileLock:
    """The lock that tells that the window `name` is open."""
    from filelock import FileLock  # slow to load, and seldom needed

    return FileLock(_lock_file(name), thread_local=False)


def _kept(lock: BaseFileLock) -> bool:
    """Whether `lock` is this window's now; some file systems know no locks."""
    try:
        make_private(scans_folder())
        lock.acquire(timeout=0)
    except (OSError, NotImplementedError, SaveError):
        return False
    return True


def _is_open(file: Path) -> bool:
    """Whether the window that wrote the copy `file` is open."""
    name = file.name.removeprefix(_PREFIX).removesuffix(_ENDING)
    if not _lock_file(name).exists():
        return False
    lock = _lock_of(name)
    try:
        lock.acquire(timeout=0)
    except TimeoutError:
        return True
    except (OSError, NotImplementedError):
        return False
    _let_go(lock)
    return False


def _let_go(lock: BaseFileLock) -> None:
    lock.release()
    with suppress(OSError):
        Path(lock.lock_file).unlink(missing_ok=True)
