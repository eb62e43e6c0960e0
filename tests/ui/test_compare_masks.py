"""Comparing the mask with another: where it comes from, what is told, and when it ends."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.core.geometry import StoredGrid
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.scan_issues import Concern, warning
from liverseg_gui.core.volume import Volume
from liverseg_gui.evaluation.mask_comparison import ONLY_A, ONLY_B, measure_agreement
from liverseg_gui.state.open_scan import MaskSource
from liverseg_gui.ui.dialogs.labels_dialog import LabelChoice
from tests.ui.conftest import Desk


@pytest.fixture
def opened(desk: Desk, files: Path) -> Desk:
    """The phantom with its mask."""
    desk.open(files / "scan.nii.gz", files / "truth.nii.gz")
    return desk


@pytest.fixture
def other(files: Path, tmp_path: Path) -> Path:
    """The same mask without its last slices, and without tumors."""
    image = nib.load(files / "truth.nii.gz")
    labels = np.minimum(np.asarray(image.dataobj), 1).astype(np.uint8)
    labels[:, :, 30:] = 0
    path = tmp_path / "other.nii.gz"
    nib.save(nib.Nifti1Image(labels, image.affine), path)
    return path


def compare_with(desk: Desk, path: Path) -> None:
    desk.dialogs.path = path
    desk.trigger("compare_file")
    desk.qtbot.waitUntil(lambda: desk.window.controller.comparer.comparisons is not None)
    desk.idle()


def test_a_second_file_is_compared_and_the_figures_are_told(opened: Desk, other: Path) -> None:
    window = opened.window
    assert window.comparison_panel.isHidden()
    compare_with(opened, other)
    panel, study = window.comparison_panel, window.study
    assert panel.isVisible()
    assert window.view_state.comparing
    assert "A: truth.nii.gz" in panel.names[ONLY_A].text()
    assert "B: other.nii.gz" in panel.names[ONLY_B].text()
    assert study.mask is not study.compared
    figures = measure_agreement(study.mask, study.compared)
    assert panel.cells["Dice", LIVER].text() == f"{figures[LIVER].dice:.3f}"
    assert panel.cells["Dice", TUMOR].text() == "0.000"
    assert panel.cells["A, ml", LIVER].text() == f"{study.measurements.liver_ml:,.1f}"
    assert panel.cells["B - A, ml", LIVER].text().startswith("\N{MINUS SIGN}")
    assert panel.cells["B - A, %", TUMOR].text() == "\N{MINUS SIGN}100.0"
    for text in ("Agree", "Only A", "Only B"):
        assert text in panel.legend.text()


def test_the_mask_itself_its_source_and_what_is_unsaved_stay_as_they_are(
    opened: Desk, other: Path
) -> None:
    study = opened.window.study
    before = study.mask, study.mask_source, study.unsaved, study.measurements
    compare_with(opened, other)
    opened.trigger("stop_comparing")
    assert (study.mask, study.mask_source, study.unsaved, study.measurements) == before
    assert study.compared is None
    assert not opened.window.view_state.comparing
    assert opened.window.comparison_panel.isHidden()
    assert not opened.window.actions_by_key["stop_comparing"].isEnabled()


def test_while_another_scan_is_read_nothing_is_told_of_the_comparison(
    opened: Desk, other: Path, phantom: Phantom
) -> None:
    compare_with(opened, other)
    volume = phantom.volume
    opened.window.study.show_preview(
        Volume(volume.hu[:, :, :1], StoredGrid((128, 128, 1), volume.affine), volume.origin)
    )
    assert opened.window.comparison_panel.isHidden()
    opened.window.study.drop_preview()
    assert not opened.window.comparison_panel.isHidden()


def test_a_foreign_mask_is_asked_about_before_it_is_compared(
    opened: Desk, files: Path, tmp_path: Path
) -> None:
    image = nib.load(files / "truth.nii.gz")
    labels = np.array([0, 5, 7], np.uint8)[np.asarray(image.dataobj)]
    nib.save(nib.Nifti1Image(labels, image.affine), tmp_path / "foreign.nii.gz")
    opened.dialogs.label_choice = LabelChoice({5: 1, 7: 2}, remember=False)
    compare_with(opened, tmp_path / "foreign.nii.gz")
    assert opened.dialogs.questions == ["foreign.nii.gz"]
    assert opened.window.controller.comparer.comparisons[TUMOR].dice == 1.0
    assert "Label 5 is liver" in opened.window.comparison_panel.names[ONLY_B].toolTip()


def test_a_mask_of_another_scan_is_refused(opened: Desk, tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.uint8), np.eye(4)), tmp_path / "small.nii.gz")
    opened.dialogs.path = tmp_path / "small.nii.gz"
    opened.trigger("compare_file")
    opened.idle()
    opened.qtbot.waitUntil(lambda: bool(opened.dialogs.problems))
    assert opened.window.study.compared is None


def test_the_models_mask_is_compared_with_one_opened_later(opened: Desk, files: Path) -> None:
    window, actions = opened.window, opened.window.actions_by_key
    assert not actions["compare_model"].isEnabled()
    opened.dialogs.yes = True
    opened.trigger("segment")
    opened.idle()
    made = window.study.mask
    assert not actions["compare_model"].isEnabled()
    assert actions["compare_before"].isEnabled()
    opened.dialogs.save_answer = False
    window.controller.open_mask(files / "truth.nii.gz")
    opened.idle()
    assert actions["compare_model"].isEnabled()
    opened.trigger("compare_model")
    opened.idle()
    assert window.study.compared is made
    assert window.study.compared_name == "Model fake"


def test_the_mask_before_is_compared_and_followed_when_the_mask_changes(
    opened: Desk, phantom: Phantom
) -> None:
    window = opened.window
    first = window.study.mask
    empty = LabelMap(np.zeros(first.labels.shape, np.uint8), first.grid)
    window.controller._set_mask(empty, MaskSource())
    opened.trigger("compare_before")
    opened.idle()
    comparer = window.controller.comparer
    assert window.study.compared is first
    assert (comparer.name_a, comparer.name_b) == ("Edited mask", "truth.nii.gz")
    assert comparer.comparisons[LIVER].dice == 0.0
    assert window.comparison_panel.cells["B - A, %", LIVER].text() == "\N{EN DASH}"
    window.controller._set_mask(LabelMap(first.labels.copy(), first.grid), MaskSource())
    assert comparer.comparisons is None
    opened.idle()
    assert comparer.comparisons[LIVER].dice == 1.0


def test_a_change_while_figures_are_worked_out_is_taken_up(opened: Desk, other: Path) -> None:
    compare_with(opened, other)
    window = opened.window
    grid, shape = window.study.mask.grid, window.study.mask.labels.shape
    for value in (0, 1, 0, 1):
        window.controller._set_mask(
            LabelMap(np.full(shape, value, np.uint8), grid), MaskSource(Path(f"{value}.nii"))
        )
    opened.idle()
    found = window.controller.comparer.comparisons[LIVER]
    assert found.a_ml == pytest.approx(np.prod(shape) * grid.ras_affine.voxel_ml)


def test_another_scan_ends_the_comparison_and_frees_its_masks(
    opened: Desk, files: Path, other: Path
) -> None:
    window = opened.window
    opened.dialogs.yes = True
    opened.trigger("segment")
    compare_with(opened, other)
    masks = [weakref.ref(mask) for mask in (window.study.mask, window.study.compared)]
    opened.dialogs.save_answer = False
    window.controller.open_mask(files / "truth.nii.gz")
    opened.idle()
    assert window.controller.comparer.has_model
    opened.open(files / "scan.nii.gz")
    assert window.study.compared is None
    assert window.comparison_panel.isHidden()
    assert not window.actions_by_key["compare_before"].isEnabled()
    for view in window.views.values():
        view.redraw()
    gc.collect()
    assert [mask() for mask in masks] == [None, None]


def test_without_a_mask_there_is_nothing_to_compare_with(desk: Desk, files: Path) -> None:
    desk.open(files / "scan.nii.gz")
    for key in ("compare_file", "compare_model", "compare_before", "stop_comparing", "flicker"):
        assert not desk.window.actions_by_key[key].isEnabled()
    desk.window.controller.comparer.open(files / "truth.nii.gz")
    assert "no mask yet" in desk.dialogs.problems[0][0]


def test_a_hidden_patients_name_is_not_read_in_the_comparison(
    opened: Desk, other: Path, tmp_path: Path
) -> None:
    named = other.rename(tmp_path / "Mueller Hans.nii.gz")
    compare_with(opened, named)
    panel = opened.window.comparison_panel
    assert "Mueller" in panel.names[ONLY_B].text()
    opened.settings.change(hide_patient=True)
    assert "Mueller" not in panel.names[ONLY_B].text() + panel.names[ONLY_B].toolTip()


def test_volumes_that_are_not_reliable_are_marked(opened: Desk, other: Path) -> None:
    study = opened.window.study
    doubt = warning("spacing", "No spacing is given.", "State it.", Concern.MM)
    mask, volume = study.mask, study.volume
    study.open(Volume(volume.hu, volume.grid, volume.origin, (doubt,)))
    study.set_mask(mask, MaskSource(Path("a.nii")))
    compare_with(opened, other)
    cell = opened.window.comparison_panel.cells["A, ml", LIVER]
    assert "\N{WARNING SIGN}" in cell.text()
    assert "No spacing" in cell.toolTip()


def test_the_panels_fit_into_the_dock_whatever_a_mask_is_called(
    opened: Desk, other: Path, tmp_path: Path
) -> None:
    named = other.rename(tmp_path / f"{'a rather long name ' * 5}.nii.gz")
    compare_with(opened, named)
    for panel in (opened.window.comparison_panel, opened.window.overlay_panel):
        assert panel.minimumSizeHint().width() <= 255


def test_the_label_compared_is_chosen_and_the_colors_can_be_put_away(
    opened: Desk, other: Path
) -> None:
    compare_with(opened, other)
    panel, state = opened.window.comparison_panel, opened.window.view_state
    panel.label.setCurrentText("Tumor")
    panel.label.activated.emit(panel.label.currentIndex())
    assert state.compared_label == TUMOR
    panel.colored.click()
    assert not state.comparing
    assert opened.window.study.compared is not None
    assert not panel.isHidden()
