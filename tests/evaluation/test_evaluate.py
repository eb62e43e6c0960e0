from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from liverseg_gui.evaluation.confidence_interval import mean_interval
from liverseg_gui.evaluation.evaluate import PIXEL_IS_MM, evaluate_case
from liverseg_gui.evaluation.report.text import table
from liverseg_gui.evaluation.summary import summarize
from tests.training.blobs import labels
from training.data.case import Case
from training.evaluation.evaluate_model import case_spacing

MM = (0.7, 0.9, 2.5)
MM_FIGURES = ("assd_mm", "rmsd_mm", "mssd_mm", "nsd", "found_ml", "true_ml")


def patient(tumor: int, found_tumor: int = 0, wrong: int = 0, name: str = "a") -> CaseMetrics:
    """A liver of 1000 voxels with so many of tumor in truth and mask, and `wrong` more of liver."""
    truth, found = np.zeros((2, 20, 20, 20), np.uint8)
    for mask, count in ((truth, tumor), (found, found_tumor)):
        liver = np.ones(1000, np.uint8)
        liver[:count] = 2
        mask[:10, :10, :10] = liver.reshape(10, 10, 10)
    found[15, 0, :wrong] = 1
    return evaluate_case(name, found, truth, (1.0, 1.0, 1.0))


def test_a_perfect_mask_has_perfect_figures(phantom: Phantom) -> None:
    truth = phantom.truth.labels
    figures = evaluate_case("p", truth, truth, phantom.volume.affine.spacing_mm)
    for label in (figures.liver.to_json(), figures.tumor.to_json()):
        assert (label["dice"], label["nsd"], label["iou"], label["accuracy"]) == (1, 1, 1, 1)
        assert (label["voe"], label["rvd"], label["assd_mm"], label["mssd_mm"]) == (0, 0, 0, 0)
    assert figures.liver.true_ml == pytest.approx(phantom.liver_ml, rel=0.02)
    every = figures.lesions.over_half.every
    assert (every.true, every.true_matched, every.f1) == (3, 3, 1.0)
    small, middle, large = figures.lesions.over_half.by_size or ()
    assert (small.true, middle.true, large.true) == (0, 0, 3)


def test_liver_holds_the_tumor_and_a_tumor_called_liver_is_no_error_of_the_liver() -> None:
    truth = labels(np.random.default_rng(0))
    figures = evaluate_case("p", np.minimum(truth, 1), truth, MM)
    assert figures.liver.voxels.dice == 1.0
    assert figures.tumor.voxels.dice == 0.0
    assert figures.tumor.surface.nsd == 0.0


def test_labels_above_two_are_liver() -> None:
    truth = labels(np.random.default_rng(0))
    vessels = np.where(truth == 1, np.uint8(7), truth)
    assert evaluate_case("p", vessels, truth, MM) == evaluate_case("p", truth, truth, MM)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_axes_mean_nothing_but_their_spacing(axis: int) -> None:
    rng = np.random.default_rng(4)
    found, truth = labels(rng), labels(rng)
    expected = evaluate_case("p", found, truth, MM)
    turned = [np.moveaxis(array, 2, axis) for array in (found, truth)]
    spacing = [MM[0], MM[1]]
    spacing.insert(axis, MM[2])
    figures = evaluate_case("p", *turned, (spacing[0], spacing[1], spacing[2]), axial_axis=axis)
    assert figures.lesions == expected.lesions
    assert figures.liver.voxels == expected.liver.voxels
    ours, theirs = figures.tumor.to_json(), expected.tumor.to_json()
    assert list(ours.values()) == pytest.approx(list(theirs.values()))


def test_without_spacing_nothing_is_in_mm_or_ml() -> None:
    rng = np.random.default_rng(4)
    found, truth = labels(rng), labels(rng)
    values = evaluate_case("p", found, truth, None).to_json()
    assert values["spacing_mm"] is None
    for label in ("liver", "tumor"):
        assert [values[label][name] for name in MM_FIGURES] == [None] * len(MM_FIGURES)
        assert values[label]["dice"] > 0
    assert values["lesions"]["by_size"] is None
    assert values["lesions"]["true"] > 0
    sized = evaluate_case("p", found, truth, None, pixel_is_mm=True)
    assert sized.lesions == evaluate_case("p", found, truth, (1.0, 1.0, 1.0)).lesions
    assert sized.warnings == (PIXEL_IS_MM,)
    assert sized.liver.surface.assd_mm is None


def test_tumor_burden_is_a_share_of_the_whole_liver_and_its_error_is_signed() -> None:
    figures = patient(tumor=100, found_tumor=50)
    assert (figures.burden_true_percent, figures.burden_found_percent) == (10.0, 5.0)
    assert figures.burden_error_percent == pytest.approx(-5.0)
    summary = summarize([figures, patient(tumor=0, found_tumor=10)])
    assert summary.burden_rmse_percent == pytest.approx(((25 + 1) / 2) ** 0.5)


def test_false_tumor_is_told_of_patients_without_a_tumor_alone() -> None:
    healthy, ill = patient(tumor=0, found_tumor=20), patient(tumor=10, found_tumor=30)
    assert healthy.false_tumor_ml == pytest.approx(0.02)
    assert healthy.false_tumor_percent == pytest.approx(2.0)
    assert (ill.false_tumor_ml, ill.false_tumor_percent) == (None, None)
    figures = summarize([healthy, ill, patient(tumor=0)]).to_json()["false_positive"]
    assert (figures["patients"], figures["patients_with_false_tumor"]) == (2, 1)
    assert figures["tumor_ml"] == pytest.approx(0.01)
    assert figures["tumor_percent_of_liver"] == pytest.approx(1.0)


