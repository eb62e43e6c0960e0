"""What each step of the procedure does to the outcome, as a Markdown table for docs/model.md.

`python -m tests.benchmarks.shortcuts MODEL`, with a fold's model. The scans are chaos_ct3 and the
patients that the model's card names as held out, whose lits2d slices are stacked into volumes: the
longest stretch of equal step, as HU in the window that lits2d holds; where the spacing is not known
a pixel counts as 0.9 mm and a step as 2 mm. The first row is the reference: float32, every slice,
the whole trunk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import TUMOR
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import open_scan
from liverseg_gui.segmentation.inference import PROCEDURES, NetworkSegmenter, Procedure
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.segmentation.postprocessing import CLEAN_UP, CleanUp
from tests.benchmarks.engine import timed
from tests.conftest import REAL_DATA
from training.data.case import Case
from training.data.lits2d_case import lits2d_sources

FAST = PROCEDURES["fast"]
ROWS: dict[str, Procedure] = {
    "reference: no first look, no crop": replace(FAST, crop=False),
    "**fast**": FAST,
    "first look on every slice": replace(FAST, coarse_mm=0.0),
    "best: mean of four looks": PROCEDURES["best"],
    "no clean-up at all": replace(
        FAST,
        clean_up=CleanUp(False, False, False, smallest_tumor_ml=0, least_chance=0, least_contact=0),
    ),
    **{
        f"without: {name}": replace(FAST, clean_up=replace(CLEAN_UP, **off))
        for name, off in {
            "lost slices bridged": {"bridge_gaps": False},
            "one organ": {"one_organ": False},
            "holes filled": {"fill_holes": False},
            "specks dropped": {"smallest_tumor_ml": 0.0},
            "unsure small candidates dropped": {"least_chance": 0.0},
            "masses outside dropped": {"least_contact": 0.0},
        }.items()
    },
}
Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scan:
    """A volume and its truth; where that knows no tumors, none is counted."""

    name: str
    volume: Volume
    truth: Labels
    has_tumor: bool


def main(model: str = "default") -> None:
    """Print the table."""
    scans = list(_scans(find_model(model).about["held_out"]))
    print(f"{len(scans)} scans: {', '.join(scan.name for scan in scans)}\n")
    print(
        "| step | liver Dice | tumor Dice | Dice to the reference, lowest | false tumor, ml | s |"
    )
    print("|---|---|---|---|---|---|")
    reference: list[Labels] = []
    for name, procedure in ROWS.items():
        segmenter = NetworkSegmenter(model, "cpu", procedure=procedure)
        segmenter.segment(scans[0].volume, Progress())
        runs = [timed(segmenter, scan.volume) for scan in scans]
        found = [run[2].labels.labels for run in runs]
        reference = reference or found
        liver = [dice(f > 0, scan.truth > 0) for f, scan in zip(found, scans, strict=True)]
        pairs = [(f, s) for f, s in zip(found, scans, strict=True) if s.has_tumor]
        tumor = [dice(f == TUMOR, s.truth == TUMOR) for f, s in pairs]
        false_ml = sum(
            np.count_nonzero((f == TUMOR) & (s.truth != TUMOR)) * s.volume.affine.voxel_ml
            for f, s in zip(found, scans, strict=True)
        )
        same = min(dice(f > 0, r > 0) for f, r in zip(found, reference, strict=True))
        seconds = sum(run[0] for run in runs)
        print(
            f"| {name} | {np.mean(liver):.4f} | {np.mean(tumor):.3f} | {same:.4f} | "
            f"{false_ml:.1f} | {seconds:.1f} |",
            flush=True,
        )


def dice(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Dice of two masks, 1 where both are empty."""
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else 1.0


def _scans(held_out: list[dict[str, object]]) -> Iterator[Scan]:
    volume = open_scan(REAL_DATA / "dicom" / "chaos_ct3")
    truth = read_mask(REAL_DATA / "nifti" / "chaos_ct3_liver.nii.gz", volume).labels
    yield Scan("chaos_ct3", volume, truth, False)
    names = {row["name"] for row in held_out}
    for source in lits2d_sources(REAL_DATA / "lits2d"):
        if source.name in names:
            yield stacked(source.read())


def stacked(case: Case) -> Scan:
    """The longest stretch of equal step of a case as a volume."""
    part = longest_stretch(case.z)
    pixel_mm = case.pixel_mm[0] if case.pixel_mm else 0.9
    step_mm = float(np.diff(case.z[part]).min()) if case.pixel_mm else 2.0
    hu = np.rint(case.slices[part] * (200 / 255) - 40).astype(np.int16)
    ras = hu[:, ::-1, ::-1].transpose(2, 1, 0)
    grid = StoredGrid(ras.shape, Affine.from_spacing((pixel_mm, pixel_mm, step_mm)))
    volume = Volume(np.asfortranarray(ras), grid, Origin(Path(case.name)))
    truth = case.labels[part][:, ::-1, ::-1].transpose(2, 1, 0)
    return Scan(case.name, volume, truth, bool((truth == TUMOR).any()))


def longest_stretch(z: NDArray[np.float64]) -> slice:
    """The longest run of `z` whose steps are all the smallest one."""
    steps = np.diff(z)
    ends = [0, *(np.flatnonzero(steps > steps.min() * 1.01) + 1), len(z)]
    return max((slice(a, b) for a, b in pairwise(ends)), key=_length)


def _length(part: slice) -> int:
    return int(part.stop - part.start)


if __name__ == "__main__":
    main(*sys.argv[1:])
