"""Questions and messages. Tests and other callers reach them through one object."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from liverseg_gui.core.geometry import Affine
from liverseg_gui.io.file_endings import (
    ARCHIVES,
    DICOM,
    IMAGES,
    ITK,
    NIFTI,
    NIFTI_FILES,
)
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.widgets.file_dialogs import ask_file, ask_folder, ask_new_file
from liverseg_gui.ui.widgets.labels import MessageBox
from liverseg_gui.ui.widgets.patient_display import text_shown

if TYPE_CHECKING:
    from liverseg_gui.io.entries import VolumeEntry
    from liverseg_gui.io.masks.read import FileLabel
    from liverseg_gui.ui.dialogs.geometry_dialog import GeometryChoice
    from liverseg_gui.ui.dialogs.labels_dialog import LabelChoice
    from liverseg_gui.ui.viewer.screenshot import ScreenshotOptions


def _patterns(*endings: str) -> str:
    return " ".join(f"*{ending}" for ending in endings)


_OPEN_FILTER = (
    f"Scans and archives ({_patterns(*IMAGES, *DICOM, *ARCHIVES)} DICOMDIR);;"
    f"NIfTI ({_patterns(*NIFTI)});;DICOM ({_patterns(*DICOM)} DICOMDIR *);;"
    f"NRRD and MetaImage ({_patterns(*ITK)});;Zip archives ({_patterns(*ARCHIVES)});;"
    "All files (*)"
)
_OPEN_MASK_FILTER = f"Masks ({_patterns(*IMAGES)} *.dcm);;All files (*)"
_MASK_FILTER = f"Masks ({_patterns(*NIFTI_FILES)})"
_NIFTI_FILTER = "NIfTI (*.nii.gz)"
_MODEL_FILTER = "Models (*.zip)"
_CRASHED = "LiverSeg crashed when it ran last."
_SAVED_IS_WHOLE = (
    "What was saved is whole. A mask that was not saved is offered again when its scan is opened."
)
_REPORT_FILTER = "JSON report (*.json);;CSV table (*.csv)"


class Dialogs:
    """The dialogs of the window `parent`. All are modal; the browser alone does not wait."""

    def __init__(self, parent: QWidget, settings: Settings) -> None:
        self._parent, self._settings = parent, settings

    def problem(self, message: str, details: str = "") -> None:
        """Show what went wrong; of `details` a report to the makers can be made."""
        from liverseg_gui.ui.dialogs.error_dialog import ErrorDialog

        ErrorDialog(self._parent, message, details).exec()

    def crashed(self, report: str) -> None:
        """Tell that the program crashed when it ran last; `report` is what it could still write."""
        from liverseg_gui.ui.dialogs.error_dialog import ErrorDialog

        ErrorDialog(self._parent, _CRASHED, report, _SAVED_IS_WHOLE).exec()

    def save_first(self, question: str) -> bool | None:
        """Ask about an unsaved mask: True to save it, False to discard it, None to stay."""
        return self._ask(question, "Save", "Discard", "Cancel")

    def confirm(self, question: str, yes: str, no: str) -> bool:
        """Ask whether to do what `yes` names; `no` names what remains, and is what Enter and Esc
        choose."""
        return self._ask(question, "", yes, no) is False

    def leave_training(self, question: str, leave: str) -> bool | None:
        """Ask what becomes of a training: True to let it be, which `leave` names, False to cancel
        it, None to stay."""
        return self._ask(question, leave, "Cancel the training", "Stay")

    def restore_mask(self, question: str) -> bool | None:
        """Ask about a mask that was not saved: True to restore it, False to delete it, None to
        decide later."""
        return self._ask(question, "Restore", "Delete", "Not now")

    def _ask(self, question: str, keep: str, lose: str, stay: str) -> bool | None:
        """True for the button `keep`, False for `lose`, None for `stay`, which is what Esc chooses.

        Enter chooses `keep`, or `stay` where there is none: never the one by which something goes.
        """
        box = MessageBox(self._parent, question)
        roles = QMessageBox.ButtonRole
        kept = box.addButton(keep, roles.AcceptRole) if keep else None
        lost = box.addButton(lose, roles.DestructiveRole if keep else roles.AcceptRole)
        stays = box.addButton(stay, roles.RejectRole)
        box.setDefaultButton(kept or stays)
        box.setEscapeButton(stays)
        box.exec()
        clicked = box.clickedButton()
        return True if kept and clicked is kept else False if clicked is lost else None

    def browse(
        self, title: str, entries: Sequence[VolumeEntry], chosen: Callable[[int], None]
    ) -> None:
        """Offer `entries`; `chosen` gets the index of the one to open. Returns at once."""
        from liverseg_gui.ui.dialogs.scan_browser import ScanBrowser

        browser = ScanBrowser(self._parent, title, entries, self._settings)
        browser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        browser.chosen.connect(chosen)
        browser.open()

    def labels(
        self, name: str, labels: Sequence[FileLabel], proposal: Mapping[int, int]
    ) -> LabelChoice | None:
        """Ask what the labels of the mask `name` mean."""
        shown = text_shown(name, self._settings)
        from liverseg_gui.ui.dialogs.labels_dialog import LabelsDialog

        dialog = LabelsDialog(self._parent, shown, labels, proposal)
        return dialog.choice if dialog.exec() else None

    def geometry(self, affine: Affine) -> GeometryChoice | None:
        """Ask for spacing and orientation of a scan whose file has `affine`."""
        from liverseg_gui.ui.dialogs.geometry_dialog import GeometryDialog

        dialog = GeometryDialog(self._parent, affine)
        return dialog.choice if dialog.exec() else None

    def preset_name(
        self, title: str, name: str, taken: Collection[str], replace: bool
    ) -> str | None:
        """Ask for the name of a preset; one of those `taken` is only given where `replace` is."""
        from liverseg_gui.ui.dialogs.preset_dialog import PresetDialog

        dialog = PresetDialog(self._parent, title, name, taken, replace)
        return dialog.name if dialog.exec() else None

    def scan_file(self) -> Path | None:
        """Ask for a scan file or archive."""
        return ask_file(self._parent, "Open scan", _OPEN_FILTER)

    def scan_folder(self) -> Path | None:
        """Ask for a folder of scans."""
        return self._folder("Open folder")

    def mask_file(self) -> Path | None:
        """Ask for a mask to open."""
        return ask_file(self._parent, "Open mask", _OPEN_MASK_FILTER)

    def save_mask_as(self, proposal: Path) -> Path | None:
        """Ask where to save the mask."""
        return self._save("Save mask", proposal, _MASK_FILTER)

    def save_slices_in(self) -> Path | None:
        """Ask for the folder that gets one mask for each slice."""
        return self._folder("Save mask slice by slice")

    def save_report_as(self, proposal: Path) -> Path | None:
        """Ask where to save the report."""
        return self._save("Save report", proposal, _REPORT_FILTER)

    def export_as(self, proposal: Path) -> Path | None:
        """Ask where to export the scan without its patient."""
        return self._save("Export anonymized NIfTI", proposal, _NIFTI_FILTER)

    def model_file(self) -> Path | None:
        """Ask for the zip of a model."""
        return ask_file(self._parent, "Add a model", _MODEL_FILTER)

    def model_folder(self) -> Path | None:
        """Ask for a model folder."""
        return self._folder("Add a model folder")

    def labelled_folder(self) -> Path | None:
        """Ask for a folder of scans with their masks."""
        return self._folder("Add a folder of labelled cases")

    def export_model_as(self, proposal: Path) -> Path | None:
        """Ask where to write the zip of a model."""
        return self._save("Export a model", proposal, _MODEL_FILTER)

    def picture_options(self, options: ScreenshotOptions) -> ScreenshotOptions | None:
        """Ask what a picture shows, starting from `options`."""
        from liverseg_gui.ui.dialogs.screenshot_dialog import ScreenshotDialog

        dialog = ScreenshotDialog(self._parent, options, self._settings.values.hide_patient)
        return dialog.options if dialog.exec() else None

    def save_picture_as(self, proposal: Path) -> Path | None:
        """Ask where to save a picture."""
        return self._save("Save picture", proposal, "PNG pictures (*.png)")

    def _save(self, title: str, proposal: Path, kinds: str) -> Path | None:
        return ask_new_file(self._parent, title, proposal, kinds)

    def _folder(self, title: str) -> Path | None:
        return ask_folder(self._parent, title)
