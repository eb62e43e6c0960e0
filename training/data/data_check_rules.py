"""Rules of the data check: what is wrong with a labelled case, or with a set of them.

docs/training-data.md lists the codes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from liverseg_gui.core.errors import GridMismatchError, LiverSegError
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.scan_issues import ScanIssue, Severity, by_severity, error, warning
from liverseg_gui.segmentation.preprocessing import WINDOW_HU
from training.data.case import Case, ForeignLabelsError

_OFF_CENTER = 0.05
"""Of the trunk's width: how far the liver's middle may lie on the patient's left."""
_CLIPPED = 0.97
_LIVER_CLIPPED = 0.9
"""Shares of voxels, of all and of the liver's, that may lie at the ends of the window."""
_LIVER_BELOW = 0.3
"""Share of the liver that may be as dark as the window's lower end: fat or air."""
_ASPECT = 1.5
_MISPLACED, _FITS_BETTER = 0.05, 0.25
"""A mask of which more than this share lies in fat or air is held against its mirror images: one
that leaves less than a quarter of it there fits better."""
_MOSTLY_TUMOR, _TUMOR_AROUND, _ALL_TUMOR = 0.5, 0.8, 0.85
"""Shares of the organ, and of its surface, that a tumor may make up."""
_LEAST_ML, _SMALL_ML, _LARGE_ML, _MOST_ML = 30.0, 300.0, 5000.0, 10000.0
"""Livers have 1 to 2 liters; an infant's has 60 ml, and 5 to 8 liters are known of the largest."""
_NO_MATTER = ("phase-unknown",)
"""Findings about a scan that say nothing about what can be learned from it."""

_SIDES = ("head and feet", "front and back", "right and left")
_IMAGES = {
    axes: tuple(_SIDES[axis] for axis in axes)
    for count in (1, 2, 3)
    for axes in combinations(range(3), count)
}
_NO_PATIENT = ("not-ct", "turned")
"""Findings about a scan with which no training can do anything."""

_COPY_AGAIN = "Copy the data set again from its source."
_REMEDIES = {
    "unit-spacing": "Convert the scan again from DICOM. It can be trained on; its slices are then "
    "taken as they come, not by their distance.",
    "implausible-spacing": "Convert the scan again from DICOM. It can be trained on; its slices "
    "are then taken as they come, not by their distance.",
    "turned": "Save the scan again with its true orientation, and the mask with it.",
    "identity-affine": "Check in the program that the liver lies on the patient's right.",
    **dict.fromkeys(
        ("not-hu", "doubtful-hu"),
        "Take the original scan, in Hounsfield units: air outside the body is about -1000, the "
        "liver 40 to 150.",
    ),
}


@dataclass(frozen=True)
class DatasetIssue:
    """A finding about several cases, or about all."""

    cases: tuple[str, ...]
    issue: ScanIssue


def unreadable(problem: LiverSegError | OSError) -> ScanIssue:
    """The finding for a case that could not be read."""
    if isinstance(problem, OSError):
        return error("unreadable", f"{problem}.", _COPY_AGAIN)
    message, remedy = problem.message, problem.remedy
    if isinstance(problem, ForeignLabelsError):
        return error("foreign-labels", message, remedy)
    if isinstance(problem, GridMismatchError):
        return error("grid-mismatch", message, remedy)
    return error("unreadable", message, remedy or _COPY_AGAIN)


def case_issues(case: Case) -> tuple[ScanIssue, ...]:
    """All that is doubtful about a case that was read, the gravest first."""
    found = [*_of_scan(case), *_grey(case), *_labels(case)]
    return by_severity(tuple(found))


def _of_scan(case: Case) -> list[ScanIssue]:
    """What was noticed when the scan was read, with what to do for training."""
    kept = [
        replace(f, remedy=_REMEDIES.get(f.code, f.remedy))
        for f in case.issues
        if f.severity is not Severity.INFO and f.code not in _NO_MATTER
    ]
    unfit = [f.code in _NO_PATIENT or f.no_hu for f in kept]
    return [
        replace(f, severity=Severity.ERROR) if no else f for f, no in zip(kept, unfit, strict=True)
    ]


