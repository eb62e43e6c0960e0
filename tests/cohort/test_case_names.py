from __future__ import annotations

from pathlib import Path

import pytest

from liverseg_gui.cohort.case_names import Place, case_names

ROOT = Path("/data/in")


def names(*places: Place | str) -> list[str]:
    given = [p if isinstance(p, Place) else Place(ROOT / p) for p in places]
    return case_names(ROOT, given)


def test_a_name_is_made_of_the_path_below_the_input() -> None:
    assert names("a.nii.gz", "p1/ct/scan.nrrd", "disc.zip") == ["a", "p1__ct__scan", "disc"]


def test_the_input_itself_is_named_after_itself() -> None:
    assert case_names(ROOT, [Place(ROOT)]) == ["in"]
    assert case_names(ROOT / "a.nii", [Place(ROOT / "a.nii")]) == ["a"]


def test_the_second_volume_of_a_place_says_so_and_the_first_keeps_its_name() -> None:
    alone = names("ct/series")
    both = names("ct/series", Place(ROOT / "ct/series", 2))
    assert both == ["ct__series", "ct__series_2"]
    assert both[:1] == alone


def test_no_two_names_are_alike_on_any_system() -> None:
    found = names("A/b.nii", "a__b.nii", "a/b.nii.gz", "x y.nii", "x_y.nii", "c.nii")
    assert len({name.casefold() for name in found}) == 6
    assert found[-1] == "c"
    assert found == names("A/b.nii", "a__b.nii", "a/b.nii.gz", "x y.nii", "x_y.nii", "c.nii")


@pytest.mark.parametrize("part", ["..", "con", "a:b*c?", ".hidden", "-rf", "a/\udcff\udcfe", "?"])
def test_a_name_can_be_that_of_a_file_everywhere(part: str) -> None:
    (name,) = names(f"{part}.nii.gz")
    assert name
    assert not set(name) & set('/\\:*?"<>| \0')
    assert name[0] not in ".-"
    assert name.lower() != "con"
    name.encode()


def test_a_long_path_gives_a_name_that_is_not_too_long_and_its_own() -> None:
    deep = "/".join("1.2.840.113619.2.55.3.604688119" for _ in range(9))
    first, second = names(f"{deep}/x/7.nii", f"{deep}/y/7.nii")
    assert first != second
    assert max(len(first.encode()), len(second.encode())) <= 120
    wide = names("\u809d" * 90 + ".nii")[0]
    assert len(wide.encode()) <= 120


@pytest.mark.parametrize(
    ("folder", "patient"),
    [
        ("DOE_JOHN", ("DOE^JOHN", "")),
        ("ct of john", ("Doe^John", "")),
        ("study PAT-0042 b", ("", "PAT0042")),
        ("pat0042", ("", "PAT-0042")),
        ("li wu", ("Li^Wu", "")),
        ("M\u00fcller", ("MU\u0308LLER^A", "")),
    ],
)
def test_a_part_that_holds_the_patients_name_or_id_is_hashed(
    folder: str, patient: tuple[str, str]
) -> None:
    (name,) = names(Place(ROOT / folder / "series 2", 1, patient))
    hidden, _, rest = name.partition("__")
    assert rest == "series_2"
    assert len(hidden) == 9
    assert set(hidden[1:]) <= set("0123456789abcdef")


def test_short_words_of_a_name_are_not_found_inside_others() -> None:
    assert names(Place(ROOT / "liver/series", 1, ("Li^A", ""))) == ["liver__series"]
