"""The results of a training: metrics, worst slices, and why there are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.evaluation.worst_slices import WorstSlice, worst_slices
from liverseg_gui.state.settings import Settings
from liverseg_gui.ui.training_window.results.page import ResultPage
from liverseg_gui.ui.training_window.results.patient_table import PatientTable
from liverseg_gui.ui.training_window.results.worst_slices_strip import triptych
from liverseg_gui.ui.widgets.theme import tone_of
from tests.ui.training_window.results.conftest import figures, masks, run_at
from training.data.phantom_case import PhantomCase
from training.data.volume_case import VolumeCase
from training.evaluation.worst_slices_file import save_worst
from training.export.model_card import Row
from training.runs.files import EVENTS, HELD_OUT, WORST
from training.runs.folder import RunState


def cells(table: PatientTable) -> list[list[str]]:
    """The columns that are seen, row by row, with the heads first."""
    seen = [n for n in range(table.columnCount()) if not table.isColumnHidden(n)]
    items = [table.headerItem()]
    items += [table.topLevelItem(n) for n in range(table.topLevelItemCount())]
    return [[item.text(n) for n in seen] for item in items]


def worst(name: str) -> WorstSlice:
    found, truth = masks(10)
    shade = np.full_like(truth, 120)
    return worst_slices(name, found, truth, shade, axial_axis=0, count=1)[0]


def test_patients_are_listed_the_worst_first_with_means_and_intervals(
    result: ResultPage, tmp_path: Path
) -> None:
    rows = [figures("good", 1), figures("bad", 10), figures("healthy", 5, tumor=False)]
    result.show_run(run_at(tmp_path / "run", rows))
    listed = cells(result.table)
    assert [row[0] for row in listed] == ["Patient", "bad", "healthy", "good"]
    _, bad, healthy, good = (dict(zip(listed[0], row, strict=True)) for row in listed)
    assert bad["Liver Dice"] == f"{2 * 10 / 30:.3f}"
    assert bad["Tumor Dice"] == "0.000"
    assert (bad["Lesions found"], good["Lesions found"]) == ("0 of 1", "1 of 1")
    assert (bad["From 10 mm"], good["From 10 mm"]) == ("0 of 1", "1 of 1")
    assert healthy["Tumor Dice"] == "\N{EN DASH}"
    assert healthy["False tumor"] == "0.00 %"
    assert float(bad["Liver surface mm"]) > float(good["Liver surface mm"])
    line = result.line.text()
    assert line.startswith("3 patients held out. Liver Dice 0.833 (95 % ")
    assert "Tumor Dice 0.455 (95 % 0.000 to 0.909, 2 patients)." in line
    assert "So few patients tell little." in line


def test_a_click_on_a_head_sorts_by_its_figure(result: ResultPage, tmp_path: Path) -> None:
    rows = [figures("b", 1), figures("c", 10), figures("a", 5)]
    result.show_run(run_at(tmp_path / "run", rows))
    result.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    result.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert [row[0] for row in cells(result.table)[1:]] == ["b", "a", "c"]


def test_without_mm_no_column_speaks_of_them(result: ResultPage, tmp_path: Path) -> None:
    result.show_run(run_at(tmp_path / "run", [figures("a", 2, mm=False)]))
    assert not {"From 10 mm", "Liver surface mm", "Tumor surface mm"} & set(cells(result.table)[0])
    assert "mm" not in result.line.text()


def test_it_says_that_nobody_was_held_out(
    result: ResultPage, tmp_path: Path, untrained_model: Path
) -> None:
    result.show_run(run_at(tmp_path / "run", model=untrained_model))
    assert result.line.text().startswith("Nobody was held out")
    assert tone_of(result.line) == "warning"
    assert not result.comparison.button.isEnabled()
    assert "no patients to compare" in result.comparison.note.text()
    assert result.model.add_button.isEnabled()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (RunState.STOPPED, "It was stopped, so there is no model yet."),
        (RunState.CANCELLED, "It was cancelled, so there is no model yet."),
        (RunState.RUNNING, "It was interrupted, so there is no model yet."),
        (RunState.FAILED, "It failed, so there is no model yet. The disk is full."),
    ],
)
def test_a_training_without_a_result_says_why(
    result: ResultPage, tmp_path: Path, state: RunState, said: str
) -> None:
    result.show_run(run_at(tmp_path / "run", state=state, message="The disk is full."))
    assert result.line.text() == f"{said} Go on with it in the list of trainings."
    for button in (result.model.add_button, result.model.use_button, result.model.export_button):
        assert not button.isEnabled()
        assert button.toolTip() == "There is no model yet."
    assert result.model.discard_button.isEnabled()


def test_what_was_judged_before_it_was_interrupted_is_shown(
    result: ResultPage, tmp_path: Path
) -> None:
    out = run_at(tmp_path / "run", state=RunState.CANCELLED)
    (out / EVENTS).write_text(json.dumps({"event": "patient", **figures("a", 2)}) + "\n")
    result.show_run(out)
    assert "1 patient had been judged by then." in result.line.text()
    assert [row[0] for row in cells(result.table)[1:]] == ["a"]


def test_a_folder_without_a_training_is_said(result: ResultPage, tmp_path: Path) -> None:
    result.show_run(tmp_path / "nothing")
    assert "holds no training" in result.line.text()
    assert not result.tabs.isVisible()
    result.show_run(run_at(tmp_path / "run", [figures("a", 2)]))
    assert result.tabs.isVisible()


def test_damaged_figures_are_told_and_the_rest_is_shown(result: ResultPage, tmp_path: Path) -> None:
    out = run_at(tmp_path / "run", [figures("a", 2)])
    (out / HELD_OUT).write_text("{")
    result.show_run(out)
    assert result.line.text() == "There is a result, and it cannot be read."
    assert "is damaged" in result.worst_line.text()


def without(*keys: str) -> Row:
    """The figures of a patient, without the one at the end of `keys`."""
    row = figures("a", 2)
    inner = row
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return row


ODD_ROWS: list[Any] = [
    "a",
    None,
    {},
    without("name"),
    without("liver", "dice"),
    without("liver", "assd_mm"),
    without("tumor_burden"),
    without("false_positive", "tumor_percent_of_liver"),
    without("lesions", "from_10_mm"),
    without("lesions", "found_matched"),
    without("lesions", "from_10_mm", "true"),
    {**figures("a", 2), "name": ["a"]},
    {**figures("a", 2), "liver": {"dice": "0.9", "assd_mm": None}},
    {**figures("a", 2), "warnings": None},
]


@pytest.mark.parametrize("row", ODD_ROWS)
def test_figures_of_another_version_are_told_and_the_rest_is_shown(
    result: ResultPage, tmp_path: Path, row: Any
) -> None:
    out = run_at(tmp_path / "run", [figures("b", 1)])
    (out / HELD_OUT).write_text(json.dumps({"cases": [figures("b", 1), row]}))
    result.show_run(out)
    assert result.line.text() == "There is a result, and it cannot be read."
    said = f"{out / HELD_OUT}, with the figures of the held-out patients, is damaged or of another"
    assert result.worst_line.text().startswith(said)
    assert result.model.discard_button.isEnabled()


def test_damaged_figures_of_a_training_that_was_cancelled_are_told(
    result: ResultPage, tmp_path: Path
) -> None:
    out = run_at(tmp_path / "run", state=RunState.CANCELLED)
    (out / EVENTS).write_text(json.dumps({"event": "patient", "name": "a"}) + "\n")
    result.show_run(out)
    assert result.line.text().startswith("It was cancelled")
    assert str(out / EVENTS) in result.worst_line.text()


def test_the_worst_slices_are_shown_where_the_program_can_open_the_scan(
    result: ResultPage, tmp_path: Path, shown: list[tuple[Path, int | None, int]]
) -> None:
    out = run_at(tmp_path / "run", [figures("a", 10), figures("b", 10), figures("c", 10)])
    scan = tmp_path / "a.nii.gz"
    scan.touch()
    gone = tmp_path / "gone.nii.gz"
    sources = [
        VolumeCase(tmp_path, "a", "a", scan, scan, volume=2),
        VolumeCase(tmp_path, "b", "b", gone, gone),
        PhantomCase(3),
    ]
    save_worst(out / WORST, [worst("a"), worst("b"), worst("c")], sources)
    result.show_run(out)
    first, second, third = result.strip.tiles
    assert first.caption.text() == "a, slice 2: Dice 0.33"
    first.button.click()
    assert shown == [(scan, 2, 1)]
    QTest.mouseDClick(first, Qt.MouseButton.LeftButton)
    assert shown == [(scan, 2, 1)] * 2
    assert second.button.toolTip() == "The scan is not where it was."
    assert "folder of slices and no scan" in third.button.toolTip()
    for tile in (second, third):
        QTest.mouseDClick(tile, Qt.MouseButton.LeftButton)
        assert not tile.button.isEnabled()
    assert len(shown) == 2


def test_the_three_pictures_keep_their_shape_and_outline_truth_and_prediction() -> None:
    found, truth = masks(20)
    shade = np.full_like(truth[0], 120)
    slice_ = WorstSlice("a", 1, 0.0, 1, found[1], truth[1], shade, (2.0, 1.0))
    picture = triptych(slice_, 100).toImage()
    assert picture.height() == 100
    width = (picture.width() - 8) // 3
    assert width == 50  # a pixel is twice as high as wide
    colors: list[set[tuple[int, ...]]] = []
    for n in range(3):
        part = range(n * (width + 4), n * (width + 4) + width)
        seen = {picture.pixelColor(x, y).getRgb()[:3] for x in part for y in range(100)}
        colors.append({rgb for rgb in seen if len(set(rgb)) > 1})
    assert not colors[0]  # grey alone
    assert not colors[2]  # nothing was found
    orange = LABEL_COLORS[TUMOR]
    green = LABEL_COLORS[LIVER]
    for wanted in (orange, green):
        assert any(sum(abs(a - b) for a, b in zip(c, wanted, strict=True)) < 90 for c in colors[1])


def test_names_of_patients_are_hidden_where_they_are_to_be(
    result: ResultPage, tmp_path: Path, settings: Settings
) -> None:
    out = run_at(tmp_path / "run", [figures("Doe", 10), figures("Roe", 1)])
    save_worst(out / WORST, [worst("Roe")])
    result.show_run(out)
    settings.change(hide_patient=True)
    assert [row[0] for row in cells(result.table)[1:]] == ["Patient 1", "Patient 2"]
    assert result.strip.tiles[0].caption.text().startswith("Patient 2, slice")


def test_the_page_never_loads_torch(tmp_path: Path) -> None:
    code = (
        "import sys, liverseg_gui.ui.training_window.results.page, "
        "liverseg_gui.ui.training_window.fine_tune.dialog; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
