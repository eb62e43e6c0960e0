"""Work on one case of a cohort: read, segment, save, measure, report."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from liverseg_gui.cohort.result import CaseResult, CohortCase, done, failed
from liverseg_gui.cohort.resume import (
    already_done,
    measure_anew,
    require_replaceable,
    stays,
)
from liverseg_gui.cohort.segment_scan import geometry_text, override_geometry, segment_volume
from liverseg_gui.core.errors import (
    Cancelled,
    ChangedFileError,
    LiverSegError,
    ModelError,
    UnreadableFileError,
    system_error_text,
)
from liverseg_gui.core.geometry import Float3
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io import archives
from liverseg_gui.io.changes import changed
from liverseg_gui.io.entries import VolumeEntry, fingerprint
from liverseg_gui.io.formats.nifti_write import require_mask_place
from liverseg_gui.io.scans import list_volumes
from liverseg_gui.report.measurements import MadeFrom, write_report
from liverseg_gui.segmentation.segmenter import Segmenter
from liverseg_gui.system.memory_usage import is_out_of_memory

Prepared = Volume | CaseResult
T = TypeVar("T")
_ONE_ARCHIVE = threading.Lock()
"""Archives are unpacked one at a time, and removed after each."""


@dataclass(frozen=True)
class CaseOptions:
    """How the cases of a cohort are done. `again` computes what is there already anew."""

    output: Path
    model: str
    model_sha256: str
    device: str = "auto"
    quality: str = "fast"
    spacing_mm: Float3 | None = None
    orientation: str | None = None
    again: bool = False

    def mask(self, case: CohortCase) -> Path:
        """Where the mask of `case` goes."""
        return self.output / f"{case.name}.nii.gz"

    def report(self, case: CohortCase) -> Path:
        """Where the report of `case` goes."""
        return self.output / f"{case.name}.json"

    def made_from(self, case: CohortCase) -> MadeFrom:
        """What the mask of `case` is made from."""
        geometry = geometry_text(self.spacing_mm, self.orientation)
        return MadeFrom(case.fingerprint, geometry, self.model_sha256, self.quality)


def segment_case(
    case: CohortCase,
    segmenter: Segmenter,
    options: CaseOptions,
    progress: Progress | None = None,
    prepared: Prepared | None = None,
) -> CaseResult:
    """Do one case, or find it done; whatever goes wrong with it is in the result.

    `prepared` is what `read_case` gave for it, where that was called before.

    Raises:
        ModelError: the model cannot be used, for this case or any other.
        Cancelled: `progress` was cancelled.
    """
    progress = progress or Progress()
    if prepared is None:
        prepared = read_case(case, options, progress.part(0.0, 0.1))
    if isinstance(prepared, CaseResult):
        return prepared
    volume, rest = prepared, progress.part(0.1, 1.0)
    return _or_failed(case, lambda: _segmented(case, volume, segmenter, options, rest))


def read_case(
    case: CohortCase, options: CaseOptions, progress: Progress, entry: VolumeEntry | None = None
) -> Prepared:
    """The volume of `case`; or its result, where it is done already or cannot be read.

    Raises:
        Cancelled: `progress` was cancelled.
    """
    return _or_failed(case, lambda: _read(case, options, progress, entry))


def _read(
    case: CohortCase, options: CaseOptions, progress: Progress, entry: VolumeEntry | None
) -> Prepared:
    mask, report, made_from = options.mask(case), options.report(case), options.made_from(case)
    require_mask_place(mask, case.path)
    kept = False
    if options.again:
        require_replaceable(mask, report)
    elif known := already_done(case, mask, report, made_from):
        return known
    else:
        kept = stays(case, mask, report, made_from)
    volume = _volume(case, options, progress, entry)
    return measure_anew(case, volume, mask, report, made_from) if kept else volume


def _volume(
    case: CohortCase, options: CaseOptions, progress: Progress, entry: VolumeEntry | None
) -> Volume:
    if archives.is_archive(case.path):
        with _ONE_ARCHIVE:
            volume = _from_archive(case, progress)
    else:
        listed = entry or _entry(case, progress.part(0.0, 0.3))
        volume = listed.read(progress.part(0.3, 1.0))
        if fingerprint(listed) != case.fingerprint:
            raise changed(case.path)
    return override_geometry(volume, options.spacing_mm, options.orientation)


def _from_archive(case: CohortCase, progress: Progress) -> Volume:
    """The volume of `case`; its unpacked archive is removed from the disk."""
    try:
        return _entry(case, progress.part(0.0, 0.5)).read(progress.part(0.5, 1.0))
    finally:
        archives.remove(case.path)


def _entry(case: CohortCase, progress: Progress) -> VolumeEntry:
    """Look for the volume of `case` where it was listed, perhaps on another computer."""
    for entry in list_volumes(case.path, progress):
        if entry.path == case.path and fingerprint(entry) == case.fingerprint:
            return entry
    raise UnreadableFileError(
        f"{case.path} is no longer as it was listed, or is another file on this computer. Start "
        "again; all computers of a cluster must see the same files under the same path."
    )


def _segmented(
    case: CohortCase, volume: Volume, segmenter: Segmenter, options: CaseOptions, progress: Progress
) -> CaseResult:
    report, _ = segment_volume(
        volume,
        segmenter,
        options.mask(case),
        options.made_from(case),
        progress,
        stale=options.report(case),
        asked=options.again,
    )
    write_report(report, options.report(case))
    return done(case, report.to_json())


def _or_failed(case: CohortCase, work: Callable[[], T]) -> T | CaseResult:
    """What `work` gives, or why it failed, in one line: no case may stop the others."""
    try:
        return work()
    except (Cancelled, ModelError):
        raise
    except ChangedFileError as problem:
        return failed(case, f"{problem.message} Start again to do it as it is now.")
    except Exception as problem:
        if is_out_of_memory(problem):
            return failed(case, "There is not enough memory for this scan.")
        if isinstance(problem, LiverSegError):
            return failed(case, str(problem))
        if isinstance(problem, OSError):
            return failed(case, system_error_text(problem))
        place = traceback.extract_tb(problem.__traceback__)[-1]
        where = f"{Path(place.filename).name}, line {place.lineno}"
        return failed(case, f"Unexpected {type(problem).__name__}: {problem} ({where})")
