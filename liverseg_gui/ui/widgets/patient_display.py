"""Patient names and other texts as they may be seen on screen."""

from __future__ import annotations

from liverseg_gui.core.volume import Origin
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.plain_text import one_line, printable
from liverseg_gui.system.privacy import scrub

PATIENT_HIDDEN = "Patient hidden"


def patient_name(dicom_name: str) -> str:
    """A DICOM name as a reader writes it: "Doe^John" is "Doe, John"."""
    parts = one_line(dicom_name).replace("=", "^").split("^")
    return ", ".join(part for part in parts if part.strip())


def patient_shown(patient: str, settings: Settings) -> str:
    """A patient's name or id for the screen."""
    if settings.values.hide_patient:
        return PATIENT_HIDDEN
    return patient_name(patient)


def text_shown(text: str, settings: Settings) -> str:
    """Any text for the screen: without names and paths where the patient is hidden."""
    return printable(scrub(text) if settings.values.hide_patient else text)


def study_title(origin: Origin, settings: Settings) -> str:
    """What the open scan is called in the title of the window."""
    if settings.values.hide_patient:
        return PATIENT_HIDDEN
    return patient_name(origin.patient) or one_line(origin.description or origin.path.name)
