"""The open scan with its mask, their sources and measurements."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakSet

from psygnal import Signal

from liverseg_gui.core.histogram import Histogram, hu_histogram
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.volume import Volume
from liverseg_gui.state.scan_folder import volume_fingerprint

if TYPE_CHECKING:
    from liverseg_gui.core.measure import Measurements


@dataclass(frozen=True)
class MaskSource:
    """Where a mask came from: a file, or a model that ran on a device.

    `note` is how a foreign file's labels were read, `why` the reason for that device. `reviewed`
    is the day (YYYY-MM-DD) on which a person marked the mask as reviewed, or nothing.
    """

    path: Path | None = None
    model: str = ""
    device: str = ""
    seconds: float | None = None
    warnings: tuple[str, ...] = field(default=())
    note: str = ""
    why: str = ""
    reviewed: str = ""


@dataclass(frozen=True)
class ScanLocation:
    """Where the open scan can be read again: volume `number` (from 1) of what is at `path`, None
    where it is the only one. `patient_id` is empty where the files name nobody."""

    path: Path
    number: int | None = None
    patient_id: str = ""


class OpenScan:
    """The open scan and its mask. Only the thread of the window changes it."""

    volume_changed = Signal()
    preview_changed = Signal()
    mask_changed = Signal()
    measured = Signal()
    saved = Signal()
    reviewed_changed = Signal()
    compared_changed = Signal()

    def __init__(self) -> None:
        self._volume: Volume | None = None
        self._phase = self._key = self._fingerprint = ""
        self._place: ScanLocation | None = None
        self._histogram: Histogram | None = None
        self._preview: Volume | None = None
        self._mask: LabelMap | None = None
        self._source = MaskSource()
        self._measurements: Measurements | None = None
        self._unsaved = False
        self._on_disk: WeakSet[LabelMap] = WeakSet()
        self._file: Path | None = None
        self._compared: LabelMap | None = None
        self._compared_name = ""

    @property
    def volume(self) -> Volume | None:
        """The open scan."""
        return self._volume

    @property
    def phase(self) -> str:
        """The name of the contrast phase of the open scan, where it is known."""
        return self._phase

    @property
    def key(self) -> str:
        """Names the open scan in the settings without telling whose it is; empty if unnamed."""
        return self._key

    @property
    def fingerprint(self) -> str:
        """Tells the open scan from all others by what it holds; worked out now where its reader
        did not."""
        if not self._fingerprint and self._volume is not None:
            self._fingerprint = volume_fingerprint(self._volume)
        return self._fingerprint

    @property
    def place(self) -> ScanLocation | None:
        """Where the open scan can be read again; None where no file has it as it is shown."""
        return self._place

    @property
    def histogram(self) -> Histogram | None:
        """How often each HU occurs in the open scan; counted now where its reader did not."""
        if self._histogram is None and self._volume is not None:
            self._histogram = hu_histogram(self._volume.hu)
        return self._histogram

    @property
    def preview(self) -> Volume | None:
        """One slice of a scan that is being read, shown in its place until it is there."""
        return self._preview

    @property
    def mask(self) -> LabelMap | None:
        """The mask on it."""
        return self._mask

    @property
    def mask_source(self) -> MaskSource:
        """Where the mask came from."""
        return self._source

    @property
    def measurements(self) -> Measurements | None:
        """The measurements of the mask, once they are computed."""
        return self._measurements

    @property
    def unsaved(self) -> bool:
        """Whether the mask would be lost if the scan were closed now."""
        return self._unsaved

    @property
    def mask_file(self) -> Path | None:
        """The file that holds the mask and says itself what its labels mean, or None."""
        return self._file

    @property
    def compared(self) -> LabelMap | None:
        """Another mask on the scan, which the mask is compared with."""
        return self._compared

    @property
    def compared_name(self) -> str:
        """What to call it."""
        return self._compared_name

    def set_compared(self, mask: LabelMap, name: str) -> None:
        """Compare the mask with `mask`, called `name`.

        Raises:
            GridMismatchError: it lies on another grid; nothing is changed.
        """
        if self._volume is None:
            raise ValueError("there is no scan to compare masks on")
        mask.require_grid(self._volume.shape, self._volume.affine)
        self._compared, self._compared_name = mask, name
        self.compared_changed.emit()

    def drop_compared(self) -> None:
        """Compare no more."""
        if self._compared is not None:
            self._compared, self._compared_name = None, ""
            self.compared_changed.emit()

    def show_preview(self, slice_: Volume) -> None:
        """Show one slice of a scan that is being read. The open study stays as it is."""
        self._preview = slice_
        self.preview_changed.emit()

    def drop_preview(self) -> None:
        """Go back to the open study."""
        if self._preview is not None:
            self._preview = None
            self.preview_changed.emit()

    def open(
        self,
        volume: Volume,
        phase: str = "",
        key: str = "",
        histogram: Histogram | None = None,
        place: ScanLocation | None = None,
        fingerprint: str = "",
    ) -> None:
        """Replace the scan; the mask goes with the old one, the preview with the new one."""
        self._volume, self._phase, self._place = volume, phase, place
        self._key, self._histogram, self._fingerprint = key, histogram, fingerprint
        self._mask, self._source, self._unsaved = None, MaskSource(), False
        self._measurements, self._file = None, None
        self.drop_compared()
        self.drop_preview()
        self.volume_changed.emit()
        self.mask_changed.emit()

    def set_mask(self, mask: LabelMap, source: MaskSource) -> None:
        """Put `mask` on the scan. One without a file is unsaved until `mark_saved`.

        Raises:
            GridMismatchError: it lies on another grid; nothing is changed.
        """
        if self._volume is None:
            raise ValueError("there is no scan to put a mask on")
        mask.require_grid(self._volume.shape, self._volume.affine)
        self._mask, self._source = mask, source
        self._unsaved = source.path is None and mask not in self._on_disk
        self._file = None if source.note else source.path
        self._measurements = None
        self.mask_changed.emit()

    def set_measurements(self, mask: LabelMap, measurements: Measurements) -> None:
        """Take the measurements of `mask`, unless another mask is shown by now."""
        if mask is self._mask:
            self._measurements = measurements
            self.measured.emit()

    def mark_saved(self, mask: LabelMap, path: Path | None = None) -> None:
        """`mask` is on disk, at `path` where it can be opened again as it is."""
        self._on_disk.add(mask)
        if mask is self._mask:
            self._unsaved = False
            self._file = path or self._file
            self.saved.emit()

    def mark_reviewed(self, mask: LabelMap, reviewed: str) -> None:
        """A person has reviewed `mask` on that day, or with "" has not; another mask stays."""
        if mask is self._mask and reviewed != self._source.reviewed:
            self._source = replace(self._source, reviewed=reviewed)
            self.reviewed_changed.emit()
