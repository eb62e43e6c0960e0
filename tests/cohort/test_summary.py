from __future__ import annotations

import csv
from pathlib import Path

import pytest

from liverseg_gui.cohort.result import CaseResult, Status
from liverseg_gui.cohort.summary import COLUMNS, CohortSummary
from liverseg_gui.core.errors import SaveError


def result(name: str, number: int | None = 1, **values: object) -> CaseResult:
    given = {"status": Status.DONE, "liver_ml": 1500.25, **values}
    return CaseResult(name, Path(f"/in/{name}.nii"), number, **given)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "summary.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_a_row_for_each_result_in_the_order_of_the_volumes(tmp_path: Path) -> None:
    summary = CohortSummary(tmp_path)
    summary.add([result("", None, status=Status.SKIPPED, reason="a mask", liver_ml=None)])
    summary.add([result("b", 10)])
    summary.add([result("a", 2, warnings=("one\ndoubt.", "another."), mm_reliable=False)])
    found = rows(tmp_path)
    assert tuple(found[0]) == COLUMNS
    assert [row["name"] for row in found] == ["a", "b", ""]
    assert found[0]["warnings"] == "one doubt. another."
    assert found[0]["mm_reliable"] == "False"
    assert (found[1]["liver_ml"], found[1]["tumor_ml"]) == ("1500.25", "")
    assert (found[2]["status"], found[2]["reason"]) == ("skipped", "a mask")
    assert [path.name for path in tmp_path.iterdir()] == ["summary.csv"]


def test_rows_of_earlier_runs_stay_while_their_masks_do(tmp_path: Path) -> None:
    for name in ("kept", "redone"):
        (tmp_path / f"{name}.nii.gz").write_bytes(b"a mask")
    names = ("kept", "gone", "redone")
    CohortSummary(tmp_path).add([result(name, n) for n, name in enumerate(names, 1)])
    summary = CohortSummary(tmp_path)
    summary.add([result("redone", 3, liver_ml=7.0)])
    assert [(row["name"], row["liver_ml"]) for row in rows(tmp_path)] == [
        ("kept", "1500.25"),
        ("redone", "7.0"),
    ]


@pytest.mark.parametrize("content", [b"name,age\nA,3\n", b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_such_table_is_not_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "summary.csv").write_bytes(content)
    with pytest.raises(SaveError, match=r"summary\.csv"):
        CohortSummary(tmp_path)
    assert (tmp_path / "summary.csv").read_bytes() == content


def test_names_of_files_that_are_no_unicode_are_written(tmp_path: Path) -> None:
    CohortSummary(tmp_path).add([CaseResult("a", Path("/in/\udcff.nii"), 1, Status.FAILED, "=odd")])
    assert rows(tmp_path)[0]["path"] == "/in/\\udcff.nii"