def test_a_mean_is_over_patients_and_the_global_dice_over_voxels() -> None:
    large, small = patient(tumor=900, found_tumor=900), patient(tumor=10, found_tumor=0)
    values = summarize([large, small]).to_json()
    assert values["patients"] == 2
    assert values["tumor"]["dice"] == pytest.approx(0.5)
    assert values["global"]["tumor"]["dice"] == pytest.approx(1800 / 1810)
    assert values["tumor"]["precision"] == 1.0  # not defined where nothing was found
    assert values["lesions"]["recall"] == pytest.approx(0.5)


def test_a_mean_says_over_how_many_patients_it_is_and_how_many_were_missed() -> None:
    cases = [patient(100, 100), patient(100, 0), patient(0, 0), patient(0, 30)]
    values = summarize(cases).to_json()
    assert values["tumor"]["assd_mm"] == 0.0
    assert values["counted"]["tumor"]["assd_mm"] == 1
    assert (values["counted"]["tumor"]["dice"], values["counted"]["liver"]["assd_mm"]) == (4, 4)
    assert values["missed"] == {"liver": 0, "tumor": 1}
    said = table(summarize(cases))
    assert "Distances of the tumor are means over 1 of 4 patients" in said
    assert "The tumor was missed altogether in 1 of 4 patients." in said
    assert "Distances of the liver" not in said


def test_patients_without_a_tumor_count_in_the_mean_and_not_in_that_of_those_with_one() -> None:
    cases = [patient(0), patient(0, 1), patient(100, 50)]
    values = summarize(cases).to_json()
    assert values["tumor"]["dice"] == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert values["with_tumor"]["patients"] == 1
    assert values["with_tumor"]["tumor_dice"] == pytest.approx(2 / 3)


def test_the_mean_has_the_shape_of_a_case_and_nothing_in_it_is_no_number() -> None:
    cases = [patient(100, 50), evaluate_case("b", *np.zeros((2, 4, 4, 4), np.uint8), None)]
    text = json.dumps(summarize(cases).to_json(), allow_nan=False)
    case, mean = json.loads(json.dumps(cases[0].to_json())), json.loads(text)
    for part in ("liver", "tumor", "lesions"):
        assert case[part].keys() == mean[part].keys()
        assert case[part]["dice" if part != "lesions" else "f1"] is not None
    required = {"dice", "voe", "rvd", "assd_mm", "mssd_mm", "rmsd_mm", "nsd"}
    assert required | {"accuracy", "precision", "recall", "f1", "iou"} <= mean["tumor"].keys()
    assert mean["intervals"]["liver"]["dice"] == [1.0, 1.0]
    assert mean["intervals"]["liver"]["assd_mm"] is None
    json.dumps(summarize([]).to_json(), allow_nan=False)


def test_an_interval_holds_the_mean_and_is_the_same_for_the_same_seed() -> None:
    values = np.random.default_rng(0).uniform(0, 1, 40).tolist()
    low, high = mean_interval(values, seed=3) or (1, 0)
    assert low < float(np.mean(values)) < high
    assert mean_interval(values, seed=3) == (low, high)
    assert mean_interval(values, seed=4) != (low, high)
    normal = 1.96 * float(np.std(values)) / len(values) ** 0.5
    assert high - low == pytest.approx(2 * normal, rel=0.1)
    assert mean_interval([0.5]) is None
    assert mean_interval([0.5] * 9) == (0.5, 0.5)


def test_ninety_five_of_a_hundred_intervals_hold_the_true_mean() -> None:
    rng = np.random.default_rng(1)
    hits = 0
    for n in range(300):
        low, high = mean_interval(rng.normal(0.5, 0.1, 50).tolist(), n, resamples=400) or (1, 0)
        hits += low <= 0.5 <= high
    assert 0.90 <= hits / 300 <= 0.98


def test_judging_can_be_cancelled() -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        evaluate_case("p", *np.ones((2, 4, 4, 4), np.uint8), MM, progress=progress)


def sliced(z: list[float], held: slice, pixel_mm: tuple[float, float] | None) -> Case:
    labels = np.zeros((len(z), 8, 8), np.uint8)
    labels[held] = 1
    return Case("c", np.zeros_like(labels), labels, np.array(z), 2.5, pixel_mm)


def test_slices_have_a_spacing_where_those_with_a_label_follow_evenly() -> None:
    z: list[float] = [0, 12, 24, 26, 28, 30, 42]
    nothing: NDArray[np.uint8] = np.zeros((7, 8, 8), np.uint8)
    assert case_spacing(sliced(z, slice(2, 6), (0.8, 0.9)), nothing) == (2.0, 0.8, 0.9)
    assert case_spacing(sliced(z, slice(1, 6), (0.8, 0.9)), nothing) is None
    assert case_spacing(sliced(z, slice(2, 6), None), nothing) is None
    found = nothing.copy()
    found[6] = 2
    assert case_spacing(sliced(z, slice(2, 6), (0.8, 0.9)), found) is None
    assert case_spacing(sliced(z, slice(2, 3), (0.8, 0.9)), nothing) is None


def test_evaluation_loads_neither_torch_nor_a_window_nor_matplotlib() -> None:
    code = (
        "import sys, liverseg_gui.evaluation.evaluate;"
        "import liverseg_gui.evaluation.report.html, liverseg_gui.evaluation.report.text;"
        "heavy = {'torch', 'fastai', 'PySide6', 'matplotlib', 'SimpleITK'} & set(sys.modules);"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
