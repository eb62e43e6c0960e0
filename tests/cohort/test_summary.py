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


def test_two_runs_that_write_one_table_lose_no_row(tmp_path: Path) -> None:
    first, second = CohortSummary(tmp_path, Path("/one")), CohortSummary(tmp_path, Path("/two"))
    first.add([result("a", 1)])
    second.add([result("b", 1), result("broken", 2, status=Status.FAILED, liver_ml=None)])
    first.add([result("c", 2)])
    second.add(())
    first.add(())
    assert {row["name"] for row in rows(tmp_path)} == {"a", "b", "broken", "c"}


def test_what_failed_elsewhere_stays_and_what_is_looked_through_anew_goes(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "x.nii").write_bytes(b"")
    failures = [
        CaseResult(place, tmp_path / place / "x.nii", 1, Status.FAILED, "damaged")
        for place in ("one", "two")
    ]
    (tmp_path / "out").mkdir()
    CohortSummary(tmp_path / "out").add(failures)
    CohortSummary(tmp_path / "out", tmp_path / "one").add([result("a", 1)])
    assert {row["name"] for row in rows(tmp_path / "out")} == {"a", "two"}


def test_the_row_of_a_scan_without_liver_stays_with_its_mask(tmp_path: Path) -> None:
    (tmp_path / "empty.nii.gz").write_bytes(b"a mask")
    CohortSummary(tmp_path).add([result("empty", status=Status.NO_LIVER, liver_ml=None)])
    CohortSummary(tmp_path).add([result("a", 2)])
    row = next(row for row in rows(tmp_path) if row["name"] == "empty")
    assert (row["status"], row["liver_ml"], row["tumor_burden_percent"]) == ("no liver", "", "")
