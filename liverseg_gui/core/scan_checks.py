"""Checks of a scan's geometry and values, the same for all file formats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, Float3, Int3, StoredGrid
from liverseg_gui.core.scan_issues import Concern, ScanIssue, error, info, warning
from liverseg_gui.core.slices import AIR_HU, even_grid, slice_affines

TILT_DEGREES = 0.5
"""From here on the axes of a grid are resampled to a right angle; below, the files' rounding."""

_RIGHT_ANGLE_DEGREES = 0.02
_PIXEL_MM = (0.2, 3.0)
_RANGE_MM = (0.1, 20.0)
_THICK_MM = 5.0
_SAMPLES_AN_AXIS = 64
_TISSUE_HU = (-200, 300)
_LEAST_TISSUE = 0.01
"""The least part of a scan that tissue fills: 0.04 where a small body lies in a field of 1 m."""
_MIDDLE_HU = (-250.0, 220.0)
"""Between these lies the median of what is brighter than air: -70 to 105 in the CT at hand, up to
220 where the values were cut off from 0 to 255."""
_BONE_HU = 600.0
_LEAST_SPREAD = 40.0
_LOOK = "Check the air outside the body (about -1000 HU) and the liver (40 to 150 HU)."
_UNITS_MM = {
    **dict.fromkeys(("mm", "millimeter"), 1.0),
    **dict.fromkeys(("m", "meter"), 1e3),
    **dict.fromkeys(("cm", "centimeter"), 10.0),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "micrometer"), 1e-3),
}
_BODY_HU = -300
_SPINE_HU = (200, 350)
"""Bone is above both; contrast medium is above the first at most places, seldom the second."""
_BONE_GRID_MM = (4.0, 4.0, 10.0)
_LEAST_SPINE = 0.2
"""So much more of the bone lies on the spine's side than on the one across, of the bone on all four
sides of the body's middle: 0.22 to 0.98 in the CT of the abdomen at hand."""

PHASE_UNKNOWN = warning(
    "phase-unknown",
    "The file does not say which contrast phase the scan is in.",
    "Check that the liver is enhanced: the model has seen mostly portal venous scans.",
    Concern.MODEL,
)


EIGHT_BIT = warning(
    "eight-bit",
    "The file holds 8-bit numbers, which no CT in HU fits into: it may be a mask or a picture.",
    "Open the scan it belongs to, and this file as its mask.",
    Concern.HU,
)


def several_volumes(count: int) -> ScanIssue:
    """The finding for a file of `count` volumes."""
    return info(
        "four-dimensional",
        f"The file holds {count} volumes, often contrast phases.",
        "Choose one of them.",
    )


def slices_on_time_axis(count: int, slice_mm: float) -> ScanIssue:
    """The finding for a file of `count` slices one after another in time."""
    return warning(
        "slices-on-time-axis",
        f"The file has its {count} slices on the time axis, as some converters leave them. They "
        f"are read as one volume, {slice_mm:.3g} mm apart as the header gives for slices: mm and "
        "ml are not reliable.",
        "Convert the scan again from DICOM, or set the spacing (File menu, --spacing).",
        Concern.MM,
    )


def unit_spacing(where: str) -> ScanIssue:
    """The doubt about voxels of 1 x 1 x 1 mm; `where` says how the file places them."""
    return warning(
        "unit-spacing",
        f"The file gives 1 x 1 x 1 mm voxels {where}, as programs write that know neither: mm and "
        "ml are not reliable.",
        "Open the original DICOM series, or set the spacing (File menu, --spacing).",
        Concern.MM,
    )


def mm_per_unit(unit: str, step: tuple[float, float, float]) -> float:
    """The mm in a file's `unit` of length, with which its voxels measure `step`.

    1 where the unit is unknown, or where the voxels are those of a CT if it is mm but not if it is
    what the file says: some programs state any unit.
    """
    factor = _UNITS_MM.get(_plain(unit), 1.0)
    if _plausible_mm(step) and not _plausible_mm([factor * s for s in step]):
        return 1.0
    return factor


