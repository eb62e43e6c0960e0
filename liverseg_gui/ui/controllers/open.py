"""Opening a scan: list what is there, let the reader choose, read it with a first slice at once.

The open study stays as it is until the new scan has been read whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.histogram import Histogram, hu_histogram
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import warning
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.open_scan import ScanLocation
from liverseg_gui.state.scan_folder import volume_fingerprint
from liverseg_gui.state.window_level_memory import study_key
from liverseg_gui.system.privacy import remember_path, remember_secret
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.jobs.job_runner import Job, JobState

if TYPE_CHECKING:
    from liverseg_gui.io.entries import VolumeEntry

_CLOSES_THIS = "Opening another study closes this one."


@dataclass(frozen=True)
class Offer:
    """A volume that can be opened: volume `number` (from 1) of what is at `path`, perhaps the
    `only` one there."""

    path: Path
    number: int
    entry: VolumeEntry
    only: bool = False

    @property
    def place(self) -> ScanLocation:
        """Where it can be read again."""
        number = None if self.only else self.number
        return ScanLocation(self.path, number, self.entry.about.patient_id)


class OpenController(QObject):
    """Opens scans. `may_go` asks about what would be lost; `open_mask` puts a mask
    file on the open scan."""

    _sliced = Signal(object, object)

    def __init__(
        self,
        context: AppContext,
        may_go: Callable[[str], bool],
        open_mask: Callable[[Path], None],
    ) -> None:
        super().__init__()
        self._context, self._may_go, self._open_mask = context, may_go, open_mask
        self._job: Job | None = None
        self._turn = object()  # what is opened now; whatever belongs to another one comes too late
        self._given_up: LabelMap | None = None
        self._axial: int | None = None
        self._sliced.connect(self._show_slice, Qt.ConnectionType.QueuedConnection)

    def open(
        self,
        paths: Sequence[Path],
        mask: Path | None = None,
        number: int | None = None,
        axial: int | None = None,
    ) -> None:
        """Open the scan at `paths`, its volume `number` (from 1) or the one the reader chooses,
        and `mask` over it; at the slice `axial` (from 0), or in the middle."""
        if not paths or not self._may_go(_CLOSES_THIS):
            return
        self._axial = axial
        self._given_up = self._context.study.mask
        self._start_turn()
        name = paths[0].name or str(paths[0])
        self._job = self._context.submit(
            f"Opening {name}",
            partial(_list, paths),
            partial(self._listed, self._turn, name, mask, number),
        )

    def show_slice(self, path: Path, number: int | None, axial: int) -> None:
        """Go to the slice `axial` (from 0) of volume `number` of the scan at `path`, None for the
        only one; it is opened where it is not open."""
        study, view = self._context.study, self._context.view
        place = study.place
        if study.volume is None or place is None or (place.path, place.number) != (path, number):
            self.open([path], None, number, axial)
            return
        i, j, _ = view.crosshair_ijk
        view.crosshair_ijk = (i, j, min(axial, study.volume.shape[2] - 1))

    def open_recent(self, place: int) -> None:
        """Open the path at `place` (from 0) of the recent ones."""
        recent = self._context.settings.values.recent
        if place < len(recent):
            self.open([recent[place]])

    def open_last(self) -> None:
        """Open what was open when the program was closed."""
        last = self._context.settings.values.last
        if last is not None:
            self.open([last.path], None, last.number)

    def _gone(self, path: Path) -> None:
        """Say that there is nothing at `path`, and do not offer it again."""
        settings = self._context.settings
        message = f"{path} does not exist. Check the path."
        if path in settings.values.recent:
            settings.forget_recent(path)
            message = f"{path} is not there any more. It was taken from the list of recent files."
        self._context.tell(message)

    def _listed(
        self,
        turn: object,
        name: str,
        mask: Path | None,
        number: int | None,
        offers: list[Offer] | Path,
    ) -> None:
        from liverseg_gui.io.entries import Role

        if turn is not self._turn:
            return
        if isinstance(offers, Path):
            self._gone(offers)
            return
        if number is not None and number <= len(offers):
            self._read(offers[number - 1], mask)
            return
        volumes = [offer for offer in offers if offer.entry.about.role is Role.VOLUME]
        if len(volumes) == 1:
            self._read(volumes[0], mask)
            return
        self._context.dialogs.browse(
            name,
            [offer.entry for offer in offers],
            lambda chosen: self._read(offers[chosen], mask),
        )

    def _read(self, offer: Offer, mask: Path | None) -> None:
        entry = offer.entry
        if entry.problem:
            self._context.tell(entry.problem)
            return
        turn = self._start_turn()

        def work(progress: Progress) -> tuple[Volume, Histogram, str]:
            volume = entry.read(progress, lambda slice_: self._sliced.emit(turn, slice_))
            return volume, hu_histogram(volume.hu), volume_fingerprint(volume)

        self._job = self._context.submit(
            f"Opening {entry.path.name}", work, partial(self._show, turn, offer, mask)
        )
        self._job.ended.connect(lambda: self._ended(turn))

    def _show_slice(self, turn: object, slice_: Volume) -> None:
        if turn is self._turn:
            self._context.study.show_preview(slice_)

    def _show(
        self, turn: object, offer: Offer, mask: Path | None, read: tuple[Volume, Histogram, str]
    ) -> None:
        """Take the scan in the place of the open one, unless a mask came that must be kept."""
        volume, histogram, fingerprint = read
        study, view = self._context.study, self._context.view
        remember_secret(volume.origin.patient)
        if turn is not self._turn:
            return
        if study.mask is not self._given_up and not self._may_go(_CLOSES_THIS):
            return
        i, j, k = volume.shape
        axial = k // 2 if self._axial is None else min(self._axial, k - 1)
        view.crosshair_ijk = (i // 2, j // 2, axial)
        key = study_key(offer.path, offer.number)
        study.open(volume, offer.entry.about.phase, key, histogram, offer.place, fingerprint)
        self._context.settings.opened(offer.path, offer.number)
        self._context.say(f"Opened {volume.origin.path.name}{self._context.restored_words}")
        mask = mask or offer.entry.mask
        if mask is not None:
            self._open_mask(mask)

    def _ended(self, turn: object) -> None:
        """However it ended: the preview goes, the study that is open is seen again."""
        if turn is self._turn:
            self._given_up = None
            self._start_turn()

    def _start_turn(self) -> object:
        """Give up what is still being opened."""
        if self._job is not None and self._job.state in (JobState.WAITING, JobState.RUNNING):
            self._job.cancel()
        self._job, self._turn = None, object()
        self._context.study.drop_preview()
        return self._turn


def _list(paths: Sequence[Path], progress: Progress) -> list[Offer] | Path:
    """Everything at `paths`, or the first of them that does not exist.

    What the files say of patients is kept out of the log from now on.
    """
    from liverseg_gui.io.entries import with_issue
    from liverseg_gui.io.scans import list_volumes

    offers = []
    problem: UnreadableFileError | None = None
    for n, path in enumerate(paths):
        remember_path(path)
        if not os.path.exists(path):  # os.path, for which a network drive that has gone is no error
            return path
        part = progress.part(n / len(paths), (n + 1) / len(paths))
        try:
            entries = list_volumes(path, part)
        except UnreadableFileError as unreadable:
            problem = problem or unreadable
            continue
        for number, entry in enumerate(entries, 1):
            remember_path(entry.path)
            about = entry.about
            for secret in (about.patient, about.patient_names, about.patient_id):
                remember_secret(secret)
            offers.append(Offer(path, number, entry, len(entries) == 1))
    if problem is None:
        return offers
    if not offers:
        raise problem
    unread = warning(
        "unread-places", f"Not all of it could be read. {problem.message}", problem.remedy
    )
    return [replace(offer, entry=with_issue(offer.entry, unread)) for offer in offers]
