from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from liverseg_gui.core.errors import Cancelled, LiverSegError, UnreadableFileError
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_checks import PHASE_UNKNOWN
from liverseg_gui.core.scan_issues import Severity, warning
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, axial_slices
from tests.io.dicom_files import change
from tests.training import layouts
from tests.training.layouts import SPACING_MM, labelled, small, true_labels, write_list
from training.data.case import Case, CaseSource
from training.data.data_check import DataCheck, SeenCase, check_sources, look_at, same_scans
from training.data.dataset_layouts import find_sources

ROOT = Path(__file__).parents[3]
Changed = Callable[[Case], Case]
THIN = warning("unit-spacing", "The spacing is not known.", "State it.")


class Made:
    """A phantom's case, changed in some way."""

    def __init__(self, name: str, seed: int, changed: Changed = lambda case: case) -> None:
        self.name = self.patient = name
        self._seed, self._changed = seed, changed

    def read(self) -> Case:
        phantom = small(self._seed)
        slices, labels = axial_slices(phantom.volume), true_labels(phantom)
        z = np.arange(len(slices)) * 10.0
        pixel_mm = (SPACING_MM[1], SPACING_MM[0])
        case = Case(self.name, slices, labels, z, CONTEXT_MM, pixel_mm, self.patient)
        return self._changed(case)

    def fingerprint(self) -> str:
        return ""


def check(*sources: CaseSource) -> DataCheck:
    return check_sources(sources, Progress())


def with_another(changed: Changed) -> DataCheck:
    """The check of a changed phantom beside one that is as it should be."""
    return check(Made("changed", 1, changed), Made("fine", 2))


def codes(checked: DataCheck) -> list[tuple[str, tuple[str, ...]]]:
    return [(found.issue.code, found.cases) for found in checked.issues]


def test_cases_that_are_well_have_their_figures_and_no_findings() -> None:
    checked = check(Made("a", 1), Made("b", 2))
    assert codes(checked) == []
    assert not checked.failed
    figures = checked.cases[0].figures
    assert figures is not None
    assert figures.size == (72, 64, 20)
    assert figures.spacing_mm == pytest.approx(SPACING_MM)
    counts = np.bincount(small(1).truth.labels.ravel())
    assert figures.voxels == tuple(counts)
    assert figures.liver_ml == pytest.approx(counts[1:].sum() * 0.275)
    assert figures.tumor_ml == pytest.approx(counts[2] * 0.275)
    assert figures.lesions == 1


def test_without_a_spacing_there_are_no_ml() -> None:
    figures = with_another(lambda case: replace(case, pixel_mm=None)).cases[0].figures
    assert figures is not None
    assert figures.spacing_mm is None
    assert figures.liver_ml is None
    assert figures.voxels[2] == np.count_nonzero(small(1).truth.labels == 2)


def test_lesions_are_counted_as_they_are_measured() -> None:
    phantom = make_phantom(PhantomSpec(5, layouts.SHAPE, SPACING_MM, (40.0, 30.0, 30.0)))
    labels = true_labels(phantom)
    checked = with_another(lambda case: replace(case, labels=labels))
    assert checked.cases[0].figures is not None
    assert checked.cases[0].figures.lesions == 3


def test_one_bad_case_does_not_stop_the_others(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path, (1, 2, 3))
    scan = tmp_path / "imagesTr" / "liver_2.nii.gz"
    scan.write_bytes(scan.read_bytes()[:3000])
    checked = check(*find_sources(tmp_path))
    assert [case.figures is None for case in checked.cases] == [False, True, False]
    (found,) = checked.issues
    assert (found.issue.code, found.cases) == ("unreadable", ("liver_2",))
    assert str(scan) in found.issue.message
    assert found.issue.remedy
    assert checked.failed


def test_a_path_with_a_stop_in_it_is_named_whole(tmp_path: Path) -> None:
    folder = tmp_path / "Clinic of Dr. Roe"
    layouts.decathlon(folder, (1, 2))
    scan, mask = folder / "imagesTr" / "liver_2.nii.gz", folder / "labelsTr" / "liver_1.nii.gz"
    scan.write_bytes(scan.read_bytes()[:3000])
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), np.eye(4)), mask)
    found = {one.issue.code: one.issue for one in check(*find_sources(folder)).issues}
    assert found["unreadable"].message == f"{scan} is cut short or damaged."
    assert found["unreadable"].remedy == "Copy it again from its source."
    elsewhere = f"{mask} does not lie on {folder / 'imagesTr' / 'liver_1.nii.gz'}."
    assert found["grid-mismatch"].message == elsewhere
    assert found["grid-mismatch"].remedy == (
        "The mask has 9 x 9 x 9 voxels but the scan has 72 x 64 x 20. Pair the scan with the mask "
        "that was drawn on it."
    )


