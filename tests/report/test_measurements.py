from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liverseg_gui.core.annotations import Annotation, AnnotationKind
from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.labels import TUMOR, LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.planes import Plane
from liverseg_gui.report.measurements import Report, write_report
from liverseg_gui.report.slice_images import best_slice, save_slice_images, slice_image


@pytest.fixture(scope="module")
def report(phantom: Phantom) -> Report:
    return Report(
        phantom.volume,
        measure(phantom.volume, phantom.truth),
        "default",
        "cpu",
        12.5,
        800.0,
        ("a doubt",),
    )


def test_json_holds_what_other_programs_rely_on(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.json")
    values = json.loads((tmp_path / "r.json").read_text())
    assert values["liver_ml"] == pytest.approx(report.measurements.liver_ml)
    assert values["tumor_burden_percent"] == pytest.approx(report.measurements.tumor_burden_percent)
    assert (values["model"], values["device"], values["seconds"]) == ("default", "cpu", 12.5)
    assert values["peak_memory_mb"] == 800.0
    assert values["warnings"] == ["a doubt"]
    assert len(values["lesions"]) == 3
    assert {
        "volume_ml",
        "longest_axial_mm",
        "perpendicular_mm",
        "touches_edge",
        "measurable",
    } <= set(values["lesions"][0])


def test_a_mask_of_tumor_alone_tells_the_tumor_and_no_liver(
    phantom: Phantom, tmp_path: Path
) -> None:
    tumor = np.where(phantom.truth.labels == TUMOR, TUMOR, 0).astype(np.uint8)
    mask = LabelMap(tumor, phantom.truth.grid)
    write_report(Report(phantom.volume, measure(phantom.volume, mask)), tmp_path / "r.json")
    values = json.loads((tmp_path / "r.json").read_text())
    assert values["tumor_ml"] == pytest.approx(measure(phantom.volume, phantom.truth).tumor_ml)
    assert values["liver_found"] is False
    assert values["liver_ml"] is values["tumor_burden_percent"] is None


def test_csv_has_a_row_for_each_lesion(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.csv")
    with (tmp_path / "r.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["volume_ml"]) > float(rows[2]["volume_ml"])
    assert rows[0]["warnings"] == "a doubt"


def test_an_unknown_ending_is_refused(report: Report, tmp_path: Path) -> None:
    with pytest.raises(SaveError, match=r"\.json or \.csv"):
        write_report(report, tmp_path / "r.docx")


def test_a_folder_that_is_not_there_is_named(report: Report, tmp_path: Path) -> None:
    with pytest.raises(SaveError, match="could not be written"):
        write_report(report, tmp_path / "gone" / "r.json")


def test_pictures_show_scan_and_overlay_in_the_true_aspect(
    phantom: Phantom, tmp_path: Path
) -> None:
    paths = save_slice_images(phantom.volume, phantom.truth, tmp_path)
    assert [path.name for path in paths] == ["axial.png", "coronal.png", "sagittal.png"]
    sheet = slice_image(phantom.volume, phantom.truth, Plane.CORONAL)
    height = round(512 * 48 * 4.5 / (128 * 3.0))
    assert sheet.size == (1024, height + 20)
    k = best_slice(phantom.truth.labels, Plane.CORONAL)
    assert (phantom.truth.labels[:, k] == 2).any()
    left, right = sheet.crop((0, 0, 512, height)), sheet.crop((512, 0, 1024, height))
    assert _orange(right) > 500
    assert _orange(left) < _orange(right) / 2


def _orange(image: Image.Image) -> int:
    """The pixels of a color picture that are much redder than blue."""
    red_green_blue = np.asarray(image).astype(int)
    return int((red_green_blue[..., 0] > red_green_blue[..., 2] + 40).sum())


RULER = Annotation(
    AnnotationKind.RULER, Plane.AXIAL, 20, ((10, 10, 20), (40, 50, 20)), "portal vein"
)
EMPTY = Annotation(AnnotationKind.ELLIPSE, Plane.CORONAL, 9, ((5.2, 9, 6.2), (5.4, 9, 6.4)))


def test_json_holds_the_readings_with_their_place_and_figures(
    report: Report, phantom: Phantom, tmp_path: Path
) -> None:
    write_report(replace(report, annotations=(RULER, EMPTY)), tmp_path / "r.json")
    ruler, ellipse = json.loads((tmp_path / "r.json").read_text())["readings"]
    assert (ruler["number"], ruler["kind"], ruler["plane"], ruler["slice"]) == (
        1,
        "ruler",
        "axial",
        20,
    )
    assert ruler["points_mm"] == phantom.volume.affine.to_mm(RULER.points_ijk).tolist()
    assert ruler["text"] == "portal vein"
    assert ruler["length_mm"] == pytest.approx(150.0)
    assert ruler["mm_reliable"] is True
    assert (ellipse["voxels"], ellipse["mean_hu"]) == (0, None)
    assert ellipse["note"] == "No voxel center lies inside."
    assert "area_mm2" not in ruler


def test_a_study_without_readings_has_an_empty_list(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())["readings"] == []


def test_a_report_of_readings_alone_has_the_same_fields_without_figures(
    report: Report, phantom: Phantom, tmp_path: Path
) -> None:
    alone = Report(phantom.volume, None, annotations=(RULER,))
    write_report(alone, tmp_path / "r.json")
    values = json.loads((tmp_path / "r.json").read_text())
    assert values.keys() == report.to_json().keys()
    assert values["liver_ml"] is values["tumor_burden_percent"] is None
    assert (values["lesions"], values["mm_reliable"]) == ([], True)
    assert len(values["readings"]) == 1
    with pytest.raises(SaveError, match=r"\.json for the readings"):
        write_report(alone, tmp_path / "r.csv")
