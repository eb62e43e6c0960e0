"""Dealing the cases, in words."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from liverseg_gui.ui.training_window.widgets.data_selection import deal
from training.data.splits import make_split


@dataclass(frozen=True)
class Named:
    name: str
    patient: str

    def read(self):
        raise AssertionError("dealing reads no scan")

    def fingerprint(self) -> str:
        return self.name


def named(*patients: str) -> list[Named]:
    return [Named(f"{patient}{n}", patient) for n, patient in enumerate(patients)]


def test_it_deals_as_the_training_does() -> None:
    sources = named(*"abcdefghij")
    dealt = deal(sources, 5, 2, 7)
    assert dealt.held_out == set(make_split(sources, 5, 2, 7).validation)
    assert dealt.words == "Split by patient: 8 train, 2 held out."
    assert dealt.ready


def test_scans_of_one_patient_stay_together_and_are_counted() -> None:
    dealt = deal(named(*"aaabc"), 3, 0, 1)
    sides = {name[0] for name in dealt.held_out}
    assert len(sides) == 1
    assert dealt.words.endswith("(2 more scans go with their patient).")


@pytest.mark.parametrize(
    ("sources", "folds", "words"),
    [
        ([], 5, "No case is included."),
        (named("a", "a"), 5, "All cases are one patient's"),
        (named("a", "b"), 5, "2 patients cannot be dealt into 5 parts. Take at most 2 parts."),
    ],
)
def test_what_cannot_be_dealt_is_said_and_not_ready(sources, folds: int, words: str) -> None:
    dealt = deal(sources, folds, 0, 5)
    assert words in dealt.words
    assert not dealt.ready
    assert dealt.held_out is None


def test_one_part_trains_on_all_and_says_what_is_lost() -> None:
    dealt = deal(named("a"), 1, 0, 5)
    assert dealt.ready
    assert dealt.words.startswith("Nobody is held out (1 patient): no figure will say")