def test_a_file_that_the_system_cannot_read_is_named_whole() -> None:
    def closed(_case: Case) -> Case:
        raise OSError(13, "Permission denied", "/data/Dr. Roe/scan.nii")

    (found,) = check(Made("a", 1), Made("b", 2), Made("c", 3, closed)).issues
    assert found.issue.message == "[Errno 13] Permission denied: '/data/Dr. Roe/scan.nii'."
    assert found.issue.remedy == "Copy the data set again from its source."


def test_a_mask_that_lies_elsewhere_is_an_error(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path)
    mask = tmp_path / "labelsTr" / "liver_1.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), np.eye(4)), mask)
    checked = check(*find_sources(tmp_path))
    assert codes(checked) == [("grid-mismatch", ("liver_1",))]
    assert "liver_1.nii.gz" in checked.issues[0].issue.message


def test_grey_pictures_whose_masks_have_another_size_are_an_error(tmp_path: Path) -> None:
    layouts.lits2d(tmp_path)
    for file in (tmp_path / "001").glob("*.png"):
        Image.new("L", (32, 32)).save(file)
    assert codes(check(*find_sources(tmp_path))) == [("grid-mismatch", ("001",))]
    Image.new("L", (16, 16)).save(file)
    assert codes(check(*find_sources(tmp_path))) == [("unreadable", ("001",))]


def test_labels_that_mean_nothing_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    layouts.corrected(tmp_path)
    foreign = np.array([0, 5, 6])[small(1).truth.labels]
    labelled(tmp_path / "ct1.nii.gz", tmp_path / "ct1_mask.nii.gz", foreign)
    checked = check(*find_sources(tmp_path))
    assert codes(checked) == [("foreign-labels", ("ct1",))]
    assert "cases.json" in checked.issues[0].issue.remedy
    layouts.lits2d(tmp_path / "pictures")
    Image.new("L", (72, 64), 3).save(tmp_path / "pictures" / "002" / "0003.png")
    assert codes(check(*find_sources(tmp_path / "pictures"))) == [("foreign-labels", ("002",))]


@pytest.mark.parametrize("left", [0, 2])
def test_a_mask_without_liver_is_an_error(left: int) -> None:
    checked = with_another(
        lambda case: replace(case, labels=np.where(case.labels == 2, left, 0).astype(np.uint8))
    )
    assert codes(checked) == [("no-liver", ("changed",))]
    assert checked.failed


def test_a_set_without_any_tumor_is_told_and_a_case_without_is_not() -> None:
    def healthy(case: Case) -> Case:
        return replace(case, labels=np.minimum(case.labels, 1))

    assert codes(with_another(healthy)) == []
    checked = check(Made("a", 1, healthy), Made("b", 2, healthy))
    assert codes(checked) == [("no-tumor", ("a", "b"))]
    assert not checked.failed


def test_a_single_patient_is_an_error() -> None:
    checked = check(Made("a", 1))
    assert codes(checked) == [("single-patient", ("a",))]
    assert checked.failed


@pytest.mark.parametrize("what", [("labels",), ("labels", "slices")])
def test_a_mirrored_mask_or_case_is_an_error(what: tuple[str, ...]) -> None:
    checked = with_another(
        lambda case: replace(case, **{name: getattr(case, name)[:, :, ::-1] for name in what})
    )
    assert ("mirrored", ("changed",)) in codes(checked)
    assert checked.failed


def test_a_liver_that_is_cut_off_is_told_with_the_side() -> None:
    checked = with_another(
        lambda case: replace(case, slices=case.slices[8:], labels=case.labels[8:], z=case.z[8:])
    )
    assert codes(checked) == [("touches-edge", ("changed",))]
    assert "first slice:" in checked.issues[0].issue.message
    assert not checked.failed


def test_a_mask_on_fat_and_air_is_told() -> None:
    checked = with_another(
        lambda case: replace(case, labels=np.roll(case.labels, (0, -24), (1, 2)))
    )
    assert ("off-tissue", ("changed",)) in codes(checked)


def swapped(case: Case) -> Case:
    return replace(case, labels=np.array([0, 2, 1], np.uint8)[case.labels])


@pytest.mark.parametrize("diameter_mm", [40.0, 60.0])
def test_liver_and_tumor_that_are_swapped_are_an_error(diameter_mm: float) -> None:
    labels = true_labels(small(1, (diameter_mm,)))
    checked = with_another(lambda case: swapped(replace(case, labels=labels)))
    assert codes(checked) == [("swapped-labels", ("changed",))]
    assert checked.failed


