"""Listed scans that a test makes up, and a reading that it can hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import ScanIssue
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.entries import Role, SeriesInfo, ShowPreview, VolumeEntry


def make_volume(
    path: Path,
    shape: tuple[int, int, int] = (16, 12, 8),
    hu: int = 50,
    issues: tuple[ScanIssue, ...] = (),
    **origin: Any,
) -> Volume:
    """A volume of one value with 2 x 2 x 3 mm voxels."""
    grid = StoredGrid(shape, Affine.from_spacing((2.0, 2.0, 3.0)))
    data = np.full(shape, hu, np.int16, order="F")
    return Volume(data, grid, Origin(path, "Fake", **origin), issues)


@dataclass
class FakeReading:
    """Reads `volume`: shows `slice_` first, then waits until it may go on."""

    volume: Volume
    slice_: Volume | None = None
    failure: LiverSegError | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.go_on.set()

    def __call__(self, progress: Progress, preview: ShowPreview | None = None) -> Volume:
        self.threads.append(threading.current_thread())
        if preview is not None and self.slice_ is not None:
            preview(self.slice_)
        while not self.go_on.wait(0.01):
            progress.update(0.5, f"Reading {self.volume.origin.path.name}")
        if self.failure is not None:
            raise self.failure
        progress.update(1.0, "Read")
        return self.volume


def make_entry(
    path: Path,
    description: str = "Abdomen portal venous",
    read: Callable[..., Volume] | None = None,
    modality: str = "CT",
    slices: int = 100,
    issues: tuple[ScanIssue, ...] = (),
    role: Role = Role.VOLUME,
    mask: Path | None = None,
    thumbnail: Any = None,
    **about: Any,
) -> VolumeEntry:
    """A listed scan of 2 mm slices."""
    return VolumeEntry(
        path,
        description,
        modality,
        (512, 512, slices),
        (0.7, 0.7, 2.0),
        read or FakeReading(make_volume(path)),
        issues,
        SeriesInfo(role=role, **about),
        mask,
        thumbnail,
    )
