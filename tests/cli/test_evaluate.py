from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.cli.main import main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom's scan and true mask, and a mask that is one voxel off."""
    folder = tmp_path_factory.mktemp("phantom")
    words = "--size 80 80 30 --spacing 5 5 7 --tumors 36 --seed 4"
    assert main(["phantom", "-o", str(folder), *words.split()]) == 0
    truth = nib.load(folder / "truth.nii.gz")
    moved = np.roll(np.asanyarray(truth.dataobj), 1, axis=0)
    nib.save(nib.Nifti1Image(moved, truth.affine), folder / "moved.nii.gz")
    return folder


@pytest.fixture
def folders(made: Path, tmp_path: Path) -> Path:
    """Two folders of masks, as nnU-Net and LiTS name them, each with one that has no partner."""
    names = {
        "pred": ("liver_1_0000.nii.gz", "segmentation-7.nii.gz", "only_here.nii.gz"),
        "truth": ("liver_1.nii.gz", "volume-07.nii.gz", "only_there.nii.gz"),
    }
    for folder, files in names.items():
        (tmp_path / folder).mkdir()
        for name in files:
            source = "moved" if folder == "pred" else "truth"
            shutil.copy(made / f"{source}.nii.gz", tmp_path / folder / name)
    return tmp_path


def evaluate(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["evaluate", *map(str, words), "--json"]) == 0
    values: dict[str, Any] = json.loads(capsys.readouterr().out)
    return values


