from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.cli.main import main
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.io.formats.nifti_write import write_scan


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "scan.nii.gz"
    spec = PhantomSpec(4, (64, 64, 16), (6.0, 6.0, 12.0), (40.0,))
    write_scan(make_phantom(spec).volume, path)
    return path


@pytest.fixture
def study(scan: Path, tmp_path: Path) -> Path:
    """A folder of two scans and a damaged one."""
    folder = tmp_path / "study"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz"):
        shutil.copy(scan, folder / name)
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder


def words(source: Path, output: Path, model: Path, *more: str) -> list[str]:
    named = ["--model", str(model), "--device", "cpu"]
    return ["segment", str(source), "-o", str(output), *named, *more]


def table(output: Path) -> dict[str, dict[str, str]]:
    with (output / "summary.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def test_a_folder_is_segmented_and_what_fails_is_told(
    study: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert main(words(study, output, untrained_model)) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1
    assert f"1 of 3 cases failed. {output / 'summary.csv'} says why" in shown.err
    assert [line.split(":")[0] for line in shown.out.splitlines()] == [
        "broken",
        "1 of 2  a",
        "2 of 2  b",
    ]
    found = table(output)
    assert {name: row["status"] for name, row in found.items()} == {
        "a": "done",
        "b": "done",
        "broken": "failed",
    }
    report = json.loads((output / "a.json").read_text())
    assert float(found["a"]["liver_ml"]) == pytest.approx(report["liver_ml"], abs=1e-3)
    assert int(found["a"]["lesions"]) == len(report["lesions"])
    assert nib.load(output / "a.nii.gz").shape == (64, 64, 16)
    (study / "broken.nii.gz").unlink()
    assert main(words(study, output, untrained_model)) == 0
    assert capsys.readouterr().out.count("already done") == 2
    assert table(output).keys() == {"a", "b"}
    assert main(words(study, output, untrained_model, "--again")) == 0
    assert "already done" not in capsys.readouterr().out


def test_the_masks_are_those_of_the_scans_alone(
    study: Path, untrained_model: Path, tmp_path: Path
) -> None:
    single = tmp_path / "single.nii.gz"
    main(words(study, tmp_path / "out", untrained_model))
    report = tmp_path / "single.json"
    alone = words(study / "a.nii.gz", single, untrained_model, "--report", str(report))
    assert main(alone) == 0
    one, many = nib.load(single), nib.load(tmp_path / "out" / "a.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(one.dataobj), np.asanyarray(many.dataobj))
    first, second = (json.loads(p.read_text()) for p in (report, tmp_path / "out" / "a.json"))
    assert first.keys() == second.keys()
    assert first["made_from"] == second["made_from"]


def test_one_volume_goes_into_a_folder_too(
    study: Path, untrained_model: Path, tmp_path: Path
) -> None:
    output = tmp_path / "deep" / "out.v2"
    assert main(words(study, output, untrained_model, "--volume", "2")) == 0
    assert table(output).keys() == {"b"}
    assert main(words(study / "a.nii.gz", output, untrained_model)) == 0
    assert table(output).keys() == {"a", "b"}


def test_several_scans_and_one_mask_are_still_refused(
    study: Path, untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(study, tmp_path / "m.nii.gz", untrained_model)) == 1
    assert "holds 2 volumes. Choose one with --volume N: 1: a.nii.gz" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("output", "more", "message"),
    [
        ("out", ["--report", "r.csv"], "each case has its report beside its mask"),
        ("out", ["--slices", "s"], "each case has its report beside its mask"),
        ("m.nii.gz", ["--again"], "go with a folder"),
        ("m.nii.gz", ["--scheduler", "tcp://here:1"], "go with a folder"),
    ],
)
def test_options_of_the_other_form_are_wrong_usage(
    study: Path,
    untrained_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    output: str,
    more: list[str],
    message: str,
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words(study, tmp_path / output, untrained_model, *more))
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / output).exists()


def test_masks_do_not_go_among_the_scans(
    study: Path, untrained_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(path.name for path in study.iterdir())
    assert main(words(study, study, untrained_model)) == 1
    assert "holds what is to be segmented" in capsys.readouterr().err
    (study / "more").mkdir()
    shutil.copy(study / "a.nii.gz", study / "more" / "c.nii.gz")
    assert main(words(study, study / "more", untrained_model)) == 1
    assert "Choose an empty folder" in capsys.readouterr().err
    shutil.rmtree(study / "more")
    assert sorted(path.name for path in study.iterdir()) == before
    (study / "broken.nii.gz").unlink()
    assert main(words(study, study / "masks", untrained_model)) == 0
    assert main(words(study, study / "masks", untrained_model)) == 0
    assert table(study / "masks").keys() == {"a", "b"}


def test_a_folder_without_ct_is_an_error(
    untrained_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    assert main(words(tmp_path / "in", tmp_path / "out", untrained_model)) == 1
    assert "holds no DICOM images" in capsys.readouterr().err
    nib.save(
        nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)), tmp_path / "in" / "m.nii.gz"
    )
    assert main(words(tmp_path / "in", tmp_path / "out", untrained_model)) == 1
    assert "holds no CT to segment (m.nii.gz: 8-bit" in capsys.readouterr().err


def test_a_table_that_cannot_be_written_now_does_not_stop_the_cases(
    study: Path,
    untrained_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real, tries = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        if target.name == "summary.csv":
            tries.append(self)
            if len(tries) <= 2:
                raise PermissionError(13, "Permission denied")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    assert main(words(study, tmp_path / "out", untrained_model)) == 1
    assert capsys.readouterr().err.count("Warning: ") == 2
    assert table(tmp_path / "out").keys() == {"a", "b", "broken"}


HELD = """
import sys
from liverseg_gui.cli.main import main
from liverseg_gui.segmentation.inference import NetworkSegmenter
segment, begun = NetworkSegmenter.segment, []

def held(self, volume, progress):
    begun.append(1)
    if len(begun) == 2:
        sys.stdin.read()
    return segment(self, volume, progress)

NetworkSegmenter.segment = held
sys.exit(main())
"""
"""The command, whose second scan is not done before its standard input is closed."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_stopped_midway_the_table_is_true_and_the_next_run_goes_on(
    scan: Path, untrained_model: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    (tmp_path / "in").mkdir()
    names = [f"case{n}" for n in range(6)]
    for name in names:
        shutil.copy(scan, tmp_path / "in" / f"{name}.nii.gz")
    output = tmp_path / "out"
    arguments = words(tmp_path / "in", output, untrained_model)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HELD, *arguments], text=True, **pipes) as running:
        assert running.stdout is not None
        assert "case0" in running.stdout.readline()
        running.send_signal(number)
        running.communicate()
    assert running.returncode == code
    finished = table(output)
    assert {row["status"] for row in finished.values()} == {"done"}
    assert 1 <= len(finished) < len(names)
    for name in finished:
        assert json.loads((output / f"{name}.json").read_text())["made_from"]
        assert np.asanyarray(nib.load(output / f"{name}.nii.gz").dataobj).shape == (64, 64, 16)
    command = [sys.executable, "-m", "liverseg_gui", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.count("already done") >= len(finished)
    assert table(output).keys() == set(names)
    assert not list(output.glob(".*"))
