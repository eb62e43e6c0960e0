from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liverseg_gui.core.errors import LiverSegError, SaveError, UnreadableFileError
from training.data.case import Case
from training.data.splits import Side, Split, load_split, make_split, save_split, split_patients


@dataclass(frozen=True)
class Named:
    """A source that is only listed."""

    name: str
    patient: str

    def read(self) -> Case:
        raise AssertionError("nothing is read to make a split")

    def fingerprint(self) -> str:
        return ""


def cases(*patients: str) -> list[Named]:
    """A case for each of `patients`, called after it and counted."""
    return [Named(f"{patient}{n}", patient) for n, patient in enumerate(patients)]


PATIENTS = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=30)


@given(PATIENTS, st.integers(2, 5), st.integers(0, 9), st.sampled_from([0.0, 0.2, 0.5]))
def test_no_patient_is_on_two_sides_and_every_case_is_held_out_in_one_fold(
    patients: list[str], folds: int, seed: int, test_fraction: float
) -> None:
    sources = cases(*patients)
    count = len(set(patients))
    if count - round(test_fraction * count) < folds:
        with pytest.raises(LiverSegError, match="too few"):
            make_split(sources, folds, 0, seed, test_fraction)
        return
    splits = [make_split(sources, folds, fold, seed, test_fraction) for fold in range(folds)]
    names = sorted(source.name for source in sources)
    for split in splits:
        assert sorted([*split.training, *split.validation, *split.test]) == names
        sides = {(source.patient, split.side(source.name)) for source in sources}
        assert len(sides) == len(set(patients))
        assert split.test == splits[0].test
        assert split.training
        assert split.validation
    held_out = [name for split in splits for name in split.validation]
    assert sorted([*held_out, *splits[0].test]) == names


@given(st.permutations(cases(*"aabbcdefg")), st.integers(0, 2))
def test_a_split_does_not_hang_on_the_order_of_the_cases(shuffled: list[Named], fold: int) -> None:
    assert make_split(shuffled, 3, fold, 1, 0.2) == make_split(cases(*"aabbcdefg"), 3, fold, 1, 0.2)


def test_the_folds_are_those_that_published_figures_rest_on() -> None:
    higher = (7, 8, 10, 11, 12, 14, 15, 18, 22, 23, 29, 30, 32, 33, 35, 36, 39, 41, 42, 43, 46, 47)
    names = [f"{case:03d}" for case in (*range(6), *higher)]
    held_out = ["007", "008", "012", "032", "036", "043"]  # docs/model.md
    assert split_patients(names, 5, 0, seed=5) == held_out
    split = make_split([Named(name, name) for name in names], 5, 0, seed=5)
    assert split.validation == tuple(held_out)
    assert split.test == ()


def test_a_test_part_has_its_share_of_the_patients() -> None:
    split = make_split(cases(*"abcdefghij"), 4, 0, 0, 0.2)
    assert (len(split.test), len(split.validation), len(split.training)) == (2, 2, 6)


@pytest.mark.parametrize(
    ("folds", "fold", "fraction", "message"),
    [
        (1, 0, 0.0, "at least 2 folds"),
        (3, 3, 0.0, "a fold from 0"),
        (3, -1, 0.0, "a fold from 0"),
        (3, 0, 1.0, "below 1"),
        (5, 0, 0.0, "4 patients, too few for 5 folds"),
        (4, 0, 0.5, "2 patients besides 2 for testing, too few for 4"),
    ],
)
def test_numbers_that_make_no_split_are_told(
    folds: int, fold: int, fraction: float, message: str
) -> None:
    with pytest.raises(LiverSegError, match=message):
        make_split(cases(*"abcda"), folds, fold, 0, fraction)


def test_a_saved_split_is_read_back(tmp_path: Path) -> None:
    sources = cases(*"abcdefa")
    split = make_split(sources, 3, 1, 2, 0.2)
    save_split(split, tmp_path / "split.json")
    assert load_split(tmp_path / "split.json", sources) == split
    assert [file.name for file in tmp_path.iterdir()] == ["split.json"]
    with pytest.raises(SaveError, match="Choose another folder"):
        save_split(split, tmp_path / "nowhere" / "split.json")


SOURCES = [Named("a1", "a"), Named("a2", "a"), Named("b", "b"), Named("c", "c")]


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ({"training": ["a1", "a2"], "validation": ["b"]}, "leaves out the cases c"),
        ({"training": ["a1", "a2", "d"], "validation": ["b", "c"]}, "not in the data: d"),
        ({"training": ["a1", "c"], "validation": ["b", "a2"]}, r"a1 \(training\) and a2 \(vali"),
        ({"training": ["a1", "a2", "b", "c"], "test": ["b"]}, "names b twice"),
        ({"validation": ["a1", "a2", "b", "c"]}, "nothing to train on"),
        ({"training": ["a1", "a2", "b", "c"], "holdout": []}, "no split"),
        ({"training": [["a1"]]}, "no split"),
        ({"training": 7}, "no split"),
        (["a1"], "no split"),
    ],
)
def test_a_split_by_hand_is_checked(tmp_path: Path, sides: object, message: str) -> None:
    (tmp_path / "split.json").write_text(json.dumps(sides))
    with pytest.raises(UnreadableFileError, match=message):
        load_split(tmp_path / "split.json", SOURCES)


def test_a_split_by_hand_is_taken(tmp_path: Path) -> None:
    sides = {"training": ["a2", "a1"], "validation": ["b"], "test": ["c"]}
    (tmp_path / "split.json").write_text(json.dumps(sides))
    split = load_split(tmp_path / "split.json", SOURCES)
    assert split == Split(("a1", "a2"), ("b",), ("c",))
    assert [split.side(source.name) for source in SOURCES] == [
        *(Side.TRAINING, Side.TRAINING, Side.VALIDATION, Side.TEST)
    ]
    with pytest.raises(KeyError):
        split.side("d")


def test_a_missing_split_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"nothing\.json is missing or no split"):
        load_split(tmp_path / "nothing.json", SOURCES)