def _grey(case: Case) -> list[ScanIssue]:
    """Whether nearly all, or nearly all of the liver, is cut off by the window."""
    low, high = WINDOW_HU
    liver = case.slices[case.labels > 0]
    for what, values, most in (
        ("what the mask calls liver", liver, _LIVER_CLIPPED),
        ("all voxels", case.slices, _CLIPPED),
    ):
        clipped = np.count_nonzero(values == 0) + np.count_nonzero(values == 255)
        if values.size and clipped / values.size > most:
            return [
                error(
                    "outside-window",
                    f"{clipped / values.size:.0%} of {what} lie outside {low:g} to {high:g} HU: "
                    "the scan is not in Hounsfield units, or shows no abdomen.",
                    "Take the original scan, in which air outside the body is about -1000.",
                )
            ]
    below = _off_tissue(case.slices, case.labels > 0)
    if below > _MISPLACED and (turned := _better_image(case, below)):
        return [
            error(
                "turned-mask",
                f"{below:.0%} of what the mask calls liver is fat or air in the scan, but hardly "
                f"any of its mirror image {turned}: the mask is turned.",
                "Save the mask again on its scan, or leave the case out.",
            )
        ]
    if below <= _LIVER_BELOW:
        return []
    return [
        warning(
            "off-tissue",
            f"{below:.0%} of what the mask calls liver is fat or air in the scan.",
            "Check that the mask was drawn on this scan.",
        )
    ]


def _off_tissue(slices: NDArray[np.uint8], organ: NDArray[np.bool_]) -> float:
    """The share of `organ` that is as dark as the window's lower end."""
    return float(np.count_nonzero(slices[organ] == 0)) / max(int(np.count_nonzero(organ)), 1)


def _better_image(case: Case, below: float) -> str:
    """Which mirror image of the mask lies in tissue, where the mask does not; else nothing."""
    images = {
        f"{' and '.join(names)} swapped": _off_tissue(case.slices, np.flip(case.labels > 0, axes))
        for axes, names in _IMAGES.items()
    }
    best = min(images, key=lambda image: images[image])
    return best if images[best] < _FITS_BETTER * below else ""


def _labels(case: Case) -> list[ScanIssue]:
    liver = case.labels > 0
    if not (case.labels == LIVER).any():
        what = "only tumor" if liver.any() else "nothing"
        return [
            error(
                "no-liver",
                f"The mask holds {what}: there is no liver (label 1).",
                "Draw the liver, or leave the case out.",
            )
        ]
    found = []
    columns = np.flatnonzero(liver.any(axis=(0, 1)))
    share = liver.sum(axis=(0, 1))[columns]
    box = case.trunk(_ASPECT)
    center = float(columns @ share / share.sum()) + 0.5
    if center > box.left + box.width * (0.5 + _OFF_CENTER):
        found.append(
            error(
                "mirrored",
                "The liver lies on the patient's left: mask, or scan and mask, are mirrored.",
                "Compare scan and mask in the program and save the mask again on its scan.",
            )
        )
    return [*found, *_shares(case), *_size(case), *_cut_off(case)]


def _shares(case: Case) -> list[ScanIssue]:
    """Whether liver and tumor may be swapped: a tumor lies in the liver, not around it."""
    organ = case.labels > 0
    tumor = np.count_nonzero(case.labels == TUMOR) / np.count_nonzero(organ)
    if tumor <= _MOSTLY_TUMOR:
        return []
    surface = case.labels[organ & ~ndimage.binary_erosion(organ)]
    around = np.count_nonzero(surface == TUMOR) / max(len(surface), 1)
    message = f"The mask calls {tumor:.0%} of the liver tumor, and {around:.0%} of its surface"
    if tumor > _ALL_TUMOR or around > _TUMOR_AROUND:
        return [
            error(
                "swapped-labels",
                f"{message}: liver and tumor are swapped.",
                'Name the labels in dataset.json, or in cases.json with "labels": '
                '"2=liver,1=tumor"; leave the case out if it is so.',
            )
        ]
    return [warning("mostly-tumor", f"{message}.", "Check which value is tumor.")]