def _plain(unit: str) -> str:
    return unit.strip().lower().removesuffix("s").replace("metre", "meter")


def _plausible_mm(step: Sequence[float]) -> bool:
    return all(_RANGE_MM[0] <= s <= _RANGE_MM[1] for s in step)


def unit_issues(unit: str, factor: float) -> list[ScanIssue]:
    """What is remarkable about a file's `unit` of length, "" for none; `factor` made it mm."""
    if not unit or _UNITS_MM.get(_plain(unit)) == 1.0:
        return []
    if factor != 1.0:
        return [
            info(
                "units",
                f"The file gives lengths in {unit}; they were converted to mm.",
                "",
            )
        ]
    return [
        warning(
            "units",
            f"The file gives lengths in {unit[:20]}, read as mm: mm and ml are not reliable.",
            "Convert the scan again from DICOM.",
            Concern.MM,
        )
    ]


def spacing_issues(affine: Affine, shape: Int3) -> list[ScanIssue]:
    """Doubts about the voxel size of a grid of `shape` (stored i, j, k)."""
    i_mm, j_mm, k_mm = affine.spacing_mm
    fine, middle, coarse = sorted(affine.spacing_mm)
    issues = []
    plain = np.array_equal(np.abs(affine.matrix[:3, :3]), np.eye(3))
    if plain and not affine.matrix[:3, 3].any():
        issues.append(unit_spacing("at the origin"))
    elif not (
        _RANGE_MM[0] <= fine
        and coarse <= _RANGE_MM[1]
        and _PIXEL_MM[0] <= middle <= max(_PIXEL_MM[1], coarse / 1.05)
    ):
        issues.append(
            warning(
                "implausible-spacing",
                f"The file gives voxels of {i_mm:.3g} x {j_mm:.3g} x {k_mm:.3g} mm, which no "
                "abdominal CT has: mm and ml are not reliable.",
                "Open the original DICOM series, or set the spacing (File menu, --spacing).",
                Concern.MM,
            )
        )
    elif coarse > _THICK_MM:
        issues.append(
            info(
                "thick-slices",
                f"The slices are {coarse:.3g} mm apart: small lesions can fall between them.",
                "Prefer a thinner reconstruction where there is one.",
            )
        )
    straight = np.array_equal(affine.matrix[:3, :3], np.diag(affine.spacing_mm))
    if straight and not plain and not affine.matrix[:3, 3].any():
        issues.append(
            warning(
                "identity-affine",
                "The file gives no rotation and no origin, as programs write that do not know how "
                "the patient lies: left and right may be swapped.",
                "Compare the liver's side with another picture of the patient.",
            )
        )
    if min(shape) == 1:
        issues.append(
            warning(
                "single-slice",
                "The scan is a single slice: its volumes rest on the slice thickness alone, and "
                "mm and ml are not reliable.",
                "Open the folder that holds the whole series.",
                Concern.MM,
            )
        )
    return issues


def skew_degrees(affine: Affine) -> tuple[float, float]:
    """How far the axes are off a right angle: the rows and columns, then the slice axis."""
    axes = affine.matrix[:3, :3] / np.linalg.norm(affine.matrix[:3, :3], axis=0)
    in_plane = float(np.degrees(np.arcsin(min(abs(axes[:, 0] @ axes[:, 1]), 1.0))))
    normal = np.cross(axes[:, 0], axes[:, 1])
    along = abs(normal @ axes[:, 2]) / max(float(np.linalg.norm(normal)), 1e-12)
    return in_plane, float(np.degrees(np.arccos(min(along, 1.0))))


def needs_upright(grid: StoredGrid) -> bool:
    """Whether slices are stacked askew while their rows and columns are at a right angle."""
    in_plane, tilt = skew_degrees(grid.affine)
    return grid.shape[2] > 1 and tilt > TILT_DEGREES >= in_plane


