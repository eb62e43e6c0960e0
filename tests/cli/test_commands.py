from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from liverseg_gui.cli import main as cli_main
from liverseg_gui.cli.main import main


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom")
    words = "--size 80 80 30 --spacing 5 5 7 --tumors 36 --seed 4"
    assert main(["phantom", "-o", str(folder), *words.split()]) == 0
    return folder


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a script calls it."""
    command = [sys.executable, "-m", "liverseg_gui", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_segment_writes_a_mask_on_the_scans_grid_and_a_report(
    made: Path, untrained_model: Path, tmp_path: Path
) -> None:
    mask, report = tmp_path / "m.nii.gz", tmp_path / "r.json"
    code = main(
        [
            "segment",
            str(made / "scan.nii.gz"),
            *("-o", str(mask), "--report", str(report)),
            *("--model", str(untrained_model), "--device", "cpu"),
        ]
    )
    assert code == 0
    scan, saved = nib.load(made / "scan.nii.gz"), nib.load(mask)
    assert saved.shape == scan.shape
    assert saved.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(saved.affine, scan.affine)
    values = json.loads(report.read_text())
    assert values["device"] == "cpu"
    assert values["peak_memory_mb"] > 50
    assert values["liver_ml"] == pytest.approx(
        np.count_nonzero(np.asanyarray(saved.dataobj)) * 5 * 5 * 7 / 1000
    )


def test_measure_agrees_with_the_truth_it_is_given(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "r.json"
    words = [str(made / "scan.nii.gz"), str(made / "truth.nii.gz"), "--report", str(report)]
    assert main(["measure", *words]) == 0
    truth = json.loads((made / "truth.json").read_text())
    found = json.loads(report.read_text())
    assert found["liver_ml"] == pytest.approx(truth["liver_ml"], rel=0.01)
    assert found["tumor_ml"] == pytest.approx(truth["tumor_ml"], rel=0.01)
    assert f"Liver {found['liver_ml']:.1f} ml" in capsys.readouterr().out


def test_info_lists_volumes_with_numbers(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(made / "scan.nii.gz"), "--json"]) == 0
    (volume,) = json.loads(capsys.readouterr().out)["volumes"]
    assert volume["number"] == 1
    assert volume["size"] == [80, 80, 30]
    assert volume["spacing_mm"] == pytest.approx([5, 5, 7])
    assert (volume["slices"], volume["modality"]) == (30, "CT")
    assert [f["code"] for f in volume["findings"]] == ["phase-unknown", "thick-slices"]
    assert set(volume["findings"][0]) >= {"code", "severity", "message", "remedy"}


@pytest.fixture
def gappy(tmp_path: Path) -> Path:
    """A series whose fourth slice is missing."""
    words = "--dicom --size 64 64 16 --spacing 6 6 5 --tumors 40"
    assert main(["phantom", "-o", str(tmp_path), *words.split()]) == 0
    sorted((tmp_path / "dicom").iterdir())[3].unlink()
    return tmp_path / "dicom"


def test_a_gap_is_told_by_info_and_marks_every_figure(
    gappy: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["info", str(gappy), "--json"]) == 0
    (volume,) = json.loads(capsys.readouterr().out)["volumes"]
    assert (volume["slices"], volume["spacing_mm"][2]) == (15, None)
    assert volume["findings"][0]["code"] == "missing-slices"
    mask, report = tmp_path / "m.nii.gz", tmp_path / "r.csv"
    words = ["segment", str(gappy), "-o", str(mask), "--report", str(report)]
    assert main([*words, "--model", str(untrained_model), "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    lines = [line for line in shown.out.splitlines() if " ml" in line and "Mask" not in line]
    assert lines
    assert all("not reliable" in line for line in lines)
    assert "missing" in shown.err
    assert "mm_reliable" in report.read_text().splitlines()[0]
    assert nib.load(mask).shape == (64, 64, 16)
    assert main(["measure", str(gappy), str(mask), "--report", str(tmp_path / "r.json")]) == 0
    values = json.loads((tmp_path / "r.json").read_text())
    assert values["mm_reliable"] is False
    assert any("missing" in warning for warning in values["warnings"])


def test_the_mask_of_a_resampled_scan_comes_back_slice_by_slice(
    gappy: Path,
    made: Path,
    untrained_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["-o", str(tmp_path / "m.nii"), "--slices", str(tmp_path / "slices")]
    words += ["--model", str(untrained_model), "--device", "cpu"]
    assert main(["segment", str(gappy), *words]) == 0
    names = sorted(path.name for path in (tmp_path / "slices").glob("*.nii.gz"))
    assert names == sorted(f"{path.stem}.nii.gz" for path in gappy.iterdir())
    capsys.readouterr()
    assert main(["segment", str(made / "scan.nii.gz"), *words]) == 1
    assert "was not resampled" in capsys.readouterr().err


def test_info_says_when_headers_are_whole_and_voxels_are_not(
    gappy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sorted(gappy.iterdir())[5]
    file.write_bytes(file.read_bytes()[:-3000])
    capsys.readouterr()
    assert main(["info", str(gappy)]) == 0
    assert f"error: {file} is cut short" in capsys.readouterr().out


def test_info_can_leave_the_patient_out(gappy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["info", str(gappy), "--json"]) == 0
    assert '"patient": "Phantom"' in capsys.readouterr().out
    assert main(["info", str(gappy), "--json", "--hide-patient"]) == 0
    (volume,) = json.loads(capsys.readouterr().out)["volumes"]
    assert (volume["patient"], volume["patient_id"]) == ("hidden", "hidden")


@pytest.mark.parametrize("name", ["Li^Bo", "王^丽", "Wang^Li=王^丽", "Roe^Jane"])
def test_a_hidden_patient_is_named_by_no_description(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--size 64 64 12 --spacing 6 6 9 --tumors 30 --dicom"
    assert main(["phantom", "-o", str(tmp_path), *words.split()]) == 0
    said = " ".join(reversed(name.split("=")[-1].split("^")))
    for file in (tmp_path / "dicom").iterdir():
        image = pydicom.dcmread(file)
        image.SpecificCharacterSet, image.PatientName = "ISO_IR 192", name
        image.SeriesDescription, image.StudyDescription = f"CT {said}", f"Liver of {said}"
        image.save_as(file)
    capsys.readouterr()
    assert main(["info", str(tmp_path / "dicom")]) == 0
    assert said in capsys.readouterr().out
    for words in ([], ["--json"]):
        assert main(["info", str(tmp_path / "dicom"), "--hide-patient", *words]) == 0
        out = capsys.readouterr().out
        shown = str(json.loads(out)) if words else out
        assert "Liver of [patient]" in shown
        assert said not in shown


def test_a_spacing_that_the_file_lacks_can_be_stated(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = np.asanyarray(nib.load(made / "truth.nii.gz").dataobj)
    scan = np.asanyarray(nib.load(made / "scan.nii.gz").dataobj)
    for name, data in (("scan", scan), ("truth", truth)):
        nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / f"{name}.nii")
    stated = np.diag([5.0, 5.0, 7.0, 1.0])
    nib.save(nib.Nifti1Image(truth, stated), tmp_path / "stated.nii")
    words = ["measure", str(tmp_path / "scan.nii")]
    assert main([*words, str(tmp_path / "truth.nii")]) == 0
    assert "not reliable" in capsys.readouterr().out
    assert main([*words, str(tmp_path / "stated.nii"), "--spacing", "5", "5", "7"]) == 0
    shown = capsys.readouterr()
    assert "not reliable" not in shown.out
    assert "The reader, not the file, gave the spacing 5 x 5 x 7 mm" in shown.err
    liver = json.loads((made / "truth.json").read_text())["liver_ml"]
    assert float(shown.out.split()[1]) == pytest.approx(liver, rel=0.01)
    assert main([*words, str(tmp_path / "truth.nii"), "--orientation", "XYZ"]) == 1
    assert "no orientation" in capsys.readouterr().err


def test_no_scan_at_the_input_is_overwritten_by_the_mask(
    made: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        shutil.copy(made / "scan.nii.gz", tmp_path / name)
    before = (tmp_path / "b.nii.gz").read_bytes()
    words = ["segment", str(tmp_path), "--volume", "1", "-o", str(tmp_path / "b.nii.gz")]
    assert main([*words, "--model", str(untrained_model)]) == 1
    assert "is a scan, or no mask of labels" in capsys.readouterr().err
    assert (tmp_path / "b.nii.gz").read_bytes() == before


def test_names_that_the_console_cannot_show_are_no_error(made: Path, tmp_path: Path) -> None:
    shutil.copy(made / "scan.nii.gz", tmp_path / "Gr\u00f6\u00dfe \u809d.nii.gz")
    command = [sys.executable, "-m", "liverseg_gui", "info", str(tmp_path)]
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 0
    assert b"80 x 80 x 30" in done.stdout


def test_labels_of_another_program_are_mapped_and_remembered(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = nib.load(made / "truth.nii.gz")
    foreign = np.asanyarray(truth.dataobj) * 5
    nib.save(nib.Nifti1Image(foreign, truth.affine), tmp_path / "foreign.nii.gz")
    words = ["measure", str(made / "scan.nii.gz"), str(tmp_path / "foreign.nii.gz")]
    assert main(words) == 1
    assert "holds the labels 5, 10" in capsys.readouterr().err
    assert main([*words, "--labels", "5=liver,10=tumor"]) == 0
    first = capsys.readouterr().out
    assert main(words) == 0
    assert capsys.readouterr().out == first
    assert main([*words, "--labels", "7=liver"]) == 1
    assert "none of the labels" in capsys.readouterr().err
    assert main([*words, "--labels", "liver"]) == 1
    assert "5=liver,6=tumor" in capsys.readouterr().err


def test_a_scan_that_is_no_ct_is_not_segmented(
    gappy: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in gappy.iterdir():
        image = pydicom.dcmread(file)
        image.Modality = "MR"
        image.save_as(file)
    words = ["segment", str(gappy), "-o", str(tmp_path / "m.nii"), "--model", str(untrained_model)]
    assert main(words) == 1
    assert "is MR, and the model knows only CT" in capsys.readouterr().err


def test_a_dicom_phantom_is_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--dicom", "--size", "64", "64", "16", "--spacing", "6", "6", "12", "--tumors", "40"]
    assert main(["phantom", "-o", str(tmp_path), *words]) == 0
    assert main(["measure", str(tmp_path / "dicom"), str(tmp_path / "truth.nii.gz")]) == 0
    assert "lesion 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["segment", "nowhere.nii.gz", "-o", "m.nii.gz"], "nowhere.nii.gz does not exist"),
        (["measure", "{scan}", "nowhere.nii.gz"], "nowhere.nii.gz does not exist"),
        (["measure", "{scan}", "{other}"], "Open the scan this mask was made on"),
        (["segment", "{scan}", "-o", "m.png"], "m.png: a mask is saved as"),
        (["segment", "{scan}", "-o", "m.nii", "--report", "r.docx"], "written as .json or .csv"),
        (["segment", "{scan}", "-o", "m.nii.gz", "--model", "nothing"], "no model 'nothing'"),
        (["segment", "{scan}", "-o", "{scan}"], "the scan itself"),
        (["segment", "{scan}", "-o", "gone/m.nii"], "there is no folder gone"),
        (["phantom", "-o", "p", "--tumors", "-12"], "diameter above 0 mm"),
        (["phantom", "-o", "p", "--size", "1", "1", "1"], "at least two voxels along each axis"),
        (["info", "{empty}"], "holds no DICOM images"),
        (["measure", "{text}", "{scan}"], "is no NIfTI image"),
    ],
)
def test_a_failure_is_one_line_on_stderr_and_exit_code_1(
    made: Path,
    tmp_path: Path,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other, text, empty = tmp_path / "other.nii.gz", tmp_path / "text.nii", tmp_path / "empty"
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)), other)
    text.write_text("no image")
    empty.mkdir()
    places = {"scan": made / "scan.nii.gz", "other": other, "text": text, "empty": empty}
    assert main([word.format(**places) for word in words]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert error.startswith("liverseg: ")


class Without:
    """A finder of modules by which `name` cannot be loaded, as it lacks a library."""

    def __init__(self, name: str, why: str) -> None:
        self.name, self.why = name, why

    def find_spec(self, name: str, *_: object) -> None:
        if name == self.name:
            raise ImportError(self.why)


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("libEGL.so.1: cannot open shared object file: No such file or directory", True),
        ("cannot import name 'Bug'", False),
    ],
)
def test_a_library_that_the_window_lacks_is_named(
    why: str, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "liverseg_gui.ui.app.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Without("liverseg_gui.ui.app.app", why), *sys.meta_path])
    if not told:
        with pytest.raises(ImportError, match="Bug"):
            main([])
        return
    assert main([]) == 1
    error = capsys.readouterr().err
    assert "The window needs a library of the system: libEGL.so.1" in error
    assert error.count("\n") == 1


def test_too_little_memory_is_one_line(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("liverseg_gui.cli.info.list_volumes", full)
    assert main(["info", str(made)]) == 1
    assert capsys.readouterr().err == (
        "liverseg: There is not enough memory. Close other programs.\n"
    )


def test_wrong_usage_exits_with_2() -> None:
    assert run("segment", "scan.nii.gz").returncode == 2
    assert run("measure").returncode == 2


def test_what_opens_the_window_is_no_command() -> None:
    (commands,) = (a for a in cli_main.command_parser()._actions if a.dest == "command")
    assert set(commands.choices) == set(cli_main._COMMANDS)


def test_no_command_loads_torch_or_qt_before_it_needs_them() -> None:
    code = (
        "import sys; from liverseg_gui.cli.main import main; main(['models']);"
        "print([m for m in ('torch', 'fastai', 'PySide6') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
