"""Splits of a training that starts from a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.segmentation.models.card import ModelCard
from tests.training.data.test_splits import Named
from training.data.leakage_free_split import read_split, split_without_leakage
from training.data.splits import Split, make_split, save_split

SOURCES = [Named(f"{n:03d}", f"{n:03d}") for n in range(10)]


def model(*training_cases: str) -> ModelCard:
    about = {"trained_on": list(training_cases)}
    return ModelCard("old", Path(), "slim-resnet18", (32, 64), (-40.0, 160.0), "", about)


def test_without_a_model_it_is_the_fold_that_folds_and_seed_give() -> None:
    dealt = split_without_leakage(SOURCES, 5, 2, 7, None)
    assert (dealt.split, dealt.note) == (make_split(SOURCES, 5, 2, 7), "")
    assert split_without_leakage(SOURCES, 5, 2, 7, model("elsewhere", "phantom-0")) == dealt


def test_whom_the_model_saw_is_trained_on_in_every_fold() -> None:
    start = model("volume-0", "liver_1", "002", "003", "4")
    held_out = [split_without_leakage(SOURCES, 5, fold, 7, start).split for fold in range(5)]
    assert all({"000", "001", "002", "003", "004"} <= set(split.training) for split in held_out)
    assert set().union(*(s.validation for s in held_out)) == {"005", "006", "007", "008", "009"}


def test_the_note_says_who_was_moved_and_who_is_held_out() -> None:
    usual = make_split(SOURCES, 5, 2, 7).validation
    dealt = split_without_leakage(SOURCES, 5, 2, 7, model(*usual))
    assert not set(usual) & set(dealt.split.validation)
    assert f"was trained on {', '.join(usual)}, as far as names tell" in dealt.note
    assert f"Moved from the held-out patients to training: {', '.join(usual)}." in dealt.note
    assert dealt.note.endswith(f"{', '.join(dealt.split.validation)}.")


def test_a_patient_of_whom_the_model_saw_one_scan_is_not_held_out_by_another() -> None:
    sources = [*SOURCES, Named("late", "000")]
    for fold in range(5):
        assert {"000", "late"} <= set(
            split_without_leakage(sources, 5, fold, 7, model("late")).split.training
        )


def test_where_the_model_saw_everybody_it_says_what_can_be_done() -> None:
    everybody = model(*(source.name for source in SOURCES))
    with pytest.raises(LiverSegError, match=r"nobody is left.*--folds 1, or start from another"):
        split_without_leakage(SOURCES, 5, 0, 7, everybody)
    assert split_without_leakage(SOURCES, 1, 0, 7, everybody).split.validation == ()


@pytest.mark.parametrize("side", ["validation", "test"])
def test_a_file_that_holds_out_whom_the_model_saw_is_refused(tmp_path: Path, side: str) -> None:
    path = tmp_path / "split.json"
    rest = tuple(source.name for source in SOURCES[3:])
    save_split(Split(rest, **{"validation": (), side: ("000", "001", "002")}), path)
    with pytest.raises(LiverSegError, match=r"holds out 001, 002, and the model 'old'"):
        read_split(path, SOURCES, model("001", "volume-2", "005"))
    assert read_split(path, SOURCES, model("005")).split.training == rest