def test_a_liver_that_is_mostly_tumor_inside_is_told() -> None:
    def mostly(case: Case) -> Case:
        organ = case.labels > 0
        inside = ndimage.binary_erosion(organ, iterations=1)
        return replace(case, labels=(organ * 1 + inside * 1).astype(np.uint8))

    checked = with_another(mostly)
    assert codes(checked) == [("mostly-tumor", ("changed",))]
    assert not checked.failed


@pytest.mark.parametrize("axes", [0, 1, (0, 1), (0, 2)])
def test_a_turned_mask_is_an_error_that_says_how(axes: int | tuple[int, ...]) -> None:
    def upper(case: Case) -> Case:  # a liver that lies above the middle of the scan
        part = slice(0, 16)
        return replace(case, slices=case.slices[part], labels=case.labels[part], z=case.z[part])

    checked = with_another(
        lambda case: replace(upper(case), labels=np.flip(upper(case).labels, axes))
    )
    (found,) = [f for f in checked.issues if f.issue.code == "turned-mask"]
    named = {0: "head and feet", 1: "front and back", 2: "right and left"}
    for axis in (axes,) if isinstance(axes, int) else axes:
        assert named[axis] in found.issue.message
    assert checked.failed


@pytest.mark.parametrize(
    ("scale", "code", "fails"),
    [
        (0.2, "no-livers-size", True),
        (0.4, "unusual-size", False),
        (1.6, "unusual-size", False),
        (2.5, "no-livers-size", True),
    ],
)
def test_an_organ_of_no_livers_size_is_found(scale: float, code: str, fails: bool) -> None:
    def scaled(case: Case) -> Case:
        assert case.pixel_mm is not None
        row, column = case.pixel_mm
        return replace(case, pixel_mm=(row * scale, column * scale), z=case.z * scale)

    checked = with_another(scaled)
    assert codes(checked) == [(code, ("changed",))]
    assert checked.failed is fails


def test_a_part_of_a_liver_may_be_small() -> None:
    def middle(case: Case) -> Case:
        part = slice(9, 11)
        return replace(
            case, slices=case.slices[part], labels=case.labels[part], z=case.z[part] / 10
        )

    assert codes(with_another(middle)) == [("touches-edge", ("changed",))]


def test_what_was_seen_of_a_case_is_kept_without_the_persons_name() -> None:
    source = Made("a", 1, lambda case: replace(case, person="Miller", issues=(THIN,)))
    seen = look_at(source)
    values = json.loads(json.dumps(seen.to_json()))
    assert "Miller" not in str(values)
    kept = SeenCase.from_json(source, values)
    assert kept.case == seen.case
    assert same_scans([kept, look_at(Made("b", 1)), look_at(Made("c", 2))]) == (("a", "b"),)
    other = SeenCase.from_json(Made("b", 2), look_at(source).to_json())
    assert kept.person == other.person


@pytest.mark.parametrize("shift", [1024, -1000])
def test_values_that_are_no_hu_are_an_error(tmp_path: Path, shift: int) -> None:
    layouts.corrected(tmp_path)
    phantom = small(1)
    shifted = nib.Nifti1Image(phantom.volume.hu + np.int16(shift), phantom.volume.affine.matrix)
    nib.save(shifted, tmp_path / "ct1.nii.gz")
    checked = check(*find_sources(tmp_path))
    assert {("outside-window", ("ct1",)), ("not-hu", ("ct1",))} <= set(codes(checked))
    assert checked.failed


def test_a_scan_that_knows_neither_size_nor_side_is_told(tmp_path: Path) -> None:
    layouts.corrected(tmp_path)
    for name, values in (("ct1", small(1).volume.hu), ("ct1_mask", small(1).truth.labels)):
        nib.save(nib.Nifti1Image(np.array(values), np.eye(4)), tmp_path / f"{name}.nii.gz")
    for name, values in (("ct2", small(2).volume.hu), ("ct2_mask", small(2).truth.labels)):
        matrix = np.diag([*SPACING_MM, 1])
        nib.save(nib.Nifti1Image(np.array(values), matrix), tmp_path / f"{name}.nii.gz")
    checked = check(*find_sources(tmp_path))
    assert codes(checked) == [("unit-spacing", ("ct1",)), ("identity-affine", ("ct2",))]
    assert not checked.failed


def test_what_says_nothing_about_learning_is_left_out() -> None:
    checked = with_another(lambda case: replace(case, issues=(PHASE_UNKNOWN,)))
    assert codes(checked) == []


