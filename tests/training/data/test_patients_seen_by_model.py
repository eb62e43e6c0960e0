"""Patients that a model was trained on, by the names on its card."""

from __future__ import annotations

import pytest

from tests.training.data.test_splits import Named
from training.data.leakage_free_split import patients_seen_by_model


@pytest.mark.parametrize("name", ["007", "7", "volume-7", "Volume-007", "liver_7", "liver_007"])
def test_the_layouts_of_lits_spell_one_patient_in_several_ways(name: str) -> None:
    for other in ("007", "volume-7", "liver_7"):
        assert patients_seen_by_model([Named(name, name)], [other]) == {name}


@pytest.mark.parametrize("name", ["070", "corrected-7", "siteA-liver_7", "liver_7b", "volume-17"])
def test_other_names_are_other_patients(name: str) -> None:
    assert not patients_seen_by_model([Named(name, name)], ["007", "volume-7", "liver_7"])


def test_zero_is_a_number_too() -> None:
    assert patients_seen_by_model([Named("volume-0", "volume-0")], ["000"]) == {"volume-0"}
    assert not patients_seen_by_model([Named("volume-10", "volume-10")], ["000", "001"])


def test_a_patient_is_known_by_any_of_the_scans_or_by_name() -> None:
    sources = [Named("early", "p"), Named("late", "p"), Named("a", "q"), Named("b", "r")]
    assert patients_seen_by_model(sources, ["late", "q"]) == {"p", "q"}
