"""Opening scans: time against the bare read of the same bytes, memory, and indexing of a disc.

Ratios are of medians of alternating runs in one process. Without real CT the bytes come from a
phantom's slices, which compress in another way than a scanner's.
"""

from __future__ import annotations

import gc
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813
from pydicom.uid import generate_uid

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.dicom.cache import HeaderCache
from liverseg_gui.io.dicom.index import index_folder
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.scans import open_scan
from tests.conftest import REAL_DATA

SLICES = 160
_RUNS = 7
_MEMORY = """
import os, sys, threading, time
from pathlib import Path
from liverseg_gui.io import scans
import liverseg_gui.io.dicom.reader, SimpleITK, scipy.ndimage
def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
peak, done = [0], threading.Event()
def watch():
    while not done.wait(0.002):
        peak[0] = max(peak[0], rss())
before = rss()
threading.Thread(target=watch, daemon=True).start()
volume = scans.open_scan(Path(sys.argv[1]), number=int(sys.argv[2]))
held = rss() - before
done.set()
print(held / volume.hu.nbytes, (peak[0] - before) / volume.hu.nbytes)
"""


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["LIVERSEG_HOME"] = f"{name}/home"
        folder = Path(name)
        volume = _volume()
        plain, packed = folder / "scan.nii", folder / "packed" / "scan.nii.gz"
        packed.parent.mkdir()  # SimpleITK reads x.nii in the place of an x.nii.gz beside it
        image = nib.Nifti1Image(volume.grid.to_stored(volume.hu), volume.grid.affine.matrix)
        for path in (plain, packed):
            nib.save(image, path)
        write_dicom_series(volume, folder / "dicom")
        for path in (plain, packed):
            _compare(f"open {path.name}", path, lambda p: sitk.ReadImage(str(p)), "SimpleITK")
        _compare("open DICOM series, first time", folder / "dicom", _bare_dicom, "pydicom", True)
        _compare("open DICOM series, cached", folder / "dicom", _bare_dicom, "pydicom")
        for path in (plain, packed, folder / "dicom"):
            held, peak = held_memory(path)
            print(f"memory of {path.name}: {held:.2f} x its int16 size, {peak:.2f} x at most")
        _index(folder / "disc")


def _volume() -> Volume:
    """512 x 512 x 160 of real HU where there are any, else of a phantom."""
    real = REAL_DATA / "dicom" / "hcc_006"
    if real.is_dir():
        hu = open_scan(real).hu
    else:
        small = make_phantom(PhantomSpec(1, (256, 256, 40), (1.5, 1.5, 5.0))).volume.hu
        hu = np.repeat(np.repeat(small, 2, axis=0), 2, axis=1)
    hu = np.asfortranarray(np.resize(hu.transpose(2, 1, 0), (SLICES, 512, 512)).transpose(2, 1, 0))
    affine = Affine(np.diag([-0.78, -0.78, 2.5, 1.0]))
    grid = StoredGrid((512, 512, SLICES), affine)
    return Volume(np.asfortranarray(grid.to_ras(hu)), grid, Origin(Path("bench"), "Bench", "Bench"))


def _bare_dicom(folder: Path) -> object:
    return [pydicom.dcmread(file).pixel_array for file in sorted(folder.iterdir())]


def _compare(
    what: str, path: Path, bare: Callable[[Path], object], whose: str, fresh: bool = False
) -> None:
    ours_s, bare_s = [], []
    for _ in range(_RUNS):
        if fresh:
            shutil.rmtree(os.environ["LIVERSEG_HOME"], ignore_errors=True)
        ours_s.append(_seconds(lambda: open_scan(path)))
        bare_s.append(_seconds(lambda: bare(path)))
    ours, theirs = statistics.median(ours_s), statistics.median(bare_s)
    print(f"{what}: {ours:.3f} s, {ours / theirs:.2f} x the bare {whose} read ({theirs:.3f} s)")


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - began
    del result
    return seconds


def held_memory(path: Path, number: int = 1) -> tuple[float, float]:
    """What volume `number` of `path` takes in a fresh process, open and at most, in int16 sizes.

    Not a number where the system does not tell.
    """
    if not Path("/proc/self/statm").exists():
        return float("nan"), float("nan")
    command = [sys.executable, "-W", "ignore", "-c", _MEMORY, str(path), str(number)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    held, peak = (float(word) for word in done.stdout.split())
    return held, peak


def _index(folder: Path, count: int = 5000) -> None:
    """Headers of real files where there are any; their pixels are cut to nothing."""
    folder.mkdir()
    models = sorted((REAL_DATA / "dicom").glob("hcc_006/*")) or []
    if not models:
        write_dicom_series(make_phantom(PhantomSpec(1, (64, 64, 20), (6, 6, 9))).volume, folder)
        models = sorted(folder.iterdir())
    image = pydicom.dcmread(models[0])
    image.PixelData = b"\0" * 64
    for n in range(count):
        image.SOPInstanceUID = generate_uid(entropy_srcs=[str(n)])
        image.InstanceNumber = n + 1
        image.ImagePositionPatient = [0, 0, n]
        image.save_as(folder / f"IM{n:05d}")
    cache = HeaderCache(folder.parent / "index.sqlite")
    first, second = (_seconds(lambda: index_folder(folder, Progress(), cache)) for _ in range(2))
    print(f"index of {count} DICOM files: {count / first:.0f} files/s the first time")
    print(f"  the second time {count / second:.0f} files/s, {first / second:.1f} x faster")


if __name__ == "__main__":
    main()
