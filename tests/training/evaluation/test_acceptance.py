"""Acceptance of a fine-tuned model in place of the old one."""

from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.errors import UnreadableFileError
from tests.training.verdicts import BETTER, OLD_SHA, WORSE, decision, pair
from training.evaluation.acceptance import read_decision, write_decision
from training.evaluation.comparison_text import comparison_table
from training.runs.files import DECISION


def test_a_model_that_is_no_worse_is_accepted() -> None:
    assert BETTER.accepted
    assert decision(pair("a", (0.9, 0.5), (0.9, 0.5))).accepted


@pytest.mark.parametrize(
    ("new", "label"), [((0.8999, 0.9), "Liver falls"), ((0.99, 0.4999), "Tumor falls")]
)
def test_the_least_fall_of_either_mean_is_refused(new: tuple[float, float], label: str) -> None:
    verdict = decision(pair("a", (0.9, 0.5), new))
    assert not verdict.accepted
    assert any(reason.startswith(label) for reason in verdict.reasons)


def test_a_tolerance_that_is_named_allows_a_fall_within_it() -> None:
    fallen = pair("a", (0.9, 0.5), (0.89, 0.5))
    assert decision(fallen, tolerance=0.02).accepted
    assert not decision(fallen, tolerance=0.005).accepted


def test_one_patient_may_fall_where_the_mean_rises() -> None:
    verdict = decision(pair("a", (0.9, 0.5), (0.8, 0.5)), pair("b", (0.7, 0.5), (0.9, 0.5)))
    assert verdict.accepted


def test_tumors_count_in_patients_who_have_one() -> None:
    verdict = decision(pair("a", (0.9, 0.5), (0.9, 0.6)), pair("b", (0.9, None), (0.9, None)))
    assert verdict.comparison.tumor is not None
    assert verdict.comparison.tumor.patients == 1
    assert verdict.comparison.tumor.candidate == pytest.approx(0.6)


def test_without_a_tumor_to_judge_by_the_reasons_say_so() -> None:
    verdict = decision(pair("a", (0.9, None), (0.91, None)))
    assert verdict.accepted
    assert any("No held-out patient has a tumor" in reason for reason in verdict.reasons)


def test_patients_a_model_was_trained_on_decide_nothing() -> None:
    known = pair("a", (0.1, 0.1), (0.9, 0.9), "old")
    assert not decision(known).accepted
    assert not decision(known, pair("b", (0.9, 0.5), (0.8, 0.5))).accepted


def test_few_patients_are_said_to_be_few() -> None:
    assert any("cannot tell a small difference from chance" in r for r in BETTER.reasons)
    many = decision(*(pair(str(n), (0.9, 0.5), (0.9, 0.5)) for n in range(5)))
    assert not any("chance" in reason for reason in many.reasons)


def test_a_decision_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    for verdict in (BETTER, WORSE):
        write_decision(verdict, tmp_path)
        assert read_decision(tmp_path) == verdict
    (tmp_path / DECISION).write_text("{}")
    with pytest.raises(UnreadableFileError, match=r"decision\.json is missing or damaged"):
        read_decision(tmp_path)


def test_the_card_gets_both_models_figures_and_the_old_checksum() -> None:
    entry = WORSE.on_card()
    assert (entry["name"], entry["sha256"], entry["accepted"]) == ("old", OLD_SHA, False)
    assert entry["liver_dice"]["other"] == pytest.approx(0.90)
    assert entry["liver_dice"]["ours"] == pytest.approx(0.95)
    assert entry["patients"][0]["ours"]["tumor"] == pytest.approx(0.49)


def test_the_table_shows_each_patient_before_and_after() -> None:
    verdict = decision(
        pair("a", (0.9, 0.5), (0.95, 0.4)),
        pair("b", (0.8, None), (0.7, None)),
        pair("c", (0.1, 0.1), (0.9, 0.9), "old"),
    )
    lines = comparison_table(verdict.comparison)
    row = {line.split()[0]: line for line in lines if line and line[0] in "abc"}
    assert "0.900 -> 0.950" in row["a"]
    assert "0.500 -> 0.400" in row["a"]
    assert "no tumor" in row["b"]
    assert row["c"].startswith("c *")
    assert any("* c: old was trained on a patient of this name" in line for line in lines)
    liver = next(line for line in lines if line.startswith("Liver"))
    assert "0.8500 -> 0.8250, -0.0250" in liver
    assert "2 patients" in liver


def test_a_fall_that_decides_can_be_seen_in_the_reason() -> None:
    verdict = decision(pair("a", (0.9, None), (0.8998, None)))
    assert "Liver falls: mean Dice 0.9000 -> 0.8998, -0.0002" in verdict.reasons[0]
