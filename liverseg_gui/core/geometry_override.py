"""Spacing and orientation stated by the reader, where a scan's file lacks them or is wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np

from liverseg_gui.core.geometry import Affine, Float3, StoredGrid
from liverseg_gui.core.scan_checks import position_issues, spacing_issues
from liverseg_gui.core.scan_issues import ScanIssue, by_severity, warning
from liverseg_gui.core.volume import Volume

_LARGEST_MM = 100.0
_STATED = "geometry-stated"
_PAIRS = ("RL", "AP", "SI")
ORIENTATIONS = tuple(
    "".join(letters) for order in permutations(_PAIRS) for letters in product(*order)
)
"""All 48: the patient direction that each stored axis runs towards, e.g. "LPS"."""

_ABOUT_SPACING = frozenset(
    ("unit-spacing", "implausible-spacing", "spacing-differs", "no-pixel-spacing", "units")
)
_ABOUT_ORIENTATION = frozenset(("no-orientation", "identity-affine", "turned"))


def with_geometry(
    volume: Volume, spacing_mm: Float3 | None = None, orientation: str | None = None
) -> Volume:
    """`volume` with the spacing (mm) and orientation of its stored i, j, k axes as stated.

    What is None stays. Findings that the statement answers go; one that says so comes. Masks are
    then saved on the stated grid, not with the header of the file.

    Raises:
        ValueError: a spacing is not above zero, or there is no such orientation.
    """
    stored = volume.grid.to_stored(volume.hu)
    matrix = volume.grid.affine.matrix.copy()
    resolved: frozenset[str] = frozenset()
    if orientation is not None:
        if orientation not in ORIENTATIONS:
            raise ValueError(f"there is no orientation {orientation!r}")
        from nibabel.orientations import axcodes2ornt, inv_ornt_aff

        size = volume.grid.affine.spacing_mm
        matrix = np.linalg.inv(inv_ornt_aff(axcodes2ornt(orientation), stored.shape))
        matrix[:3, :3] *= size
        matrix[:3, 3] = 0
        resolved |= _ABOUT_ORIENTATION
    if spacing_mm is not None:
        if not all(0 < mm < _LARGEST_MM for mm in spacing_mm):
            raise ValueError(f"a spacing lies between 0 and {_LARGEST_MM:g} mm")
        matrix[:3, :3] *= np.array(spacing_mm) / np.linalg.norm(matrix[:3, :3], axis=0)
        resolved |= _ABOUT_SPACING
    grid = StoredGrid(volume.grid.shape, Affine(matrix))
    issues = spacing_issues(grid.affine, grid.shape) if spacing_mm is not None else []
    issues = [f for f in issues if f.code in _ABOUT_SPACING]
    before = any(f.code == _STATED for f in volume.issues)
    kept = tuple(f for f in volume.issues if f.code not in {*resolved, _STATED})
    hu = np.asfortranarray(grid.to_ras(stored))
    if orientation is not None:
        issues += position_issues(hu, grid.ras_affine.spacing_mm)
    given = before or spacing_mm is not None, before or orientation is not None
    override = _override_issue(grid.affine, *given)
    return Volume(
        hu,
        grid,
        replace(
            volume.origin,
            nifti_header=None,
            source_slices=None,
            file_grid=volume.origin.file_grid or volume.grid,
        ),
        by_severity((*kept, override, *issues)),
    )


def _override_issue(affine: Affine, spacing: bool, orientation: bool) -> ScanIssue:
    parts = []
    if spacing:
        parts.append(f"spacing {' x '.join(f'{mm:g}' for mm in affine.spacing_mm)} mm")
    if orientation:
        parts.append(f"orientation {affine.orientation}")
    return warning(
        "geometry-stated",
        f"The reader, not the file, gave the {' and '.join(parts)}; every figure rests on it.",
        "State the same when the mask is opened over this scan again.",
    )
