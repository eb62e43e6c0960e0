"""Whose mask a DICOM file holds, and on which scan it was drawn, compared with the scan at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import IdentityMismatchError
from liverseg_gui.core.scan_issues import ScanIssue, warning
from liverseg_gui.core.volume import DicomIdentity, somebody

IDENTITY_TAGS = (
    *("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID"),
    *("FrameOfReferenceUID", "ReferencedSeriesSequence"),
)


def stated_identity(dataset: Any) -> DicomIdentity:
    """What the DICOM `dataset` says of whose it is; texts are empty where it does not say."""
    patient, name, study, series, frame = (
        str(dataset.get(tag, "") or "").strip("\0 ") for tag in IDENTITY_TAGS[:5]
    )
    return DicomIdentity(patient, name, study, series, frame)


def series_drawn_on(dataset: Any) -> frozenset[str]:
    """The SeriesInstanceUIDs that the segmentation `dataset` refers to."""
    listed = dataset.get("ReferencedSeriesSequence") or []
    uids = (str(one.get("SeriesInstanceUID", "") or "").strip("\0 ") for one in listed)
    return frozenset(uid for uid in uids if uid)


def identity_issues(
    path: Path, scan: DicomIdentity | None, mask: DicomIdentity, drawn_on: Collection[str] = ()
) -> tuple[ScanIssue, ...]:
    """The doubts whether the mask at `path` is the scan's; none where the scan says nothing.

    `drawn_on` are the series that the mask's file refers to. No name and no id is told: what is
    said here goes into reports.

    Raises:
        IdentityMismatchError: it is another patient's.
    """
    if scan is None or not any((scan.patient_id, scan.patient, scan.study_uid, scan.series_uid)):
        return ()
    same_person = _same_person(scan, mask)
    same = {
        "study": _same(scan.study_uid, mask.study_uid),
        "series": scan.series_uid in drawn_on if drawn_on and scan.series_uid else None,
        "frame of reference": _same(scan.frame_of_reference, mask.frame_of_reference),
    }
    others = [name for name, is_same in same.items() if is_same is False]
    if same_person is False and (others or not any(same.values())):
        also = f", and so is its {_listed(others)}" if others else ""
        raise IdentityMismatchError(
            f"{path} is of another patient than the scan: the patient id or name in its header is "
            f"another{also}.",
            "Open the scan this mask was made on. Where both are one patient's, of whom one was "
            "anonymized, save the mask as NIfTI or NRRD in the program that made it.",
        )
    if same_person is False:
        return (
            warning(
                "mask-other-patient",
                "The mask's file names another patient than the scan, though its other ids are "
                "the scan's.",
                "Make sure that the mask is this patient's.",
            ),
        )
    if others:
        return (
            warning(
                "mask-other-scan",
                f"The mask's file names another {_listed(others)} than the scan's: it may have "
                "been drawn on another scan.",
                "Open the scan this mask was made on, or make sure that it fits this one.",
            ),
        )
    if same_person is None and not any(same.values()):
        return (
            warning(
                "mask-unnamed",
                "The mask's file does not say whose it is or on which scan it was drawn: it was "
                "taken because it lies on the scan's voxels.",
                "Make sure that it is this scan's.",
            ),
        )
    return ()


def all_identity_issues(
    path: Path, scan: DicomIdentity | None, masks: Iterable[DicomIdentity]
) -> tuple[ScanIssue, ...]:
    """`identity_issues` of masks in files of their own, which need not say whose they are.

    Raises:
        IdentityMismatchError: one is another patient's.
    """
    issues = (i for mask in dict.fromkeys(masks) for i in identity_issues(path, scan, mask))
    return tuple(dict.fromkeys(i for i in issues if i.code != "mask-unnamed"))


def _same(a: str, b: str) -> bool | None:
    return a == b if a and b else None


def _same_person(scan: DicomIdentity, mask: DicomIdentity) -> bool | None:
    """By the ids, or where one of them names nobody by the names."""
    ids = somebody(scan.patient_id), somebody(mask.patient_id)
    if all(ids):
        return ids[0].casefold() == ids[1].casefold()
    names = [_plain_name(name) for name in (scan.patient, mask.patient)]
    return _same(*names)


def _plain_name(name: str) -> str:
    """A DICOM name without its case and the way it is cut into parts."""
    letters = "".join(c if c.isalnum() else " " for c in name.partition("=")[0].casefold())
    return somebody(" ".join(letters.split()))


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
