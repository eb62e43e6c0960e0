"""What the drills of kills run in another process: saves, one after the other."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from liverseg_gui.cohort.find_scans import find_cases
from liverseg_gui.cohort.run_case import CaseOptions, segment_case
from liverseg_gui.core.progress import Progress
from tests.cohort.conftest import Threshold


def save_for_ever(scans: Path, out: Path) -> None:
    """Segment the cases of a cohort again and again, each time as if with another quality, so that
    every mask is another one than before."""
    options = CaseOptions(out, "threshold", "0" * 64)
    cases = find_cases(scans, out, Progress()).cases
    print("ready", flush=True)
    for n in range(10**9):
        segmenter = Threshold(n % 2 * 50)
        for case in cases:
            segment_case(case, segmenter, replace(options, quality=("fast", "best")[n % 2]))
            print("saved", flush=True)


if __name__ == "__main__":
    save_for_ever(Path(sys.argv[1]), Path(sys.argv[2]))