def skew_issues(grid: StoredGrid) -> list[ScanIssue]:
    """Whether the axes of a grid stand at right angles; a tilt is resampled by the reader."""
    in_plane, tilt = skew_degrees(grid.affine)
    if needs_upright(grid):
        return [tilted(tilt), *even_grid_issues(grid.shape[:2], slice_affines(grid))]
    if max(in_plane, tilt) > _RIGHT_ANGLE_DEGREES:
        return [
            warning(
                "not-orthonormal",
                f"The scan's axes are {max(in_plane, tilt):.2g} degrees off a right angle. Volumes "
                "are right; the picture is shown as if they stood straight.",
                "Convert the scan again from DICOM if other programs refuse it.",
            )
        ]
    return []


def even_grid_issues(shape: tuple[int, int], affines: Sequence[Affine]) -> list[ScanIssue]:
    """Nothing, unless slices of `shape` at `affines` cannot be resampled."""
    try:
        even_grid(shape, affines)
    except ValueError:
        return [
            error(
                "no-even-grid",
                "The slices lie so far askew or apart that no even grid holds them.",
                "Export the series again from the archive, or convert it again from DICOM.",
            )
        ]
    return []


def tilted(degrees: float) -> ScanIssue:
    """The finding for slices that are not stacked along their normal."""
    return warning(
        "gantry-tilt",
        f"The slices are stacked at {degrees:.1f} degrees off their normal (a tilted gantry). The "
        "scan was resampled onto an upright grid, where it is measured and its mask is saved.",
        "Nothing to do; use the saved mask with the scan as this program opens it.",
    )


