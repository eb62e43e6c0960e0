from __future__ import annotations

import errno
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.cohort.find_scans import find_cases
from liverseg_gui.cohort.result import ALREADY, MEASURED, CaseResult, CohortCase, Status
from liverseg_gui.cohort.run_case import CaseOptions, read_case, segment_case
from liverseg_gui.core.errors import Cancelled, ModelError, SegmentationError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.formats.mask_marks import Mark, mark_text
from liverseg_gui.io.formats.nifti_write import write_scan
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.system.temporary_files import HOST
from tests.cohort.conftest import Threshold


class Breaks:
    """Raises what it was given."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        raise self.problem


@pytest.fixture
def case(scans: Path, options: CaseOptions) -> CohortCase:
    return find_cases(scans, options.output, Progress()).cases[0]


def test_a_case_leaves_its_mask_and_its_report(
    case: CohortCase, options: CaseOptions, tiny: Phantom
) -> None:
    result = segment_case(case, Threshold(), options)
    assert (result.status, result.name, result.reason) == (Status.DONE, "a", "")
    mask = nib.load(options.output / "a.nii.gz")
    liver_ml = np.count_nonzero(np.asanyarray(mask.dataobj)) * 6 * 6 * 12 / 1000
    assert result.liver_ml == pytest.approx(liver_ml)
    report = json.loads((options.output / "a.json").read_text())
    assert report["liver_ml"] == result.liver_ml
    assert report["made_from"]["fingerprint"] == case.fingerprint
    assert sorted(p.name for p in options.output.iterdir()) == ["a.json", "a.nii.gz"]
    assert tiny.volume.shape == mask.shape


def test_case_and_result_travel_between_processes(case: CohortCase, options: CaseOptions) -> None:
    result = segment_case(case, Threshold(), options)
    assert pickle.loads(pickle.dumps((case, options, result))) == (case, options, result)


def test_a_case_that_is_done_is_told_from_its_report(
    case: CohortCase, options: CaseOptions
) -> None:
    segmenter = Threshold()
    first = segment_case(case, segmenter, options)
    before = (options.output / "a.nii.gz").stat().st_mtime_ns
    second = segment_case(case, segmenter, options)
    assert second == replace(first, reason=ALREADY)
    assert (options.output / "a.nii.gz").stat().st_mtime_ns == before
    segment_case(case, segmenter, replace(options, again=True))
    assert segmenter.seen == [case.path] * 2


def voxels(path: Path) -> np.ndarray:
    return np.asanyarray(nib.load(path).dataobj)


def shortened(options: CaseOptions) -> None:
    path = options.output / "a.nii.gz"
    path.write_bytes(path.read_bytes()[:-20])


def half_reported(options: CaseOptions) -> None:
    path = options.output / "a.json"
    path.write_text(path.read_text()[:300])


def emptied(options: CaseOptions) -> None:
    (options.output / "a.nii.gz").write_bytes(b"")


def of_another_run(options: CaseOptions) -> None:
    """As a run with another model leaves it that is killed before its report."""
    path = options.output / "a.nii.gz"
    voxels = np.asanyarray(nib.load(path).dataobj).copy()
    voxels[0] = 2
    image = nib.Nifti1Image(voxels, None, nib.load(path).header)
    image.header["descrip"] = mark_text(Mark.SEGMENTATION, np.asfortranarray(voxels))
    nib.save(image, path)


@pytest.mark.parametrize(
    "spoil",
    [
        shortened,
        half_reported,
        emptied,
        of_another_run,
        lambda options: (options.output / "a.nii.gz").unlink(),
        lambda options: (options.output / "a.json").unlink(),
        lambda options: (options.output / "a.json").write_text(""),
    ],
)
def test_a_case_of_which_a_file_is_damaged_or_gone_is_done_anew(
    case: CohortCase, options: CaseOptions, spoil: Callable[[CaseOptions], None]
) -> None:
    first = segment_case(case, Threshold(), options)
    whole = voxels(options.output / "a.nii.gz")
    spoil(options)
    second = segment_case(case, Threshold(), options)
    assert second.reason == first.reason
    assert replace(second, seconds=None) == replace(first, seconds=None)
    np.testing.assert_array_equal(voxels(options.output / "a.nii.gz"), whole)


@pytest.mark.parametrize(
    "change",
    [{"model_sha256": "1" * 64}, {"quality": "best"}, {"spacing_mm": (1.0, 1.0, 1.0)}],
)
def test_another_model_quality_or_geometry_does_a_case_anew(
    case: CohortCase, options: CaseOptions, change: dict[str, object]
) -> None:
    segmenter = Threshold()
    segment_case(case, segmenter, options)
    assert segment_case(case, segmenter, replace(options, **change)).reason == ""
    assert len(segmenter.seen) == 2


def test_another_scan_in_the_same_place_does_a_case_anew(
    case: CohortCase, scans: Path, options: CaseOptions
) -> None:
    segmenter = Threshold()
    segment_case(case, segmenter, options)
    os.utime(case.path, ns=(1, 1))
    changed = find_cases(scans, options.output, Progress()).cases[0]
    assert segment_case(changed, segmenter, options).reason == ""
    assert len(segmenter.seen) == 2


def test_the_mask_of_another_scan_is_not_replaced(
    case: CohortCase, options: CaseOptions, tiny: Phantom, tmp_path: Path
) -> None:
    segment_case(case, Threshold(), options)
    before = (options.output / "a.nii.gz").stat().st_mtime_ns
    (tmp_path / "others").mkdir()
    write_scan(tiny.volume, tmp_path / "others" / "a.nii.gz")
    other = find_cases(tmp_path / "others", options.output, Progress()).cases[0]
    assert other.name == case.name
    result = segment_case(other, Threshold(), options)
    assert result.status is Status.FAILED
    assert f"is the mask of another scan ({case.path})" in result.reason
    assert (options.output / "a.nii.gz").stat().st_mtime_ns == before
    again = segment_case(other, Threshold(), replace(options, again=True))
    assert again.status is Status.DONE


@pytest.mark.parametrize(
    ("problem", "why"),
    [
        (SegmentationError("The model gave\ninvalid numbers."), "The model gave invalid numbers."),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "not enough memory"),
        (ValueError("odd"), "Unexpected ValueError: odd (test_run_case.py, line "),
    ],
)
def test_whatever_goes_wrong_is_a_line_of_the_result(
    case: CohortCase, options: CaseOptions, problem: Exception, why: str
) -> None:
    result = segment_case(case, Breaks(problem), options)
    assert result.status is Status.FAILED
    assert why in result.reason
    assert "\n" not in result.reason
    assert list(options.output.iterdir()) == []


@pytest.mark.parametrize("problem", [Cancelled(), ModelError("no weights")])
def test_what_concerns_every_case_is_not_kept_to_one(
    case: CohortCase, options: CaseOptions, problem: Exception
) -> None:
    with pytest.raises(type(problem)):
        segment_case(case, Breaks(problem), options)


def test_a_scan_that_changed_since_it_was_listed_is_not_segmented(
    case: CohortCase, options: CaseOptions
) -> None:
    os.utime(case.path, ns=(1, 1))
    result = segment_case(case, Threshold(), options)
    assert "no longer as it was listed" in result.reason


def test_what_a_killed_run_had_begun_is_removed(case: CohortCase, options: CaseOptions) -> None:
    killed = f".liverseg-{HOST}-0123456789abcdef.part.nii.gz"
    for name in (killed, ".ab.json.7", "notes.txt"):
        (options.output / name).write_text("half")
    segment_case(case, Threshold(), options)
    left = sorted(path.name for path in options.output.iterdir())
    assert left == [".ab.json.7", "a.json", "a.nii.gz", "notes.txt"]


def corrected(path: Path) -> np.ndarray:
    """Another program changes the mask, and keeps what else is in its header."""
    image = nib.load(path)
    labels = np.asanyarray(image.dataobj).copy()
    labels[:20] = 0
    labels[30:34, 30:34, 6:9] = 2
    nib.save(nib.Nifti1Image(labels, None, image.header), path)
    return labels


def test_a_corrected_mask_stays_and_its_own_figures_are_told(
    case: CohortCase, options: CaseOptions
) -> None:
    first = segment_case(case, Threshold(), options)
    mask, report = options.output / "a.nii.gz", options.output / "a.json"
    labels = corrected(mask)
    before = mask.read_bytes()
    second = segment_case(case, Threshold(), options)
    assert (second.status, second.reason) == (Status.DONE, MEASURED)
    assert second.liver_ml == pytest.approx(np.count_nonzero(labels) * 6 * 6 * 12 / 1000)
    assert second.liver_ml != first.liver_ml
    assert any("changed after the model" in warning for warning in second.warnings)
    assert json.loads(report.read_text())["liver_ml"] == second.liver_ml
    assert segment_case(case, Threshold(), options) == replace(second, reason=ALREADY)
    other = segment_case(case, Threshold(), replace(options, quality="best"))
    assert "was changed since, and is not replaced" in other.reason
    assert "--again" in other.reason
    assert mask.read_bytes() == before
    again = segment_case(case, Threshold(), replace(options, again=True))
    assert again.liver_ml == first.liver_ml


def another_ct(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.arange(64, dtype=np.int16).reshape(4, 4, 4) - 9, np.eye(4)), path)


def a_mask_by_hand(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((64, 64, 16), np.uint8), np.diag([6, 6, 12, 1])), path)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("make", [another_ct, a_mask_by_hand, lambda p: p.write_bytes(b"letter")])
def test_what_is_not_of_this_program_is_not_replaced(
    make: Callable[[Path], None], again: bool, case: CohortCase, options: CaseOptions
) -> None:
    mask = options.output / "a.nii.gz"
    make(mask)
    before = mask.read_bytes()
    result = segment_case(case, Threshold(), replace(options, again=again))
    assert result.status is Status.FAILED
    assert f"{mask} " in result.reason
    assert "not replaced" in result.reason
    assert mask.read_bytes() == before
    assert not (options.output / "a.json").exists()


def test_a_json_of_another_program_is_not_replaced(case: CohortCase, options: CaseOptions) -> None:
    (options.output / "a.json").write_text('{"lesions": []}')
    result = segment_case(case, Threshold(), options)
    assert "a.json is no report of this program" in result.reason
    assert [path.name for path in options.output.iterdir()] == ["a.json"]


def test_what_an_earlier_version_left_is_measured_anew(
    case: CohortCase, options: CaseOptions
) -> None:
    first = segment_case(case, Threshold(), options)
    report = options.output / "a.json"
    values = json.loads(report.read_text())
    del values["mask_sha256"]
    report.write_text(json.dumps({**values, "liver_ml": 1.0}, indent=2))
    segmenter = Threshold()
    assert segment_case(case, segmenter, options) == replace(first, reason=MEASURED)
    assert segmenter.seen == []


def test_no_mask_lies_beside_the_report_of_another_one(
    case: CohortCase, options: CaseOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment_case(case, Threshold(), options)
    report = options.output / "a.json"
    there: list[bool] = []
    replaced = Path.replace

    def watched(self: Path, target: Path) -> Path:
        there.append(report.exists())
        return replaced(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    segment_case(case, Threshold(), replace(options, quality="best"))
    assert there == [False, False]


def test_a_mask_that_cannot_be_written_leaves_the_old_one_with_its_report(
    case: CohortCase, options: CaseOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment_case(case, Threshold(), options)
    before = {path.name: path.read_bytes() for path in options.output.iterdir()}

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("liverseg_gui.io.formats.nifti_write._write", full)
    result = segment_case(case, Threshold(), replace(options, quality="best"))
    assert "No space left" in result.reason
    assert {path.name: path.read_bytes() for path in options.output.iterdir()} == before


def test_a_scan_is_never_replaced_by_its_mask(
    scans: Path, options: CaseOptions, case: CohortCase
) -> None:
    before = case.path.read_bytes()
    result = segment_case(case, Threshold(), replace(options, output=scans))
    assert "is the scan itself" in result.reason
    assert case.path.read_bytes() == before


def test_a_scan_in_an_archive_is_a_case_like_any_other(
    scans: Path, options: CaseOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    with zipfile.ZipFile(scans / "more.zip", "w") as archive:
        archive.write(scans / "a.nii.gz", "inside/b.nii.gz")
        archive.write(scans / "a.nii.gz", "inside/c.nii.gz")
    cases = find_cases(scans, options.output, Progress()).cases
    results = {case.name: segment_case(case, Threshold(), options) for case in cases}
    assert results.keys() == {"a", "one__scan", "two__scan", "more", "more_2"}
    assert {result.status for result in results.values()} == {Status.DONE}
    first = voxels(options.output / "a.nii.gz")
    np.testing.assert_array_equal(voxels(options.output / "more_2.nii.gz"), first)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert [segment_case(case, Threshold(), options).reason for case in cases] == [ALREADY] * 5


def test_a_scan_that_was_replaced_since_it_was_listed_fails(
    scans: Path, options: CaseOptions, tiny: Phantom
) -> None:
    cohort = find_cases(scans, options.output, Progress())
    case, entry = cohort.cases[0], cohort.entries["a"]
    grid = StoredGrid(tiny.volume.shape, Affine(np.diag([3.0, 3.0, 6.0, 1.0])))
    write_scan(replace(tiny.volume, grid=grid), scans / "a.nii.gz")
    result = read_case(case, options, Progress(), entry)
    assert isinstance(result, CaseResult)
    assert result.status is Status.FAILED
    assert "has changed since it was listed. Start again" in result.reason


def test_a_scan_that_is_touched_while_it_is_read_fails(scans: Path, options: CaseOptions) -> None:
    cohort = find_cases(scans, options.output, Progress())
    case, entry = cohort.cases[0], cohort.entries["a"]
    progress = Progress(lambda _fraction, _phase: os.utime(scans / "a.nii.gz", ns=(1, 1)))
    result = read_case(case, options, progress, entry)
    assert isinstance(result, CaseResult)
    assert "changed" in result.reason


class FindsNothing:
    """Finds no liver."""

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        labels = LabelMap(np.zeros(volume.shape, np.uint8), volume.grid)
        return Segmentation(labels, "nothing", "cpu", 0.0)


def test_a_scan_without_liver_is_a_state_of_its_own_and_has_no_figures(
    case: CohortCase, options: CaseOptions
) -> None:
    for again in range(2):
        result = segment_case(case, FindsNothing(), options)
        assert (result.status, result.reason) == (Status.NO_LIVER, ALREADY if again else "")
        figures = (result.liver_ml, result.tumor_ml, result.tumor_burden_percent, result.lesions)
        assert figures == (None, None, None, None)
    report = json.loads((options.output / "a.json").read_text())
    assert report["liver_found"] is False
    assert report["liver_ml"] is report["tumor_ml"] is report["tumor_burden_percent"] is None


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("could not create a primitive"),
        RuntimeError("Failed to allocate memory for image."),
        RuntimeError("std::bad_alloc"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
    ],
)
def test_memory_that_ran_out_is_told_as_such(
    case: CohortCase, options: CaseOptions, problem: Exception
) -> None:
    result = segment_case(case, Breaks(problem), options)
    assert (result.status, result.reason) == (
        Status.FAILED,
        "There is not enough memory for this scan.",
    )
