"""Several folders and the corrected studies as one data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.state.corrected_studies import remember_corrected
from tests.training import layouts
from tests.training.layouts import small, true_labels
from training.data.dataset_layouts import find_all, find_sources


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


def listed(sources: list) -> list[tuple[str, str]]:
    return [(source.name, source.patient) for source in sources]


def test_a_name_that_two_folders_have_gets_the_folders_name_and_is_two_patients(
    tmp_path: Path,
) -> None:
    layouts.decathlon(tmp_path / "siteA", (1, 2))
    layouts.decathlon(tmp_path / "siteB", (2, 3))
    sources = find_all([tmp_path / "siteA", tmp_path / "siteB"], False, ())
    assert listed(sources) == [
        ("liver_1", "liver_1"),
        ("siteA-liver_2", "siteA-liver_2"),
        ("siteB-liver_2", "siteB-liver_2"),
        ("liver_3", "liver_3"),
    ]
    case = sources[2].read()
    assert (case.name, case.patient) == ("siteB-liver_2", "siteB-liver_2")
    np.testing.assert_array_equal(case.labels, true_labels(small(2)))
    assert sources[2].fingerprint() == find_sources(tmp_path / "siteB")[0].fingerprint()


def test_folders_of_one_name_are_told_apart_by_the_folder_above(tmp_path: Path) -> None:
    for site in ("x", "y"):
        layouts.decathlon(tmp_path / site / "data", (1,))
    sources = find_all([tmp_path / site / "data" for site in ("x", "y")], False, ())
    assert [source.name for source in sources] == ["x-data-liver_1", "y-data-liver_1"]


def test_a_folder_that_is_named_twice_counts_once(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path / "set", (1, 2))
    (tmp_path / "link").symlink_to(tmp_path / "set")
    assert len(find_all([tmp_path / "set", tmp_path / "link"], False, ())) == 2


def test_a_case_is_left_out_by_its_name_and_an_unknown_name_is_told(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path, (1, 2))
    assert listed(find_all([tmp_path], False, ["liver_1"])) == [("liver_2", "liver_2")]
    with pytest.raises(LiverSegError, match=r"liver_7 should be left out, but no case"):
        find_all([tmp_path], False, ["liver_7"])
    assert len(find_all([tmp_path], False, ["corrected-4"])) == 2  # its files have gone since


def test_corrected_studies_come_after_the_folders_only_where_they_are_asked_for(
    tmp_path: Path,
) -> None:
    layouts.decathlon(tmp_path / "set", (1,))
    layouts.pair(small(3), tmp_path / "desk" / "a.nii.gz", tmp_path / "desk" / "a_mask.nii.gz")
    remember_corrected(
        tmp_path / "desk" / "a.nii.gz", tmp_path / "desk" / "a_mask.nii.gz", None, "", "2026-01-31"
    )
    assert [s.name for s in find_all([tmp_path / "set"], False, ())] == ["liver_1"]
    sources = find_all([tmp_path / "set"], True, ())
    assert [s.name for s in sources] == ["liver_1", "corrected-1"]
    np.testing.assert_array_equal(sources[1].read().labels, true_labels(small(3)))


def test_a_case_of_a_folder_that_was_corrected_has_the_corrected_mask_and_counts_once(
    tmp_path: Path,
) -> None:
    layouts.decathlon(tmp_path, (1, 2))
    scan, mask = tmp_path / "imagesTr" / "liver_2.nii.gz", tmp_path / "better.nii.gz"
    corrected = layouts.small(2).truth.labels.copy()
    corrected[corrected == 2] = 1
    save_mask(type(small(2).truth)(corrected, small(2).truth.grid), small(2).volume.origin, mask)
    remember_corrected(scan, mask, None, "", "2026-01-31")
    sources = find_all([tmp_path], True, ())
    assert [s.name for s in sources] == ["liver_1", "liver_2"]
    assert sources[1].read().labels.max() == 1
    assert find_all([tmp_path], False, ())[1].read().labels.max() == 2


def test_nothing_named_and_nothing_corrected_is_told() -> None:
    with pytest.raises(LiverSegError, match="There are no labelled cases"):
        find_all([], True, ())


def test_a_name_that_prefixing_makes_twice_is_told(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path / "a", (1,))
    layouts.decathlon(tmp_path / "b", (1,))
    layouts.pair(
        small(2), tmp_path / "c" / "a-liver_1.nii.gz", tmp_path / "c" / "a-liver_1_mask.nii.gz"
    )
    folders = [tmp_path / name for name in "abc"]
    with pytest.raises(UnreadableFileError, match=r"called a-liver_1"):
        find_all(folders, False, ())