def value_issues(hu: NDArray[np.int16]) -> list[ScanIssue]:
    """Doubts about whether the values are HU. `hu` of any axis order; a sample is looked at."""
    steps = [max(1, n // _SAMPLES_AN_AXIS) for n in hu.shape]
    sample = hu[:: steps[0], :: steps[1], :: steps[2]]
    low, high = int(sample.min()), int(sample.max())
    if low == high:
        return [
            warning(
                "no-contrast",
                f"Every voxel has the value {low}: there is nothing to see.",
                "Open the original series; this file may be an empty conversion.",
                Concern.HU,
            )
        ]
    sure = _no_hu(np.maximum(sample, AIR_HU), low)
    if sure:
        return [
            warning(
                "not-hu",
                f"The values are not Hounsfield units: {sure}.",
                f"{_LOOK} The model needs true HU: open the original series.",
                Concern.HU,
            )
        ]
    if low >= 0 and high <= 255:
        return [_doubtful("lie within 0 to 255, like a grey picture")]
    if low > -300:
        return [_doubtful(f"start at {low}: no air is among them")]
    return []


def _no_hu(sample: NDArray[np.int16], low: int) -> str:
    """Why values can't be HU, in words; nothing where they can. `low` is the lowest of them.

    Air and body, or whatever differs most, are two groups of values; in a CT the upper one is
    tissue, also where the values were cut off at both ends.
    """
    lower, upper = _two_groups(np.sort(sample, axis=None))
    middle = float(np.median(upper))
    tissue = float(np.mean((sample > _TISSUE_HU[0]) & (sample < _TISSUE_HU[1])))
    share = len(upper) / sample.size
    bones = tissue > 0.5 and share < 0.2 and low < -50 and middle < _BONE_HU
    if middle > _MIDDLE_HU[1] and not bones:
        return f"the brighter half lies around {middle:.0f}, where soft tissue has 0 to 150"
    if tissue < _LEAST_TISSUE:
        return f"hardly any lie between {_TISSUE_HU[0]} and {_TISSUE_HU[1]}, where soft tissue does"
    if middle < _MIDDLE_HU[0]:
        return f"the brighter half lies around {middle:.0f}, where soft tissue has 0 to 150"
    spread = float(np.subtract(*np.percentile(upper, (95, 5))))
    if low > -300 and spread < _LEAST_SPREAD:
        return f"the brighter half differs by {spread:.0f}, where tissues do by 100 or more"
    return _inverted(sample, float(lower[-1]))


def _two_groups(values: NDArray[np.int16]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Sorted `values` cut in two where the parts differ most (Otsu)."""
    count = len(values)
    sums = np.cumsum(values, dtype=np.int64)
    below = np.flatnonzero(np.diff(values)) + 1
    if not len(below):
        return values[:1], values[1:]
    sum_below = sums[below - 1].astype(np.float64)
    apart = sum_below / below - (sums[-1] - sum_below) / (count - below)
    cut = int(below[np.argmax(below * (count - below) * apart**2)])
    return values[:cut], values[cut:]


def _inverted(sample: NDArray[np.int16], cut: float) -> str:
    """Whether the edges of the volume are bright and even, as air is, and its middle dark."""
    if min(sample.shape) < 3:
        return ""
    at_end = np.zeros(sample.shape, np.int8)
    for axis, size in enumerate(sample.shape):
        at_end.swapaxes(0, axis)[[0, size - 1]] += 1
    edges = sample[at_end >= 2]
    middle = sample[tuple(slice(n // 3, n - n // 3) for n in sample.shape)]
    even = np.subtract(*np.percentile(edges, (95, 5))) < _LEAST_SPREAD
    if even and np.mean(edges > cut) > 0.9 and np.mean(middle > cut) < 0.3:
        return "what surrounds the body is brighter than the body"
    return ""


def _doubtful(what: str) -> ScanIssue:
    return warning(
        "doubtful-hu",
        f"The values {what}: they may not be Hounsfield units, or be clipped or shifted.",
        f"{_LOOK} The model needs true HU.",
        Concern.HU,
    )


def position_issues(hu: NDArray[np.int16], spacing_mm: Float3) -> list[ScanIssue]:
    """The doubt about a patient whose spine does not lie where the file calls it posterior.

    `hu` is in RAS+ order (i, j, k). A patient who lay prone has the spine posterior all the same:
    a scan is told by its own anatomy, however the table was used.
    """
    bone_hu, denser_hu = _SPINE_HU
    first = _spine_side(hu, spacing_mm, bone_hu)
    if first in ("", "posterior") or first != _spine_side(hu, spacing_mm, denser_hu):
        return []
    turned = "by half a turn, or upside down in its sections" if first == "anterior" else "sideways"
    return [
        warning(
            "turned",
            f"The spine lies on the {first} side of the picture, not on the posterior one: the "
            f"scan is turned {turned}, so right and left may be swapped.",
            "Set the orientation (File menu, --orientation), or export the series again; the "
            "model knows patients with the spine at the bottom.",
        )
    ]


def _spine_side(hu: NDArray[np.int16], spacing_mm: Float3, bone_hu: int) -> str:
    """The side of the body's middle on which bone tells of the spine; "" where nothing tells."""
    from scipy import ndimage  # a quarter of a second, which the first window does not wait for

    steps = (max(1, round(mm / has)) for mm, has in zip(_BONE_GRID_MM, spacing_mm, strict=True))
    thin = hu[tuple(slice(None, None, step) for step in steps)]
    sides = dict.fromkeys(("posterior", "right", "anterior", "left"), 0)
    for section in np.moveaxis(thin, 2, 0):
        body = ndimage.binary_opening(section > _BODY_HU, np.ones((3, 3)))
        if not body.any():
            continue
        low, high = np.percentile(np.nonzero(body), (1, 99), axis=1)
        bone = np.transpose(np.nonzero(body & (section > bone_hu)))
        x, y = (2 * (bone - (low + high) / 2) / np.maximum(high - low, 1)).T
        inside = np.hypot(x, y) < 0.9  # beyond are ribs, arms and the table
        for side, ahead, across in (
            ("posterior", -y, x),
            ("right", x, y),
            ("anterior", y, x),
            ("left", -x, y),
        ):
            sides[side] += int(np.count_nonzero(inside & (ahead > 0.1) & (np.abs(across) < 0.3)))
    total = max(sum(sides.values()), 1)
    opposite = {"posterior": "anterior", "anterior": "posterior", "right": "left", "left": "right"}
    side = max(sides, key=lambda name: sides[name] - sides[opposite[name]])
    return side if sides[side] - sides[opposite[side]] >= _LEAST_SPINE * total else ""
