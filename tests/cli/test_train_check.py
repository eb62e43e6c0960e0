from __future__ import annotations

import json
from pathlib import Path

import pytest

from liverseg_gui.cli.main import main
from tests.training import layouts


def test_a_row_for_each_case_and_what_is_wrong_below(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.decathlon(tmp_path, (1, 2, 3))
    (tmp_path / "labelsTr" / "liver_2.nii.gz").unlink()
    assert main(["train", "--check", str(tmp_path)]) == 1
    head, one, two, three, *rest = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["case", "size", "spacing"]
    assert one.startswith("liver_1  72 x 64 x 20  5 x 5.5 x 10  0 1 2")
    assert two.split() == ["liver_2", *["-"] * 6, "unreadable"]
    assert three.startswith("liver_3")
    said = "\n".join(rest)
    assert "error unreadable: liver_2\n" in said
    assert "liver_2.nii.gz does not exist" in said
    assert rest[-1] == "3 cases of 3 patients, 2 with tumor; 1 error, no warnings."


def test_patients_are_shown_where_they_are_not_the_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layouts.listed(tmp_path)
    assert main(["train", "--check", str(tmp_path)]) == 0
    head, one, two, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["case", "patient"]
    assert one.startswith("case 1  someone")
    assert two.startswith("case 2  case 2")


def test_json_holds_cases_and_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.corrected(tmp_path, (1,))
    assert main(["train", "--check", str(tmp_path), "--json"]) == 1
    values = json.loads(capsys.readouterr().out)
    assert [case["name"] for case in values["cases"]] == ["ct1"]
    assert values["cases"][0]["tumor_ml"] > 10
    assert [issue["code"] for issue in values["findings"]] == ["single-patient"]


def test_a_folder_of_nothing_known_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--check", str(tmp_path)]) == 1
    assert "These layouts are read: cases.json" in capsys.readouterr().err


def test_training_needs_data_and_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train"])
    assert caught.value.code == 2
    assert "--data and a folder with --out" in capsys.readouterr().err
