"""Commands replace what they wrote themselves, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from liverseg_gui.cli.main import main
from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.evaluation.report.html import require_html_place
from liverseg_gui.evaluation.report.text import require_csv_place
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.report.measurements import Report, mask_checksum
from liverseg_gui.report.slice_images import save_slice_images
from liverseg_gui.segmentation.models.zip_file import write_model_zip

SMALL = ["--size", "48", "48", "16", "--spacing", "8", "8", "12"]


def a_ct(path: Path) -> None:
    voxels = np.arange(-200, 16 * 16 * 8 - 200, dtype=np.int16).reshape(16, 16, 8)
    nib.save(nib.Nifti1Image(voxels, np.diag([2, 2, 5, 1])), path)


def refused(words: list[str], kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = kept.read_bytes()
    assert main(words) == 1
    error = capsys.readouterr().err
    assert kept.name in error
    assert error.count("\n") == 1
    assert "Choose another" in error
    assert kept.read_bytes() == before


@pytest.mark.parametrize("link", [os.link, os.symlink, None])
def test_segment_replaces_no_scan_by_whatever_name(
    link: Callable[[Path, Path], None] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan, mask = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    a_ct(scan)
    if link is None:
        a_ct(mask)
    else:
        link(scan, mask)
    refused(["segment", str(scan), "-o", str(mask)], mask, capsys)


def test_a_report_takes_the_place_of_a_report_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phantom = make_phantom(PhantomSpec(2, (48, 48, 16), (8.0, 8.0, 12.0), (40.0,)))
    scan, mask = tmp_path / "scan.nii.gz", tmp_path / "mask.nii.gz"
    write_scan(phantom.volume, scan)
    save_mask(phantom.truth, phantom.volume.origin, mask)
    words = ["measure", str(scan), str(mask), "--report"]
    for name, foreign in (("r.json", '{"mine": 1}'), ("r.csv", "mine,yours\n1,2\n")):
        for _ in range(2):
            assert main([*words, str(tmp_path / name)]) == 0
        (tmp_path / f"other-{name}").write_text(foreign)
        capsys.readouterr()
        refused([*words, str(tmp_path / f"other-{name}")], tmp_path / f"other-{name}", capsys)
    assert json.loads((tmp_path / "r.json").read_text())["mask_sha256"] == mask_checksum(mask)


@pytest.mark.parametrize("name", ["scan.nii.gz", "truth.nii.gz", "truth.json"])
def test_a_phantom_replaces_a_phantom_alone(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["phantom", "-o", str(tmp_path), *SMALL]
    assert main(words) == 0
    assert main([*words, "--seed", "3"]) == 0
    (tmp_path / name).unlink()
    if name == "truth.json":
        (tmp_path / name).write_text("{}")
    else:
        a_ct(tmp_path / name)
    capsys.readouterr()
    refused(words, tmp_path / name, capsys)


def test_a_dicom_phantom_is_replaced_whole_and_mixed_with_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["phantom", "-o", str(tmp_path), "--dicom", *SMALL]
    assert main(words) == 0
    assert len(list((tmp_path / "dicom").iterdir())) == 16
    shorter = [*words, "--seed", "3", "--size", "48", "48", "12"]
    assert main(shorter) == 0
    assert len(list((tmp_path / "dicom").iterdir())) == 12
    foreign = tmp_path / "dicom" / "IM0003.dcm"
    image = pydicom.dcmread(foreign)
    image.PatientName = "Doe^Jane"
    image.save_as(foreign)
    capsys.readouterr()
    refused(words, foreign, capsys)
    assert len(list((tmp_path / "dicom").iterdir())) == 12


def test_no_picture_of_others_is_replaced(tmp_path: Path) -> None:
    phantom = make_phantom(PhantomSpec(2, (48, 48, 16), (8.0, 8.0, 12.0), (40.0,)))
    for _ in range(2):
        save_slice_images(phantom.volume, phantom.truth, tmp_path)
    (tmp_path / "axial.png").write_bytes(b"\x89PNG another")
    with pytest.raises(SaveError, match=r"axial\.png is not what this program writes there"):
        save_slice_images(phantom.volume, phantom.truth, tmp_path)


@pytest.mark.parametrize(
    ("require", "name"), [(require_csv_place, "t.csv"), (require_html_place, "t.html")]
)
def test_no_table_and_no_page_of_others_is_replaced(
    require: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    require(tmp_path / name)
    (tmp_path / name).write_text("<html>patient,age\n")
    with pytest.raises(SaveError, match="is not replaced"):
        require(tmp_path / name)


def test_a_series_is_not_written_among_others(tmp_path: Path) -> None:
    phantom = make_phantom(PhantomSpec(2, (48, 48, 16), (8.0, 8.0, 12.0), (40.0,)))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SaveError, match=r"notes\.txt is not of this program"):
        write_dicom_series(phantom.volume, tmp_path)


def test_a_model_is_exported_over_a_model_alone_and_always_as_the_same_bytes(
    tmp_path: Path,
) -> None:
    from liverseg_gui.core.progress import Progress
    from liverseg_gui.segmentation.models.registry import find_model

    card, zips = find_model("default"), [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path in (*zips, zips[0]):
        write_model_zip(card, b"weights", path, Progress())
    assert zips[0].read_bytes() == zips[1].read_bytes()
    zips[1].write_bytes(b"PK my holidays")
    with pytest.raises(SaveError, match=r"b\.zip is no model, and is not replaced"):
        write_model_zip(card, b"weights", zips[1], Progress())


def test_figures_are_printed_where_their_report_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    phantom = make_phantom(PhantomSpec(2, (48, 48, 16), (8.0, 8.0, 12.0), (40.0,)))
    write_scan(phantom.volume, tmp_path / "scan.nii.gz")
    measured = Report(
        phantom.volume, measure(phantom.volume, phantom.truth), "default", "cpu", seconds=1.0
    )

    def full(*_: object) -> None:
        raise SaveError("r.json could not be written: File too large.")

    monkeypatch.setattr("liverseg_gui.cli.segment.segment_file", lambda *_: measured)
    monkeypatch.setattr("liverseg_gui.cli.segment.write_report", full)
    words = ["segment", str(tmp_path / "scan.nii.gz"), "-o", str(tmp_path / "m.nii.gz")]
    assert main([*words, "--report", str(tmp_path / "r.json")]) == 1
    printed = capsys.readouterr()
    assert f"Liver {measured.measurements.liver_ml:.1f} ml" in printed.out
    assert "File too large" in printed.err
