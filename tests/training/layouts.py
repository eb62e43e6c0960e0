"""Phantoms written as the labelled data sets that training reads."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
from PIL import Image

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.mask_marks import Mark
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.segmentation.preprocessing import axial_slices
from tests.io.masks.test_read import structure

SHAPE, SPACING_MM = (72, 64, 20), (5.0, 5.5, 10.0)


@cache
def small(seed: int, tumors: tuple[float, ...] = (40.0,)) -> Phantom:
    """A coarse phantom with one tumor."""
    return make_phantom(PhantomSpec(seed, SHAPE, SPACING_MM, tumors))


def true_labels(phantom: Phantom) -> np.ndarray:
    """The truth as a radiologist sees it: (slices, rows, columns)."""
    return phantom.truth.labels[::-1, ::-1].transpose(2, 1, 0)


def pair(phantom: Phantom, scan: Path, mask: Path, mark: Mark = Mark.MASK) -> None:
    scan.parent.mkdir(parents=True, exist_ok=True)
    mask.parent.mkdir(parents=True, exist_ok=True)
    write_scan(phantom.volume, scan)
    save_mask(phantom.truth, phantom.volume.origin, mask, mark)


def labelled(scan: Path, mask: Path, labels: np.ndarray, seed: int = 1) -> None:
    """The small phantom of `seed` with any `labels` (RAS+ order)."""
    phantom = small(seed)
    pair(phantom, scan, mask)
    nib.save(nib.Nifti1Image(labels.astype(np.uint8), phantom.truth.affine.matrix), mask)


def decathlon(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    rows = []
    for seed in seeds:
        name = f"liver_{seed}.nii.gz"
        pair(small(seed), folder / "imagesTr" / name, folder / "labelsTr" / name)
        rows.append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
        for part in ("imagesTr", "labelsTr"):
            (folder / part / f"._{name}").write_text("Mac OS X")
    labels = {"0": "background", "1": "liver", "2": "cancer"}
    values = {"name": "Liver", "labels": labels, "training": rows, "test": []}
    (folder / "dataset.json").write_text(json.dumps(values))


def nnunet(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    for seed in seeds:
        scan = folder / "imagesTr" / f"liver_{seed}_0000.nii.gz"
        pair(small(seed), scan, folder / "labelsTr" / f"liver_{seed}.nii.gz")
    (folder / "imagesTr" / "._liver_1_0000.nii.gz").write_text("Mac OS X")
    labels = {"background": 0, "liver": 1, "tumor": 2}
    (folder / "dataset.json").write_text(json.dumps({"labels": labels, "numTraining": 2}))


def lits(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    for batch, seed in enumerate(seeds, 1):
        place = folder / f"Training Batch {batch}"
        pair(small(seed), place / f"volume-{seed}.nii", place / f"segmentation-{seed}.nii.gz")


def ircadb(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    for seed in seeds:
        phantom, patient = small(seed), folder / f"3Dircadb1.{seed}"
        write_dicom_series(phantom.volume, patient / "PATIENT_DICOM")
        for n, file in enumerate(sorted((patient / "PATIENT_DICOM").iterdir())):
            file.rename(file.with_name(f"image_{n}"))
        truth, masks = phantom.truth.labels, patient / "MASKS_DICOM"
        structure(phantom.volume, truth > 0, masks / "liver")
        structure(phantom.volume, truth == 2, masks / "livertumor01")
        structure(phantom.volume, truth == 0, masks / "portalvein")


def ircadb_zips(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    ircadb(folder, seeds)
    for patient in folder.iterdir():
        for part in ("PATIENT_DICOM", "MASKS_DICOM"):
            shutil.make_archive(str(patient / part), "zip", patient, part)
            shutil.rmtree(patient / part)


def corrected(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    for seed in seeds:
        pair(small(seed), folder / f"ct{seed}.nii.gz", folder / f"ct{seed}_mask.nii.gz")
    write_scan(small(3).volume, folder / "not yet.nii.gz")


def listed(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    rows = []
    for seed in seeds:
        pair(small(seed), folder / "ct" / f"{seed}.nii", folder / "drawn" / f"{seed}.nii.gz")
        row = {"name": f"case {seed}", "scan": f"ct/{seed}.nii", "mask": f"drawn/{seed}.nii.gz"}
        rows.append({**row, "patient": "someone"} if seed == 1 else row)
    write_list(folder, *rows)


def write_list(folder: Path, *rows: dict[str, object]) -> None:
    (folder / "cases.json").write_text(json.dumps({"cases": rows}))


def lits2d(folder: Path, seeds: tuple[int, ...] = (1, 2)) -> None:
    for seed in seeds:
        phantom, place = small(seed), folder / f"{seed:03d}"
        place.mkdir(parents=True)
        labels = np.ascontiguousarray(true_labels(phantom))
        for k, grey in enumerate(axial_slices(phantom.volume)):
            Image.fromarray(grey).save(place / f"{k:04d}.jpg", quality=100)
            Image.fromarray(labels[k]).save(place / f"{k:04d}.png")
    rows = [{"case": seed, "stored_z_step": 1} for seed in seeds]
    (folder / "manifest.json").write_text(json.dumps({"cases": rows}))


def stored_as_lps(phantom: Phantom) -> Volume:
    """The phantom's scan as most files store it: first voxel at the patient's right front."""
    i, j, _ = phantom.volume.shape
    matrix = phantom.volume.affine.matrix.copy()
    matrix[:3, 3] += matrix[:3, 0] * (i - 1) + matrix[:3, 1] * (j - 1)
    matrix[:3, :2] *= -1
    return Volume(
        np.array(phantom.volume.hu),
        StoredGrid(phantom.volume.shape, Affine(matrix)),
        phantom.volume.origin,
    )
