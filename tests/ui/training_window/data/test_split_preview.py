"""The split preview of the chosen cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from liverseg_gui.segmentation.models.card import ModelCard
from liverseg_gui.ui.training_window.data.split_preview import SplitPreview, preview_split
from training.data.leakage_free_split import split_without_leakage
from training.data.selection import DataSelection
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


def split(
    sources: list[Named], folds: int, fold: int = 0, seed: int = 5, start: ModelCard | None = None
) -> SplitPreview:
    return preview_split(sources, DataSelection(folds=folds, fold=fold, seed=seed), start)


def model(*trained_on: str) -> ModelCard:
    about = {"trained_on": list(trained_on)}
    return ModelCard("first", Path(), "slim-resnet18", (32, 32), (-40.0, 160.0), "0" * 64, about)


def test_it_deals_as_the_training_does() -> None:
    sources = named(*"abcdefghij")
    dealt = split(sources, 5, 2, 7)
    assert dealt.held_out == set(make_split(sources, 5, 2, 7).validation)
    assert dealt.text == "Split by patient: 8 train, 2 held out."
    assert dealt.ready


def test_scans_of_one_patient_stay_together_and_are_counted() -> None:
    dealt = split(named(*"aaabc"), 3, 0, 1)
    sides = {name[0] for name in dealt.held_out}
    assert len(sides) == 1
    assert dealt.text.endswith("(2 more scans go with their patient).")


@pytest.mark.parametrize(
    ("sources", "folds", "words"),
    [
        ([], 5, "No case is included."),
        (named("a", "a"), 5, "All cases are one patient's"),
        (named("a", "b"), 5, "2 patients cannot be dealt into 5 parts. Take at most 2 parts."),
    ],
)
def test_what_cannot_be_dealt_is_said_and_not_ready(sources, folds: int, words: str) -> None:
    dealt = split(sources, folds)
    assert words in dealt.text
    assert not dealt.ready
    assert dealt.held_out is None


def test_one_part_trains_on_all_and_says_what_is_lost() -> None:
    dealt = split(named("a"), 1)
    assert dealt.ready
    assert dealt.text.startswith("Nobody is held out (1 patient): no figure will say")


@pytest.mark.parametrize("fold", range(5))
def test_whom_the_model_to_start_from_was_trained_on_is_not_held_out(fold: int) -> None:
    sources, start = named(*"abcdefghij"), model("a0", "b1", "c2", "d3")
    shown = split(sources, 5, fold, 7, start)
    training = split_without_leakage(sources, 5, fold, 7, start).split
    assert shown.held_out == set(training.validation)
    assert not shown.held_out & {"a0", "b1", "c2", "d3"}
    assert "Nobody is held out whom 'first' was trained on" in shown.text


def test_a_model_that_has_seen_everybody_leaves_nobody_to_hold_out() -> None:
    shown = split(named("a", "b"), 2, start=model("a0", "b1"))
    assert not shown.ready
    assert "nobody is left whom it can be judged on" in shown.text
