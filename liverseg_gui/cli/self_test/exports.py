"""Self-test of every file format that the program writes: written once and read back."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pydicom

from liverseg_gui.cli.self_test.bench import Bench
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.masks.slice_images import save_mask_slices
from liverseg_gui.io.scans import open_scan
from liverseg_gui.report import measurements, slice_images

_SHIFT_MM = 2.0


def write_masks(bench: Bench) -> list[Path]:
    """The mask as .nii.gz and .nii; and on the slices of a scan whose slices are uneven.

    Raises:
        LiverSegError: it does not read back the same.
    """
    plain = bench.folder / "mask.nii"
    save_mask(bench.segmentation.labels, bench.phantom.volume.origin, plain)
    for path in (bench.mask, plain):
        same = read_mask(path, bench.phantom.volume).labels
        if not np.array_equal(same, bench.segmentation.labels.labels):
            raise LiverSegError(f"{path.name} does not read back as it was written.")
    return [bench.mask, plain, *_on_slices(bench)[:1]]


def _on_slices(bench: Bench) -> list[Path]:
    """The upper half of a DICOM series is moved up: the program resamples it, and knows the way
    back to the slices."""
    folder = bench.folder / "uneven"
    write_dicom_series(bench.phantom.volume, folder)
    files = sorted(folder.iterdir())
    for path in files[len(files) // 2 :]:
        image = pydicom.dcmread(path)
        image.ImagePositionPatient[2] += _SHIFT_MM
        image.save_as(path)
    volume = open_scan(folder)
    mask = LabelMap((volume.hu > 0).astype(np.uint8), volume.grid)
    return save_mask_slices(mask, volume.origin, bench.folder / "slices")


def write_reports(bench: Bench) -> list[Path]:
    """The report as JSON and as CSV.

    Raises:
        LiverSegError: they hold another volume.
    """
    segmentation = bench.segmentation
    report = measurements.Report(
        bench.phantom.volume, bench.measurements, segmentation.model, segmentation.device
    )
    as_json, as_csv = bench.folder / "report.json", bench.folder / "report.csv"
    for path in (as_json, as_csv):
        measurements.write_report(report, path)
    with as_csv.open(encoding="utf-8", newline="") as rows:
        volumes_ml = [float(next(csv.DictReader(rows))["liver_ml"])]
    volumes_ml.append(parse_json(as_json.read_text("utf-8"))["liver_ml"])
    if any(abs(ml - bench.measurements.liver_ml) > 1e-6 for ml in volumes_ml):
        raise LiverSegError("A report tells another volume than was measured.")
    return [as_json, as_csv]


def write_slice_images(bench: Bench) -> list[Path]:
    """A picture a plane."""
    return slice_images.save_slice_images(
        bench.phantom.volume, bench.segmentation.labels, bench.folder
    )


def write_others(bench: Bench) -> list[Path]:
    """The scan without its patient, and the default model as a zip that can be added again.

    Raises:
        LiverSegError: one of them cannot be read again.
    """
    from liverseg_gui.segmentation.models.store import add_model, export_as_zip

    scan, model = bench.folder / "anonymized.nii.gz", bench.folder / "model.zip"
    write_scan(bench.phantom.volume, scan)
    if not np.array_equal(open_scan(scan).hu, bench.phantom.volume.hu):
        raise LiverSegError(f"{scan.name} does not read back as it was written.")
    export_as_zip("default", model)
    add_model(model, "copy")
    return [scan, model]