def test_a_scan_that_is_no_ct_is_an_error(tmp_path: Path) -> None:
    layouts.corrected(tmp_path, (1,))
    write_dicom_series(small(2).volume, tmp_path / "mr")
    save_mask(small(2).truth, small(2).volume.origin, tmp_path / "mr_mask.nii.gz")
    for file in (tmp_path / "mr").iterdir():
        change(file, Modality="MR")
    checked = check(*find_sources(tmp_path))
    assert ("not-ct", ("mr",)) in codes(checked)
    assert checked.failed


def nearly(case: Case) -> Case:
    """The same scan with a little noise, its slices the other way round, one row less."""
    noise = np.random.default_rng(0).normal(0, 3, case.slices.shape)
    noisy = np.clip(case.slices + noise, 0, 255).astype(np.uint8)
    return replace(case, slices=noisy[::-1, 1:], labels=case.labels[::-1, 1:])


@pytest.mark.parametrize("changed", [lambda case: case, nearly])
def test_one_scan_under_the_names_of_two_patients_is_an_error(changed: Changed) -> None:
    checked = check(Made("a", 1), Made("b", 2), Made("c", 1, changed))
    assert codes(checked) == [("duplicate", ("a", "c"))]
    assert checked.failed


def test_one_scan_twice_for_one_patient_is_told() -> None:
    again = Made("c", 1)
    again.patient = "a"
    checked = check(Made("a", 1), Made("b", 2), again)
    assert codes(checked) == [("repeated-scan", ("a", "c"))]
    assert not checked.failed


def test_scans_of_different_phantoms_are_not_alike() -> None:
    assert codes(check(*[Made(str(seed), seed) for seed in range(1, 9)])) == []


def test_scans_whose_files_name_one_person_are_told_without_the_name() -> None:
    def of(person: str) -> Changed:
        return lambda case: replace(case, person=person)

    checked = check(Made("a", 1, of("Miller")), Made("b", 2, of("Miller")), Made("c", 3, of("")))
    assert codes(checked) == [("same-person", ("a", "b"))]
    assert "Miller" not in str(checked.to_json())


def test_a_check_can_be_cancelled() -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        check_sources([Made("a", 1)], progress)


def test_the_figures_and_findings_are_plain_values() -> None:
    def broken(_case: Case) -> Case:
        raise UnreadableFileError("x.nii is damaged.", "Copy it again.")

    values = check(Made("a", 1), Made("b", 2, broken)).to_json()
    assert set(values) == {"cases", "findings"}
    whole, bad = values["cases"]
    assert (whole["slices"], whole["lesions"], whole["problems"]) == (20, 1, [])
    assert set(whole["labels"]) == {"0", "1", "2"}
    assert (bad["slices"], bad["problems"]) == (None, ["unreadable"])
    (issue,) = values["findings"]
    assert issue == {
        "code": "unreadable",
        "severity": "error",
        "message": "x.nii is damaged.",
        "remedy": "Copy it again.",
        "cases": ["b"],
    }


def test_every_finding_of_the_check_is_documented_and_nothing_else_is() -> None:
    text = (ROOT / "training" / "data" / "data_check_rules.py").read_text()
    raised = set(re.findall(r'\b(?:warning|error)\(\s*"([a-z0-9-]+)"', text))
    page = (ROOT / "docs" / "training-data.md").read_text()
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (error|warning) \|", page, re.M)
    assert len(raised) > 10
    assert sorted(code for code, _ in listed) == sorted(raised)
    for code, severity in listed:
        assert re.search(rf'\b{severity}\(\s*"{code}"', text), f"{code} is no {severity}"


@pytest.mark.real_data
def test_the_shared_training_data_has_nothing_to_put_right(real_data: Path) -> None:
    checked = check(*find_sources(real_data / "lits2d"))
    manifest = json.loads((real_data / "lits2d" / "manifest.json").read_text())
    assert len(checked.cases) == len(manifest["cases"]) >= 28
    assert not checked.failed
    assert codes(checked) == [("touches-edge", (case,)) for case in ("001", "002", "006")]


def test_sources_fail_in_no_other_way_than_with_an_error_of_the_program(tmp_path: Path) -> None:
    write_list(tmp_path, {"name": "a", "scan": "nothing.nii", "mask": "nothing_mask.nii"})
    (source,) = find_sources(tmp_path)
    with pytest.raises(LiverSegError):
        source.read()
    (case,) = check(source).cases
    assert [(f.code, f.severity) for f in case.issues] == [("unreadable", Severity.ERROR)]
