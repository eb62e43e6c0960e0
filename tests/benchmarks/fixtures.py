"""A Markdown table of scans, real and made: what opened, what was found, time and memory.

`python -m tests.benchmarks.fixtures`. Time is that of opening (finding, reading, checking), the
median of five, beside the bare read of the same files by SimpleITK or pydicom in the same run.
Memory is what the process holds for the open scan once open, its int16 size in brackets.
"""

from __future__ import annotations

import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.entries import Role
from liverseg_gui.io.scans import list_volumes
from tests.benchmarks.opening import held_memory
from tests.conftest import REAL_DATA
from tests.io.dicom_files import change, copy, enhanced

_RUNS = 5


def main() -> None:
    """Print the table."""
    print("| scan | opened as | findings | s (bare read) | memory |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for path in (*_real(), *_made(Path(name))):
            _rows(path, Path(name))


def _real() -> list[Path]:
    if not REAL_DATA.is_dir():
        return []
    masks = ("liver", "seg")
    files = [p for p in (REAL_DATA / "nifti").iterdir() if not any(m in p.name for m in masks)]
    return [*sorted((REAL_DATA / "dicom").iterdir()), *sorted(files)]


def _made(folder: Path) -> list[Path]:
    phantom = make_phantom(PhantomSpec(1, (256, 256, 60), (1.5, 1.5, 3.5))).volume
    stored = phantom.grid.to_stored(phantom.hu)
    image = nib.Nifti1Image(stored, phantom.grid.affine.matrix)
    nib.save(image, folder / "phantom.nii")
    nib.save(image, folder / "packed.nii.gz")
    nib.save(nib.Nifti2Image(stored, phantom.grid.affine.matrix), folder / "nifti2.nii")
    nib.save(nib.Nifti1Pair(stored, phantom.grid.affine.matrix), folder / "pair.hdr")
    nib.save(nib.Nifti1Image(stored, np.eye(4)), folder / "identity.nii.gz")
    nib.save(
        nib.Nifti1Image(stored.astype(np.float32), np.diag([1.5, 1.5, 3.5, 1])),
        folder / "float.nii.gz",
    )
    for ending in ("nrrd", "mha"):
        sitk.WriteImage(
            sitk.ReadImage(str(folder / "phantom.nii")), str(folder / f"phantom.{ending}")
        )
    series = folder / "series"
    write_dicom_series(phantom, series)
    copy(series, folder / "gap", 60)[30].unlink()
    for n, file in enumerate(copy(series, folder / "tilt", 60)):
        x, y, z = pydicom.dcmread(file).ImagePositionPatient
        change(file, ImagePositionPatient=[x, y + n, z])
    enhanced(sorted(series.iterdir()), folder / "enhanced.dcm")
    with zipfile.ZipFile(folder / "study.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in series.iterdir():
            archive.write(file, file.name)
    names = "phantom.nii packed.nii.gz nifti2.nii pair.hdr identity.nii.gz float.nii.gz"
    more = "phantom.nrrd phantom.mha series gap tilt enhanced.dcm study.zip"
    return [folder / word for word in f"{names} {more}".split()]


def _rows(path: Path, made: Path) -> None:
    bare = _seconds(lambda: _bare(path))
    name = path.name if path.is_relative_to(made) else f"{path.parent.name}/{path.name}"
    for n, entry in enumerate(list_volumes(path), 1):
        if entry.about.role is not Role.VOLUME:
            print(f"| {name} ({n}) | {entry.size}, {entry.about.role}, set aside | | | |")
            continue
        volume = entry.read(Progress())
        seconds = _seconds(lambda n=n: list_volumes(path)[n - 1].read(Progress()))
        found = ", ".join(f"{f.code} ({f.severity})" for f in volume.issues)
        i, j, k = volume.grid.affine.spacing_mm
        print(
            f"| {name} ({n}) | {' x '.join(map(str, volume.grid.shape))}, "
            f"{i:.3g} x {j:.3g} x {k:.3g} mm | {found} | {seconds:.3f} ({bare:.3f}) | "
            f"{_held(path, n, volume.hu.nbytes)} |",
            flush=True,
        )


def _held(path: Path, number: int, size: int) -> str:
    held, _ = held_memory(path, number)
    return f"{held * size / 1e6:.0f} MB ({size / 1e6:.0f})"


def _bare(path: Path) -> object:
    """Every file read as its own library reads it, nothing made of it."""
    if path.is_dir():
        return [_pixels(file) for file in sorted(path.iterdir())]
    if path.suffix == ".dcm":
        return pydicom.dcmread(path).pixel_array
    if path.suffix == ".zip":
        return [zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()]
    if path.name == "nifti2.nii":  # which SimpleITK does not read
        return np.asanyarray(nib.load(path).dataobj)
    return sitk.ReadImage(str(path))


def _pixels(file: Path) -> object:
    try:
        return pydicom.dcmread(file).pixel_array
    except (pydicom.errors.InvalidDicomError, AttributeError, EOFError, RuntimeError):
        return sitk.ReadImage(str(file)) if file.stat().st_size and ".nrrd" not in file.name else 0


def _seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


main()
