"""DICOM files and folders as volumes that can be listed and read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import mode

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import Concern, ScanIssue, by_severity, error, info, warning
from liverseg_gui.core.slices import SourceSlices, even_grid, resample_even
from liverseg_gui.core.volume import DicomIdentity, Origin, Volume
from liverseg_gui.core.window_level import NamedWindow, stated_window
from liverseg_gui.io.changes import changed, head_checksum, require_readable, unchanged
from liverseg_gui.io.dicom.cache import HeaderCache
from liverseg_gui.io.dicom.geometry import (
    StackGeometry,
    differing_issues,
    stack_geometry,
    thickness_issue,
)
from liverseg_gui.io.dicom.header_reader import header_size, read_header
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.io.dicom.index import DicomIndex, index_folder
from liverseg_gui.io.dicom.phase import contrast_phase, phase_issues
from liverseg_gui.io.dicom.pixels import read_hu, require_whole
from liverseg_gui.io.dicom.rescale import Rescale, stack_rescales
from liverseg_gui.io.dicom.series import make_stacks
from liverseg_gui.io.dicom.stacks import Slice, Stack
from liverseg_gui.io.dicom.value_checks import Seen, seen_issues, stated_issues
from liverseg_gui.io.entries import Role, SeriesInfo, ShowPreview, VolumeEntry
from liverseg_gui.io.file_endings import PACKED
from liverseg_gui.io.formats.hu import slices_together
from liverseg_gui.io.preview import one_slice, thumbnail


def dicom_file_entries(path: Path, progress: Progress) -> list[VolumeEntry]:
    """The volumes of the series that the DICOM file `path` belongs to.

    Raises:
        UnreadableFileError: it is no DICOM image.
    """
    header = read_header(path)
    if header is None:
        require_readable(path)
        raise UnreadableFileError(
            f"{path} is no scan this program reads, or is damaged.",
            "Open a NIfTI, NRRD or MetaImage file, a DICOM file or folder, or a zip archive of "
            "them.",
        )
    indexes = index_folder(path.parent, progress, recursive=False)
    if not any(h.path == header.path for index in indexes for h in index.headers):
        indexes = [DicomIndex(path.parent, (header,))]
    entries = dicom_entries(indexes)
    mine = [e for e in entries if isinstance(e.reader, StackReader) and e.reader.holds(header)]
    if not mine:
        raise UnreadableFileError(
            f"{path} is a DICOM {header.modality or 'object'}, not a scan.",
            "Open the CT series it belongs to.",
        )
    return mine


def dicom_entries(indexes: Sequence[DicomIndex]) -> list[VolumeEntry]:
    """The volumes among the images found in folders, what is set aside last."""
    stacks = make_stacks(header for place in indexes for header in place.headers)
    unreadable = {place.folder: place for place in indexes}
    aside = _set_aside_counts(stacks)
    entries = []
    for stack in stacks:
        folder = Path(stack.first.path).parent
        extra = []
        if stack.role is Role.VOLUME:
            extra = _folder_issues(unreadable.get(folder), aside.get(folder, 0))
        entries.append(StackReader(stack, tuple(extra)).entry())
    return entries


def _set_aside_counts(stacks: Sequence[Stack]) -> dict[Path, int]:
    counts: dict[Path, int] = {}
    for stack in stacks:
        if stack.role is not Role.VOLUME:
            folder = Path(stack.first.path).parent
            counts[folder] = counts.get(folder, 0) + len(stack.slices)
    return counts


def _folder_issues(place: DicomIndex | None, aside: int) -> list[ScanIssue]:
    issues = []
    if place is not None and place.unreadable:
        name, why = next(iter((place.unread | place.damaged).items()))
        issues.append(
            warning(
                "unreadable-files",
                f"{place.unreadable} of the folder's DICOM files cannot be read ({name}: {why}); "
                "slices may be missing.",
                "Unpack them beside the others."
                if name.lower().endswith(PACKED)
                else "Copy the series again from its source.",
            )
        )
    if aside:
        issues.append(
            info(
                "set-aside",
                f"{aside} images in the folder are no part of the scan (localizers, secondary "
                "captures, single images) and were set aside.",
            )
        )
    return issues


@dataclass(frozen=True)
class StackReader:
    """Reads the volume of a stack of slices: a `Read` of io.entries."""

    stack: Stack
    extra: tuple[ScanIssue, ...] = ()

    def holds(self, header: ImageHeader) -> bool:
        """Whether `header` is that of a slice, or of a copy of one that was left out."""
        return any(
            s.header.path == header.path
            or (
                s.header.instance_uid == header.instance_uid != ""
                and s.header.planes == header.planes
            )
            for s in self.stack.slices
        )

    @cached_property
    def geometry(self) -> StackGeometry:
        """Where the slices lie."""
        return stack_geometry(self.stack)

    @property
    def path(self) -> Path:
        """The folder of the slices, or the one file that holds them all."""
        files = {s.header.path for s in self.stack.slices}
        first = Path(self.stack.first.path)
        return first if len(files) == 1 and len(self.stack.slices) > 1 else first.parent

    @property
    def description(self) -> str:
        """The series in words, with the part of it where it was split."""
        first = self.stack.first
        number = first.series_number.lstrip("0")
        name = first.description or (f"Series {number}" if number else self.path.name)
        return ", ".join(part for part in (name, self.stack.part) if part)

    @property
    def phase(self) -> str:
        """The contrast phase in words, or nothing."""
        first = self.stack.first
        return contrast_phase(first.description, first.contrast) if first.modality == "CT" else ""

    @property
    def windows(self) -> tuple[NamedWindow, ...]:
        """The windows that most slices state; where no two agree, those of the middle one."""
        slices = self.stack.slices
        from_middle = sorted(range(len(slices)), key=lambda n: abs(n - len(slices) // 2))
        stated = mode(slices[n].header.windows for n in from_middle)
        return tuple(w for w in (stated_window(*values) for values in stated) if w is not None)

    def entry(self) -> VolumeEntry:
        """What is known without reading pixels."""
        first, geometry = self.stack.first, self.geometry
        across, down = geometry.affines[0].spacing_mm[:2]
        k_mm = geometry.grid.affine.spacing_mm[2] if geometry.even else None
        return VolumeEntry(
            self.path,
            self.description,
            first.modality or "unknown",
            (first.columns, first.rows, len(self.stack.slices)),
            (across, down, k_mm),
            self,
            self.issues,
            SeriesInfo(
                first.patient,
                first.patient_id,
                first.study,
                _iso(first.study_date),
                first.series_number.lstrip("0"),
                self.phase,
                first.thickness or None,
                self.stack.role,
                first.patient_names,
            ),
            thumbnail=self.thumbnail,
            files=self.files,
            key=self.key,
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of the slices."""
        return tuple(dict.fromkeys(Path(s.header.path) for s in self.stack.slices))

    @property
    def key(self) -> str:
        """The series and its images, as a hash: the same wherever the files lie."""
        uids = [(s.header.series_uid, s.header.instance_uid, s.frame) for s in self.stack.slices]
        return hashlib.sha256(repr((self.stack.part, uids)).encode()).hexdigest()

    @cached_property
    def issues(self) -> tuple[ScanIssue, ...]:
        """All that the headers tell, the gravest first."""
        first, geometry = self.stack.first, self.geometry
        issues = [*self.stack.issues, *geometry.issues, *self.extra, *self._image_issues()]
        if geometry.even:
            issues += checks.spacing_issues(geometry.grid.affine, geometry.grid.shape)
        if geometry.even and len(self.stack.slices) > 1:
            distance = geometry.grid.affine.spacing_mm[2]
            issues += [f for f in (thickness_issue(first.thickness, distance),) if f]
            issues += differing_issues(first.step, first.tilt, first.thickness, geometry.grid)
        if first.modality == "CT":
            issues += phase_issues(self.phase)
        return by_severity(tuple(issues))

    def _image_issues(self) -> list[ScanIssue]:
        first = self.stack.first
        issues = []
        if first.samples != 1 or first.photometric.startswith("PALETTE"):
            issues.append(
                error("color", "The images are in color, not CT slices.", "Open the CT series.")
            )
        if first.modality != "CT":
            issues.append(
                warning(
                    "not-ct",
                    f"The scan is {first.modality or 'of unknown modality'}, and the model knows "
                    "only CT: it can be viewed, not segmented.",
                    "Open the CT series of the study.",
                    Concern.MODEL,
                )
            )
        if self.stack.role is Role.EIGHT_BIT:
            issues.append(checks.EIGHT_BIT)
        if first.photometric == "MONOCHROME1":
            issues.append(
                info(
                    "monochrome1",
                    "The files ask for inverted grey (MONOCHROME1); HU are shown as usual.",
                )
            )
        return [*issues, *self._rescaling[1], *stated_issues(self.stack)]

    @cached_property
    def _rescaling(self) -> tuple[tuple[Rescale, ...], list[ScanIssue]]:
        return stack_rescales(self.stack)

    def thumbnail(self) -> NDArray[np.uint8]:
        """The middle slice, small."""
        return thumbnail(self._single(len(self.stack.slices) // 2))

    def __call__(self, progress: Progress, preview: ShowPreview | None = None) -> Volume:
        """See `io.entries.Read`."""
        slices = self.stack.slices
        self._require_listed(slices)
        with unchanged(self.files):
            return self._read(progress, preview)

    def _require_listed(self, slices: Sequence[Slice]) -> None:
        """Check that the files of `slices` begin with the headers that were listed.

        Raises:
            ChangedFileError: one does not; the cache, which may have told so, forgets its folder.
        """
        for header in {s.header.path: s.header for s in slices}.values():
            path = Path(header.path)
            if head_checksum(path, header_size(header.data_offset)) != header.checksum:
                with HeaderCache() as cache:
                    cache.forget(path.parent)
                raise changed(path)

    def _read(self, progress: Progress, preview: ShowPreview | None) -> Volume:
        slices = self.stack.slices
        progress.update(0.0, f"Reading {len(slices)} slices")
        require_whole(slices)
        middle = len(slices) // 2
        if preview is not None:
            preview(self._single(middle))
        columns, rows = self.geometry.shape
        stored = np.empty((len(slices), rows, columns), np.int16)
        share, seen = 1.0 if self.geometry.even else 0.6, Seen()
        for n, (s, rescale) in enumerate(zip(slices, self._rescaling[0], strict=True)):
            progress.update(share * n / len(slices), f"Reading slice {n + 1} of {len(slices)}")
            stored[n] = read_hu(s, rescale, seen)
        stack = stored.transpose(2, 1, 0)
        found = seen_issues(seen, self.stack, self._rescaling[0][0])
        issues = by_severity((*self.issues, *found, *self._value_issues(stack)))
        if self.geometry.even:
            grid, source = self.geometry.grid, None
            hu = grid.to_ras(stack)
        else:
            hu, grid, source = self._resampled(stack, progress.part(share, 1.0))
        progress.update(1.0, "Reading done")
        origin = replace(self._origin(), source_slices=source)
        return Volume(slices_together(hu), grid, origin, issues)

    def _value_issues(self, hu: NDArray[np.int16]) -> list[ScanIssue]:
        return checks.value_issues(hu) if self.stack.first.modality == "CT" else []

    def _resampled(
        self, stack: NDArray[np.int16], progress: Progress
    ) -> tuple[NDArray[np.int16], StoredGrid, SourceSlices]:
        geometry = self.geometry
        grid = even_grid(geometry.shape, geometry.affines)
        hu = resample_even(stack, geometry.affines, grid, progress)
        names = tuple(
            f"{Path(s.header.path).name}{f' frame {s.frame + 1}' if s.frame else ''}"
            for s in self.stack.slices
        )
        return grid.to_ras(hu), grid, SourceSlices(names, geometry.shape, geometry.affines)

    def _single(self, n: int) -> Volume:
        """Slice `n` as a volume of its own."""
        grid = StoredGrid((*self.geometry.shape, 1), Affine(self.geometry.affines[n].matrix))
        self._require_listed(self.stack.slices[n : n + 1])
        require_whole(self.stack.slices[n : n + 1])
        hu = read_hu(self.stack.slices[n], self._rescaling[0][n])
        return one_slice(hu.T[:, :, np.newaxis], grid, 0, self._origin())

    def _origin(self) -> Origin:
        first = self.stack.first
        return Origin(
            self.path,
            self.description,
            first.patient or first.patient_id,
            first.modality or "unknown",
            first.thickness or None,
            windows=self.windows,
            identity=DicomIdentity(
                first.patient_id,
                first.patient,
                first.study_uid,
                first.series_uid,
                first.frame_of_reference,
            ),
        )


def _iso(date: str) -> str:
    """DICOM's "20261124" as "2026-11-24"."""
    return f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else date
