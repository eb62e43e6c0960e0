"""What the user does with a study: open, segment, save. Work runs as jobs; the study is kept
unharmed until a job has succeeded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from liverseg_gui.core.errors import AmbiguousInputError
from liverseg_gui.core.measure import Lesion, Measurements
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import LabelMap, Volume
from liverseg_gui.segmentation.segmenter import Segmentation, Segmenter
from liverseg_gui.state.study import MaskSource, Study
from liverseg_gui.state.view import ViewState
from liverseg_gui.ui.dialogs import Dialogs
from liverseg_gui.ui.jobs import Job, JobRunner, JobState

_MASK_REPLACED = "Opening a mask replaces the present one."


class StudyController(QObject):
    """Carries out commands on the study."""

    said = Signal(str)

    def __init__(
        self,
        study: Study,
        view: ViewState,
        runner: JobRunner,
        dialogs: Dialogs,
        segmenter: Segmenter,
    ) -> None:
        super().__init__()
        self._study, self._view, self._runner = study, view, runner
        self._dialogs, self._segmenter = dialogs, segmenter
        self._segmenting: Job | None = None

    def open(self, path: Path, mask: Path | None = None) -> None:
        """Open the scan at `path`, and `mask` over it."""
        if self._may_stop() and self._may_replace_mask("Opening another study closes this one."):
            self._open(path, None, mask)

    def _open(self, path: Path, number: int | None, mask: Path | None) -> None:
        from liverseg_gui.io.scans import list_volumes, open_scan

        def work(progress: Progress) -> Volume | list[str]:
            try:
                return open_scan(path, progress, number)
            except AmbiguousInputError:
                return [f"{n}: {entry}" for n, entry in enumerate(list_volumes(path), 1)]

        def opened(result: Volume | list[str]) -> None:
            if isinstance(result, Volume):
                self._show(result)
                if mask is not None:
                    self.open_mask(mask)
                return
            chosen = self._dialogs.choose(f"{path.name} holds several volumes:", result)
            if chosen is not None:
                self._open(path, chosen + 1, mask)

        self._submit(f"Opening {path.name}", work, opened)

    def _show(self, volume: Volume) -> None:
        i, j, k = volume.shape
        self._view.crosshair_ijk = (i // 2, j // 2, k // 2)
        self._study.open(volume)
        self.said.emit(f"Opened {volume.origin.path.name}")

    def open_mask(self, path: Path) -> None:
        """Put the mask file `path` on the open scan."""
        volume = self._study.volume
        if volume is None:
            self._dialogs.problem("Open the scan first, then the mask that belongs to it.")
            return
        if not (self._may_stop() and self._may_replace_mask(_MASK_REPLACED)):
            return

        def work(progress: Progress) -> LabelMap:
            from liverseg_gui.io.nifti import read_mask

            progress.update(0.2, f"Reading {path.name}")
            return read_mask(path, volume)

        def opened(mask: LabelMap) -> None:
            if self._study.volume is volume and self._may_replace_mask(_MASK_REPLACED):
                self._set_mask(mask, MaskSource(path))

        self._submit(f"Opening {path.name}", work, opened)

    def segment(self) -> None:
        """Segment the open scan."""
        volume = self._study.volume
        if volume is None or self._runner.busy:
            return
        if volume.origin.modality != "CT":
            self._dialogs.problem(
                f"This scan is {volume.origin.modality}, and the model knows only CT."
            )
            return
        if not self._may_segment():
            return

        def done(found: Segmentation) -> None:
            if self._study.volume is volume:
                source = MaskSource(None, found.model, found.device, found.seconds, found.warnings)
                self._set_mask(found.labels, source)
                self.said.emit(f"Segmented in {found.seconds:.1f} s on {found.device}")

        work = partial(self._segmenter.segment, volume)
        self._segmenting = self._submit("Segmenting", work, done)

    def _may_segment(self) -> bool:
        """Ask before a mask that was opened or is not saved is replaced."""
        if self._study.mask is None:
            return True
        if self._study.unsaved:
            return self._may_replace_mask("Segmenting replaces the mask that is not saved.")
        if self._study.mask_source.model:
            return True
        return self._dialogs.confirm(
            "Segmenting replaces the mask you opened. Its file stays as it is.", "Segment"
        )

    def _may_replace_mask(self, consequence: str) -> bool:
        """Whether the present mask is saved, or may go; saves it if the reader wants that."""
        if not self._study.unsaved:
            return True
        answer = self._dialogs.save_first(f"{consequence} Save its mask first?")
        if answer is None:
            return False
        return self.save_mask() if answer else True

    def may_close(self) -> bool:
        """Whether the window may close now; asks about what would be lost."""
        return self._may_stop() and self._may_replace_mask("The mask is not saved.")

    def _may_stop(self) -> bool:
        """Whether no segmentation runs, or the reader lets it be cancelled."""
        running = self._segmenting
        if running is None or running.state not in (JobState.WAITING, JobState.RUNNING):
            return True
        if not self._dialogs.confirm("The segmentation is still running. Cancel it?", "Cancel it"):
            return False
        running.cancel()
        return True

    def save_mask(self) -> bool:
        """Ask for a name and save the mask there; whether it is on disk."""
        volume, mask = self._study.volume, self._study.mask
        if volume is None or mask is None:
            return False
        path = self._dialogs.save_mask_as(_beside(volume, "_mask.nii.gz"))
        if path is None:
            return False
        from liverseg_gui.core.errors import SaveError
        from liverseg_gui.io.nifti import save_mask

        try:
            save_mask(mask, volume.origin, path)
        except SaveError as error:
            self._dialogs.problem(str(error))
            return False
        self._study.mark_saved(mask)
        self.said.emit(f"Saved {path}")
        return True

    def save_report(self) -> None:
        """Ask for a name and write the report there."""
        volume, found = self._study.volume, self._study.measurements
        if volume is None or found is None:
            return
        path = self._dialogs.save_report_as(_beside(volume, "_report.json"))
        if path is None:
            return
        from liverseg_gui.core.errors import SaveError
        from liverseg_gui.report.write import Report, write_report

        source = self._study.mask_source
        report = Report(
            volume,
            found,
            source.model,
            source.device,
            source.seconds,
            warnings=source.warnings,
        )
        try:
            write_report(report, path)
        except SaveError as error:
            self._dialogs.problem(str(error))
        else:
            self.said.emit(f"Saved {path}")

    def go_to_lesion(self, lesion: Lesion) -> None:
        """Bring all planes to the middle of `lesion`, in the slice of its longest diameter."""
        volume = self._study.volume
        if volume is not None:
            i, j, _ = volume.affine.to_ijk(lesion.centroid_mm).round().astype(int)
            self._view.move_crosshair((int(i), int(j), lesion.slice_k), volume.shape)

    def _set_mask(self, mask: LabelMap, source: MaskSource) -> None:
        volume = self._study.volume
        assert volume is not None
        self._study.set_mask(mask, source)

        def work(progress: Progress) -> Measurements:
            from liverseg_gui.core.measure import measure

            progress.update(0.1, "Volumes and lesions")
            return measure(volume, mask)

        self._submit("Measuring", work, partial(self._study.set_measurements, mask))

    def _submit(
        self, name: str, work: Callable[[Progress], Any], done: Callable[[Any], None]
    ) -> Job:
        job = self._runner.submit(name, work, done)
        job.failed.connect(self._dialogs_later)
        job.cancelled.connect(lambda: self.said.emit(f"{name}: cancelled"))
        return job

    def _dialogs_later(self, message: str, details: str) -> None:
        """Show a problem once the job has ended, so that its dialog blocks nothing."""
        QTimer.singleShot(0, lambda: self._dialogs.problem(message, details))


def _beside(volume: Volume, ending: str) -> Path:
    """A proposal for a file name beside the scan."""
    path = volume.origin.path
    name = path.name.removesuffix(".gz").removesuffix(".nii")
    return path.parent / f"{name}{ending}"
