"""Commands on the open scan: open, segment, save.

Work runs as jobs; the study is kept unharmed until a job has succeeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.core.geometry_override import with_geometry
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.segmentation.segmenter import Segmentation, Segmenter
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.controllers.compare import CompareController
from liverseg_gui.ui.controllers.mask import MaskController
from liverseg_gui.ui.controllers.mask_recovery import MaskRecovery
from liverseg_gui.ui.controllers.open import OpenController
from liverseg_gui.ui.controllers.review import ReviewController
from liverseg_gui.ui.controllers.save import SaveController
from liverseg_gui.ui.jobs.job_runner import Job, JobState
from liverseg_gui.ui.widgets.scan_facts import why_not_segmented

if TYPE_CHECKING:
    from liverseg_gui.core.measure import Lesion, Measurements


class ScanController:
    """Carries out commands on the study; asks before anything is lost."""

    def __init__(self, context: AppContext, segmenter: Segmenter) -> None:
        self._context, self._segmenter = context, segmenter
        self._segmenting: Job | None = None
        self.review = ReviewController(context)
        self.saver = SaveController(context, self.review)
        self.opener = OpenController(context, self._may_leave, self.open_mask)
        self._masks = MaskController(
            context, self._may_go, self._may_replace_mask, self._set_mask, self.review
        )
        self.comparer = CompareController(context, self._masks)
        self.recovery = MaskRecovery(
            context,
            self._set_mask,
            lambda path, number: self.opener.open([path], None, number),
        )

    def open(self, path: Path | Sequence[Path], mask: Path | None = None) -> None:
        """Open the scan at `path` (several are offered together), and `mask` over it."""
        self.opener.open([path] if isinstance(path, Path) else path, mask)

    def open_mask(self, path: Path) -> None:
        """Put the mask file `path` on the open scan."""
        self._masks.open(path)

    def state_geometry(self) -> None:
        """Let the reader state spacing and orientation of the open scan."""
        study = self._context.study
        volume = study.volume
        if volume is None or not self._may_leave("The mask lies on the scan as it was."):
            return
        choice = self._context.dialogs.geometry(volume.grid.affine)
        if choice is None:
            return
        stated = partial(with_geometry, volume, choice.spacing_mm, choice.orientation)

        def show(result: Volume) -> None:
            if study.volume is volume:
                i, j, k = result.shape
                self._context.view.crosshair_ijk = (i // 2, j // 2, k // 2)
                study.open(result, study.phase, study.key, study.histogram)
                self._context.say(f"The geometry is set{self._context.restored_words}")

        self._context.submit("Setting the geometry", lambda _: stated(), show)

    def segment(self) -> None:
        """Segment the open scan."""
        study = self._context.study
        volume = study.volume
        if volume is None or self._context.runner.busy:
            return
        reason = why_not_segmented(volume)
        if reason:
            self._context.tell(reason)
            return
        if not self._may_segment():
            return

        def done(segmentation: Segmentation) -> None:
            if study.volume is volume:
                made = (
                    segmentation.model,
                    segmentation.device,
                    segmentation.seconds,
                    segmentation.warnings,
                )
                self._set_mask(segmentation.labels, MaskSource(None, *made, why=segmentation.why))
                self._context.say(
                    f"Segmented in {segmentation.seconds:.1f} s on {segmentation.device}"
                )

        work = partial(self._segmenter.segment, volume)
        self._segmenting = self._context.submit("Segmenting", work, done)

    def _may_segment(self) -> bool:
        """Ask before a mask that was opened or is not saved is replaced."""
        study = self._context.study
        if study.mask is None:
            return True
        if study.unsaved:
            return self._may_replace_mask("Segmenting replaces the mask that is not saved.")
        if study.mask_source.model:
            return True
        return self._context.dialogs.confirm(
            "Segmenting replaces the mask you opened. Its file stays as it is, and Undo (Ctrl+Z) "
            "shows it again.",
            "Segment",
            "Keep the mask",
        )

    def _may_replace_mask(self, consequence: str) -> bool:
        """Whether the present mask is saved, or may go; saves it if the reader wants that."""
        if not self._context.study.unsaved:
            return True
        answer = self._context.dialogs.save_first(f"{consequence} Save the mask first?")
        if answer is None:
            return False
        return self.save_mask() if answer else True

    def _may_go(self, consequence: str) -> bool:
        """Whether what runs may be stopped and the present mask may go."""
        return self._may_stop() and self._may_replace_mask(consequence)

    def _may_leave(self, consequence: str) -> bool:
        """Whether the scan may be left: its mask, and annotations that could not be kept."""
        return self._may_go(consequence) and self._may_drop_annotations()

    def _may_drop_annotations(self) -> bool:
        self._context.annotation_store.keep()
        if self._context.annotations.saved:
            return True
        return self._context.dialogs.confirm(
            "The readings could not be kept, and are lost with the scan. A report (Ctrl+R, JSON) "
            "on another disk holds them.",
            "Discard the readings",
            "Keep the scan open",
        )

    def may_close(self) -> bool:
        """Whether the window may close now; asks about what would be lost."""
        return not self.saver.saving and self._may_leave("The mask is not saved.")

    def _may_stop(self) -> bool:
        """Whether no segmentation runs, or the reader lets it be cancelled."""
        running = self._segmenting
        if running is None or running.state not in (JobState.WAITING, JobState.RUNNING):
            return True
        if not self._context.dialogs.confirm(
            "The segmentation is still running.", "Stop segmenting", "Keep segmenting"
        ):
            return False
        running.cancel()
        return True

    def save_mask(self) -> bool:
        """Ask for a name and save the mask there; whether it is on disk."""
        return self.saver.save_mask()

    def go_to_lesion(self, lesion: Lesion) -> None:
        """Bring all planes to the middle of `lesion`, in the slice of its longest diameter."""
        volume = self._context.study.volume
        if volume is not None:
            i, j, _ = volume.affine.to_ijk(lesion.centroid_mm).round().astype(int)
            self._context.view.move_crosshair((int(i), int(j), lesion.slice_k), volume.shape)

    def _set_mask(self, mask: LabelMap, source: MaskSource) -> None:
        study = self._context.study
        before, its_source = study.mask, study.mask_source
        self._show_mask(mask, source)
        if before is not None:
            undo = partial(self._show_mask, before, its_source)
            redo = partial(self._show_mask, mask, source)
            self._context.history.push("replace mask", undo, redo, large=True)

    def _show_mask(self, mask: LabelMap, source: MaskSource) -> None:
        """Put `mask` on the scan, and measure it."""
        study = self._context.study
        volume = study.volume
        assert volume is not None
        study.set_mask(mask, source)

        def work(progress: Progress) -> Measurements:
            from liverseg_gui.core.measure import measure

            progress.update(0.1, "Volumes and lesions")
            return measure(volume, mask)

        self._context.submit(
            "Measuring", work, partial(study.set_measurements, mask), cancellable=False
        )
