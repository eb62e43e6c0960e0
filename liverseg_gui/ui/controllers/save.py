"""Saving of a study: mask, report, picture, and the scan without its patient."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.system.privacy import remember_path
from liverseg_gui.ui.controllers.app_context import AppContext
from liverseg_gui.ui.controllers.review import ReviewController
from liverseg_gui.ui.jobs.blocking_call import run_blocking
from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions, save_screenshot


class SaveController:
    """Saves what belongs to the open scan."""

    def __init__(self, context: AppContext, review: ReviewController) -> None:
        self._context, self._review = context, review
        self.saving = False
        self.picture_options = ScreenshotOptions()

    def save_mask(self) -> bool:
        """Ask for a name and save the mask there; whether it is on disk."""
        volume, mask = self._context.study.volume, self._context.study.mask
        if volume is None or mask is None or self.saving:
            return False
        path = self._context.dialogs.save_mask_as(self._beside(volume, "_mask.nii.gz"))
        if path is None:
            return False
        from liverseg_gui.io.formats.mask_marks import Mark
        from liverseg_gui.io.formats.nifti_write import save_mask

        remember_path(path)
        source = self._context.study.mask_source
        mark = Mark.SEGMENTATION if source.model and not source.reviewed else Mark.MASK
        self.saving = True
        try:
            run_blocking(lambda: save_mask(mask, volume.origin, path, mark))
        except SaveError as error:
            self._context.tell(str(error))
            return False
        finally:
            self.saving = False
        self._context.study.mark_saved(mask, path)
        kept = self._review.keep(path) if self._context.study.mask is mask else ""
        self._context.say(f"Saved {path}. {kept}" if kept else f"Saved {path}")
        return True

    def save_slices(self) -> None:
        """Ask for a folder and save the mask there, one file for each slice of the source."""
        volume, mask = self._context.study.volume, self._context.study.mask
        if volume is None or mask is None or volume.origin.source_slices is None:
            return
        folder = self._context.dialogs.save_slices_in()
        if folder is None:
            return
        remember_path(folder)

        source = self._context.study.mask_source

        def work(progress: Progress) -> None:
            from liverseg_gui.io.formats.mask_marks import Mark
            from liverseg_gui.io.masks.slice_images import save_mask_slices

            progress.update(0.1, "Saving the mask slice by slice")
            mark = Mark.SEGMENTATION if source.model and not source.reviewed else Mark.MASK
            save_mask_slices(mask, volume.origin, folder, mark, asked=False)

        self._context.submit(
            "Saving slices", work, lambda _: self._context.say(f"Saved the slices in {folder}")
        )

    def save_report(self) -> None:
        """Ask for a name and write the report there; without a mask it holds the readings."""
        study = self._context.study
        volume, measurements = study.volume, study.measurements
        annotations = dict(self._context.annotations.items)
        if volume is None or (measurements is None and (study.mask is not None or not annotations)):
            return
        source = study.mask_source  # all of one moment: the study may change meanwhile
        path = self._context.dialogs.save_report_as(self._beside(volume, "_report.json"))
        if path is None:
            return
        from liverseg_gui.report.measurements import Report, write_report

        warnings = (*(volume.model_warnings if source.model else ()), *source.warnings)
        report = Report(
            volume,
            measurements,
            source.model,
            source.device,
            source.seconds,
            warnings=warnings,
            annotations=tuple(annotations.values()),
            reviewed=source.reviewed,
        )
        remember_path(path)
        try:
            write_report(report, path)
        except SaveError as error:
            self._context.tell(str(error))
        else:
            if path.suffix.lower() == ".json":  # a table of lesions holds none
                self._context.annotations.mark_saved(annotations)
            self._context.say(f"Saved {path}")

    def export_anonymized(self) -> None:
        """Ask for a name and write the scan's HU there, with nothing of the patient in it."""
        volume = self._context.study.volume
        if volume is None:
            return
        path = self._context.dialogs.export_as(volume.origin.path.parent / "anonymized.nii.gz")
        if path is None:
            return
        if (named := self._with_ending(path, ".nii.gz")) is None:
            return
        path = named
        remember_path(path)

        def work(progress: Progress) -> None:
            from liverseg_gui.io.formats.nifti_write import write_scan

            progress.update(0.1, f"Exporting {path.name}")
            write_scan(volume, path)

        self._context.submit("Exporting", work, lambda _: self._context.say(f"Exported {path}"))

    def copy_picture(self, image: QImage) -> None:
        """Put `image` on the clipboard."""
        QGuiApplication.clipboard().setImage(image)
        self._context.say("Copied the picture")

    def save_picture(self, draw: Callable[[ScreenshotOptions], QImage], name: str) -> None:
        """Ask what the picture shows and for its name, and write it there."""
        volume, dialogs = self._context.study.volume, self._context.dialogs
        if volume is None:
            return
        options = dialogs.picture_options(self.picture_options)
        path = dialogs.save_picture_as(self._beside(volume, f"_{name}.png")) if options else None
        if options is None or path is None:
            return
        self.picture_options = options
        if (named := self._with_ending(path, ".png")) is None:
            return
        path = named
        remember_path(path)
        image = draw(options)
        try:
            run_blocking(lambda: save_screenshot(image, path))
        except SaveError as error:
            self._context.tell(str(error))
        else:
            self._context.say(f"Saved {path}")

    def _with_ending(self, path: Path, ending: str) -> Path | None:
        """`path`, with `ending` if it had another; None where that is a file nobody asked about."""
        if path.name.lower().endswith(ending):
            return path
        named = path.with_name(f"{path.name}{ending}")
        if not named.exists():
            return named
        self._context.tell(f"{named} is there already. Choose another name.")
        return None

    def _beside(self, volume: Volume, ending: str) -> Path:
        """A proposal for a file beside the scan, without its name where the patient is hidden."""
        path = volume.origin.path
        name = path.name.removesuffix(".gz").removesuffix(".nii")
        hidden = self._context.settings.values.hide_patient
        return path.parent / f"{'scan' if hidden else name}{ending}"