def _size(case: Case) -> list[ScanIssue]:
    """Whether the organ has a size that a whole liver may have."""
    spacing = case.spacing_mm
    if spacing is None:
        return []
    ml = np.count_nonzero(case.labels) * math.prod(spacing) / 1000
    whole = not _touched(case)
    if ml > _MOST_ML or (whole and ml < _LEAST_ML):
        return [
            error(
                "no-livers-size",
                f"The mask's liver has {ml:.1f} ml; livers have 1000 to 2000.",
                "Check what was marked, and the spacing of scan and mask.",
            )
        ]
    if ml > _LARGE_ML or (whole and ml < _SMALL_ML):
        return [
            warning(
                "unusual-size",
                f"The mask's liver has {ml:.0f} ml; most have 1000 to 2000.",
                "Check that all of the liver is marked, and nothing else.",
            )
        ]
    return []


def _touched(case: Case) -> list[str]:
    """The sides of the scan that the organ reaches."""
    sides = {
        "first slice": case.labels[0],
        "last slice": case.labels[-1],
        "upper or lower edge": case.labels[:, [0, -1]],
        "left or right edge": case.labels[:, :, [0, -1]],
    }
    return [name for name, side in sides.items() if side.any()]


def _cut_off(case: Case) -> list[ScanIssue]:
    touched = _touched(case)
    if not touched:
        return []
    return [
        warning(
            "touches-edge",
            f"The liver reaches the {' and '.join(touched)}: part of it is not in the scan.",
            "Nothing to do; whole livers teach more.",
        )
    ]


def dataset_issues(
    patients: Sequence[tuple[str, str]],
    duplicates: Sequence[tuple[str, str]],
    persons: Sequence[tuple[str, str]],
    any_tumor: bool,
) -> list[DatasetIssue]:
    """What is doubtful about the whole.

    `patients` has the name and patient of every case, `duplicates` the names of those that are one
    scan; `persons` has the name of each that could be read, and the patient that its files name.
    """
    patient_of = dict(patients)
    found = []
    if len(set(patient_of.values())) == 1:
        found.append(DatasetIssue(tuple(patient_of), _SINGLE_PATIENT))
    if persons and not any_tumor:
        found.append(DatasetIssue(tuple(name for name, _ in persons), _NO_TUMOR))
    for pair in duplicates:
        one_patient = patient_of[pair[0]] == patient_of[pair[1]]
        found.append(DatasetIssue(pair, _REPEATED if one_patient else _DUPLICATE))
    for person in dict.fromkeys(person for _, person in persons if person):
        named = tuple(name for name, other in persons if other == person)
        if len({patient_of[name] for name in named}) > 1:
            found.append(DatasetIssue(named, _SAME_PERSON))
    return found


_SINGLE_PATIENT = error(
    "single-patient",
    "All cases are one patient's: none can be held out to see what was learned.",
    'Add other patients, or name the patients in cases.json ("patient").',
)
_NO_TUMOR = warning(
    "no-tumor",
    "No mask holds a tumor (label 2): a model trained on these finds livers alone.",
    "Add cases with tumors, or check which value the masks have for tumor.",
)
_DUPLICATE = error(
    "duplicate",
    "The scans are the same, under the names of two patients: one could be trained on and the "
    "other held out.",
    'Leave one out, or give both the same "patient" in cases.json.',
)
_REPEATED = warning(
    "repeated-scan",
    "The scans are the same: the case counts twice.",
    "Leave one out.",
)
_SAME_PERSON = warning(
    "same-person",
    "The scans' files name one patient, and here they are several.",
    'Give them the same "patient" in cases.json, unless the name was made up to hide the real one.',
)
