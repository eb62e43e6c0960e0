from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from liverseg_gui.evaluation.evaluate import evaluate_case
from liverseg_gui.evaluation.report.html import evaluation_html, write_evaluation_report
from liverseg_gui.evaluation.report.text import table, write_csv
from liverseg_gui.evaluation.summary import summarize
from liverseg_gui.evaluation.worst_slices import slice_dice, worst_of, worst_slices
from tests.training.blobs import labels

NASTY = "<img src=x onerror=alert(1)> & $x$ \u809d"
LOG = [
    {"stage": "one cycle", "epoch": 1, "train_loss": 1.0, "valid_loss": 1.1, "liver_dice": 0.5},
    {"stage": "fine-tune", "epoch": 1, "train_loss": 0.5, "valid_loss": 0.6, "tumor_dice": None},
]


def cases(*names: str) -> list[CaseMetrics]:
    rng = np.random.default_rng(2)
    return [evaluate_case(name, labels(rng), labels(rng), (1.0, 1.0, 2.0)) for name in names]


class Page(HTMLParser):
    """The tags and pictures of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[Image.Image] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name in ("src", "href"):
            assert (values.get(name) or "data:").startswith("data:"), "the page needs another file"
        assert not [name for name in values if name.startswith("on")]
        if tag == "img":
            data = (values["src"] or "").removeprefix("data:image/png;base64,")
            self.pictures.append(Image.open(io.BytesIO(base64.b64decode(data))))
        elif tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_report_is_one_page_with_its_pictures_inside_and_names_are_text(
    phantom: Phantom, tmp_path: Path
) -> None:
    truth = phantom.truth.labels
    worst = worst_slices(NASTY, np.roll(truth, 2, 0), truth, phantom.volume.hu)
    path = tmp_path / "r.html"
    write_evaluation_report(
        path, summarize(cases(NASTY, "b")), title=NASTY, log=LOG, worst=worst, notes=[NASTY]
    )
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.pictures) == 3 + len(worst)
    assert min(min(picture.size) for picture in page.pictures) > 150
    assert "&lt;img src=x" in text
    assert "\u809d" in text
    assert "scores 99.5 %" in text
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_shows_what_there_is_and_no_more() -> None:
    text = evaluation_html(summarize([evaluate_case("a", *np.zeros((2, 4, 4, 4), np.uint8), None)]))
    assert len(Page(text).pictures) == 1
    assert "Training" not in text
    assert "nan" not in re.sub(r"base64,[^\"]+", "", text).lower()


def test_doubts_about_mm_stand_in_the_report_and_in_the_table() -> None:
    figures = evaluate_case(
        "a", *np.ones((2, 4, 4, 4), np.uint8), (1.0,) * 3, mm_reliable=False, warnings=["Doubt."]
    )
    text = evaluation_html(summarize([figures]))
    assert "Doubt. (patient 1)" in text
    assert "a (mm and ml are not reliable)" in text
    lines = table(summarize([figures])).splitlines()
    assert any(line.startswith("a *") for line in lines)
    assert "* mm and ml not reliable" in lines


def test_a_report_is_no_other_file(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match=r"\.html"):
        write_evaluation_report(tmp_path / "mask.nii", summarize(cases("a")))
    with pytest.raises(SaveError, match="no folder"):
        write_csv(tmp_path / "none" / "r.csv", summarize(cases("a")))


def test_the_worst_slices_are_those_with_the_least_dice() -> None:
    truth = np.zeros((6, 16, 16), np.uint8)
    truth[:, 4:12, 4:12] = 1
    found = truth.copy()
    found[1, 4:8] = 0
    found[3] = 0
    found[4, 4, 4] = 0
    shown = worst_slices("a", found, truth, axial_axis=0, count=2)
    assert [(s.index, s.wrong) for s in shown] == [(3, 64), (1, 32)]
    assert shown[0].score == 0.0
    assert shown[1].score == pytest.approx(2 * 32 / (32 + 64))
    np.testing.assert_array_equal(shown[1].found, found[1])
    by_loss = worst_slices("a", found, truth, axial_axis=0, losses=[0, 1, 0, 2, 9, 0], count=2)
    assert [s.index for s in by_loss] == [4, 3]
    assert worst_slices("a", truth, truth, axial_axis=0) == []


def test_a_few_pixels_at_the_livers_end_are_no_worst_slice() -> None:
    truth = np.zeros((3, 40, 40), np.uint8)
    truth[:2, 4:36, 4:36] = 1
    found = truth.copy()
    found[1, 4:8] = 0
    found[2, 0, :3] = 1
    assert [s.index for s in worst_slices("a", found, truth, axial_axis=0)] == [1]


def test_a_missed_tumor_weighs_as_much_as_a_missed_liver() -> None:
    truth = np.full((8, 8), 1, np.uint8)
    truth[2:4, 2:4] = 2
    assert slice_dice(np.minimum(truth, 1), truth) == pytest.approx(0.5)
    assert slice_dice(truth * 0, truth * 0) == 1.0


def test_volumes_are_shown_as_a_reader_sees_them(phantom: Phantom) -> None:
    truth = phantom.truth.labels
    found = truth.copy()
    found[:, :, 20] = 0
    spacing = phantom.volume.affine.spacing_mm
    (shown,) = worst_slices("a", found, truth, phantom.volume.hu, spacing_mm=spacing, count=1)
    assert shown.index == 20
    columns = np.flatnonzero(shown.truth.any(axis=0))
    assert columns.mean() < shown.truth.shape[1] / 2  # the liver is on the left of the picture
    assert shown.pixel_mm == (3.0, 3.0)
    assert shown.shade is not None
    assert shown.shade.shape == shown.truth.shape
    assert worst_of([shown, shown], 1) == [shown]


def test_a_csv_has_a_row_for_each_patient_and_empty_cells_for_none(tmp_path: Path) -> None:
    healthy = evaluate_case("b", *np.ones((2, 4, 4, 4), np.uint8), (1.0, 1.0, 2.0))
    write_csv(tmp_path / "r.csv", summarize([*cases("a"), healthy]))
    head, first, second = (tmp_path / "r.csv").read_text().splitlines()
    columns = head.split(",")
    assert columns[:3] == ["name", "liver_dice", "liver_voe"]
    row = dict(zip(columns, second.split(","), strict=True))
    assert first.startswith("a,")
    assert (row["name"], row["tumor_assd_mm"], row["tumor_dice"]) == ("b", "", "1.0")
    assert row["spacing_mm"] == "1.0 1.0 2.0"
