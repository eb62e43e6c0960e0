"""Whenever a cohort is killed, no mask is left beside the figures of another one."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.cohort.find_scans import find_cases
from liverseg_gui.cohort.result import Status
from liverseg_gui.cohort.run_case import CaseOptions, segment_case
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.io.formats.nifti_write import write_scan
from liverseg_gui.report.measurements import mask_checksum
from liverseg_gui.system import partial_files
from tests.cohort.conftest import Threshold

KILLS = 24
AIMED = (
    "import os, signal, sys; from pathlib import Path; from tests.e2e.drills import save_for_ever; "
    "replaced = Path.replace; rounds = iter(range(9)); "
    "\ndef killed(self, target):\n"
    "    done = replaced(self, target)\n"
    "    if str(target).endswith('.nii.gz') and next(rounds) == 4: os.kill(os.getpid(), 9)\n"
    "    return done\n"
    "Path.replace = killed; save_for_ever(Path(sys.argv[1]), Path(sys.argv[2]))"
)


@pytest.fixture
def scans(phantom: Phantom, tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / "scans").mkdir(exist_ok=True)
        write_scan(phantom.volume, tmp_path / "scans" / f"{name}.nii.gz")
    return tmp_path / "scans"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def require_true_figures(scans: Path, out: Path) -> None:
    """Each report that is there is about its mask; a resumed cohort tells each mask's figures."""
    for report in out.glob("*.json"):
        mask = report.with_suffix(".nii.gz")
        assert json.loads(report.read_text())["mask_sha256"] == mask_checksum(mask)
    partial_files._swept.clear()
    options = CaseOptions(out, "threshold", "0" * 64)
    for case in find_cases(scans, out, Progress()).cases:
        result = segment_case(case, Threshold(), options)
        assert result.status is Status.DONE
        image = nib.load(out / f"{case.name}.nii.gz")
        liver_ml = np.count_nonzero(np.asanyarray(image.dataobj)) * 3 * 3 * 4.5 / 1000
        assert result.liver_ml == pytest.approx(liver_ml)
    names = {f"{name}{ending}" for name in "abc" for ending in (".json", ".nii.gz")}
    assert {path.name for path in out.iterdir()} == names


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_at_any_moment(scans: Path, out: Path) -> None:
    chance = random.Random(4711)
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.e2e.drills", str(scans), str(out)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(chance.randrange(6)):
                assert process.stdout.readline() == "saved\n"
            for _ in range(chance.randrange(200_000)):  # somewhere in the next case
                pass
            process.kill()
        require_true_figures(scans, out)


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_killed_between_the_mask_and_its_report(scans: Path, out: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AIMED, str(scans), str(out)], stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == -9
    assert len(list(out.glob("*.json"))) == 2  # of the one that was killed there is none
    require_true_figures(scans, out)