def test_two_masks_are_judged(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--pred", made / "moved.nii.gz", "--truth", made / "truth.nii.gz"]
    values = evaluate(capsys, *files)
    (case,) = values["cases"]
    assert case["name"] == "truth"
    for label in ("liver", "tumor"):
        assert 0.5 < case[label]["dice"] < 1
        assert case[label]["assd_mm"] > 1
        assert case[label]["mssd_mm"] == pytest.approx(5.0)
        assert case[label]["rvd"] == 0.0
        assert case[label]["found_ml"] == pytest.approx(case[label]["true_ml"])
    assert case["lesions"]["true"] == 1
    assert {"precision", "recall", "f1"} <= case["lesions"].keys()
    mean = values["mean"]
    assert mean["liver"] == pytest.approx(case["liver"])
    assert mean["global"]["tumor"]["dice"] == pytest.approx(case["tumor"]["dice"])
    assert mean["intervals"]["liver"]["dice"] is None


def test_folders_are_matched_by_name_and_what_has_no_partner_is_told(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = evaluate(capsys, "--pred", folders / "pred", "--truth", folders / "truth")
    assert [case["name"] for case in values["cases"]] == ["volume-07", "liver_1"]
    assert values["unmatched"] == {"pred": ["only_here.nii.gz"], "truth": ["only_there.nii.gz"]}
    low, high = values["mean"]["intervals"]["liver"]["dice"]
    assert low <= values["mean"]["liver"]["dice"] <= high
    assert (
        main(["evaluate", "--pred", f"{folders / 'pred'}", "--truth", f"{folders / 'truth'}"]) == 0
    )
    shown = capsys.readouterr()
    assert "There is no prediction for only_there.nii.gz" in shown.err
    assert "There is no truth for only_here.nii.gz" in shown.err
    assert [line.split()[0] for line in shown.out.splitlines()[3:5]] == ["volume-07", "liver_1"]
    assert "an empty mask" in shown.out


def test_nothing_that_matches_is_an_error_of_one_line(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "other").mkdir()
    (folders / "other" / "x.nii").touch()
    assert main(["evaluate", "--pred", f"{folders}/other", "--truth", f"{folders}/truth"]) == 1
    message = capsys.readouterr().err
    assert "has the name of one in" in message
    assert message.count("\n") == 1


def test_a_name_that_two_files_share_is_not_guessed(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folders / "pred" / "only_here.nii.gz", folders / "pred" / "liver_1.nii.gz")
    assert main(["evaluate", "--pred", f"{folders}/pred", "--truth", f"{folders}/truth"]) == 1
    assert "both masks of liver_1" in capsys.readouterr().err


@pytest.mark.parametrize("change", ["shape", "place"])
def test_masks_on_different_voxels_are_refused(
    made: Path, tmp_path: Path, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = nib.load(made / "truth.nii.gz")
    labels, affine = np.asanyarray(truth.dataobj), truth.affine.copy()
    if change == "shape":
        labels = labels[:-1]
        affine[0, 3] += 2
    else:
        affine[2, 3] += 7
    nib.save(nib.Nifti1Image(labels, affine), tmp_path / "other.nii")
    words = ["--pred", f"{tmp_path / 'other.nii'}", "--truth", f"{made / 'truth.nii.gz'}"]
    assert main(["evaluate", *words]) == 1
    message = capsys.readouterr().err
    assert "other.nii does not lie on the voxels of" in message
    assert message.count("\n") == 1


def test_axis_order_and_format_of_a_file_do_not_matter(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = sitk.ReadImage(made / "moved.nii.gz")
    sitk.WriteImage(sitk.DICOMOrient(image, "SAL"), tmp_path / "turned.nrrd")
    truth = made / "truth.nii.gz"
    expected = evaluate(capsys, "--pred", made / "moved.nii.gz", "--truth", truth)
    values = evaluate(capsys, "--pred", tmp_path / "turned.nrrd", "--truth", truth)
    assert values["cases"] == expected["cases"]


def test_foreign_labels_are_told_apart_from_plain_ones(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = nib.load(made / "truth.nii.gz")
    nib.save(nib.Nifti1Image(np.asanyarray(truth.dataobj) * 7, truth.affine), tmp_path / "f.nii")
    words = ["--pred", tmp_path / "f.nii", "--truth", made / "truth.nii.gz"]
    assert main(["evaluate", *map(str, words)]) == 1
    assert "say which are liver and tumor" in capsys.readouterr().err
    values = evaluate(capsys, *words, "--labels", "7=liver,14=tumor")
    assert values["mean"]["tumor"]["dice"] == 1.0


def test_voxels_of_one_mm_by_default_are_doubted_until_their_size_is_stated(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("truth", "moved"):
        labels = np.asanyarray(nib.load(made / f"{name}.nii.gz").dataobj)
        nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / f"{name}.nii")
    words = ["--pred", str(tmp_path / "moved.nii"), "--truth", str(tmp_path / "truth.nii")]
    assert main(["evaluate", *words]) == 0
    shown = capsys.readouterr()
    assert "mm and ml not reliable" in shown.out
    assert "mm and ml are not reliable" in shown.err
    assert evaluate(capsys, *words)["cases"][0]["mm_reliable"] is False
    values = evaluate(capsys, *words, "--spacing", 5, 5, 7)
    assert values["mean"]["mm_reliable"] is True
    assert values["cases"][0]["liver"]["mssd_mm"] == pytest.approx(5.0)


def test_report_and_csv_are_written_and_show_the_scan(made: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text('{"stage": "one cycle", "epoch": 1, "train_loss": 0.5, "liver_dice": 0.9}\n')
    words = ["--pred", made / "moved.nii.gz", "--truth", made / "truth.nii.gz", "--log", log]
    words += ["--scan", made / "scan.nii.gz", "--report", tmp_path / "r.html"]
    assert main(["evaluate", *map(str, words), "--csv", str(tmp_path / "r.csv")]) == 0
    text = (tmp_path / "r.html").read_text()
    assert text.count("<figure>") == 2
    assert "<h2>Training</h2>" in text
    assert (tmp_path / "r.csv").read_text().splitlines()[1].startswith("truth,")


def test_scans_of_a_folder_are_matched_too(
    made: Path, folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folders / "scans").mkdir()
    words = ["--pred", folders / "pred", "--truth", folders / "truth", "--scan", folders / "scans"]
    shutil.copy(made / "scan.nii.gz", folders / "scans" / "liver_1_0000.nii.gz")
    assert main(["evaluate", *map(str, words)]) == 1
    assert "holds no scan of" in capsys.readouterr().err
    shutil.copy(made / "scan.nii.gz", folders / "scans" / "volume-7.nii.gz")
    assert len(evaluate(capsys, *words)["cases"]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--report", "r.pdf"], ".html"),
        (["--csv", "r.txt"], ".csv"),
        (["--csv", "nowhere/r.csv"], "no folder"),
        (["--log", "absent.jsonl"], "no log of a training"),
        (["--spacing", "0", "1", "1"], "numbers above 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    made: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--pred", f"{made / 'moved.nii.gz'}", "--truth", f"{made / 'truth.nii.gz'}"]
    assert main(["evaluate", *files, *words]) == 1
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.count("\n") == 1


def test_a_mask_that_is_missing_and_words_that_are_wrong_have_their_own_exit_codes(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--pred", "absent.nii", "--truth", f"{made / 'truth.nii.gz'}"]) == 1
    assert "absent.nii does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "--pred", "a.nii"])
    assert stopped.value.code == 2


def test_cancelling_ends_with_130(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import liverseg_gui.evaluation.evaluate

    def interrupted(*_: object, progress: Any, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        progress.update(0.5, "")
        raise AssertionError("went on")

    monkeypatch.setattr(liverseg_gui.evaluation.evaluate, "evaluate_case", interrupted)
    files = ["--pred", f"{made / 'moved.nii.gz'}", "--truth", f"{made / 'truth.nii.gz'}"]
    assert main(["evaluate", *files]) == 130
    assert "cancelled" in capsys.readouterr().err


def test_a_mask_without_a_grid_of_its_own_asks_for_its_scan(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seg.dcm").write_bytes(b"x")
    words = ["--pred", f"{made / 'moved.nii.gz'}", "--truth", f"{tmp_path / 'seg.dcm'}"]
    assert main(["evaluate", *words]) == 1
    assert "--scan" in capsys.readouterr().err


def test_evaluating_loads_neither_torch_nor_the_window(made: Path) -> None:
    code = (
        "import sys; from liverseg_gui.cli.main import main;"
        "code = main(sys.argv[1:]);"
        "print(code, sorted({'torch', 'fastai', 'PySide6', 'matplotlib'} & set(sys.modules)))"
    )
    files = ["--pred", made / "moved.nii.gz", "--truth", made / "truth.nii.gz"]
    words = [sys.executable, "-c", code, "evaluate", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
