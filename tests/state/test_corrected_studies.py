"""The list of the studies corrected in this program."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import SaveError, UnreadableFileError
from liverseg_gui.state.corrected_studies import (
    corrected_studies,
    forget_corrected,
    kept_study,
    library_file,
    mark_reviewed,
    remember_corrected,
)
from liverseg_gui.system import file_lock
from tests.training import layouts
from tests.training.layouts import small, true_labels
from training.data.dataset_layouts import corrected_sources


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


def saved(folder: Path, name: str, patient_id: str = "", volume: int | None = None) -> Path:
    """A scan and its mask, kept in the list; the path of the mask."""
    scan, mask = folder / f"{name}.nii.gz", folder / f"{name}_mask.nii.gz"
    scan.parent.mkdir(exist_ok=True)
    scan.touch()
    mask.touch()
    remember_corrected(scan, mask, volume, patient_id, "2026-01-31")
    return mask


def patients() -> list[str]:
    return [source.patient for source in corrected_sources()]


def test_what_was_saved_is_read_as_a_case(tmp_path: Path) -> None:
    scan, mask = tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"
    layouts.pair(small(1), scan, mask)
    remember_corrected(scan, mask, None, "4711", "2026-01-31")
    (source,) = corrected_sources()
    np.testing.assert_array_equal(source.read().labels, true_labels(small(1)))


def test_scans_of_one_patient_id_are_one_patients(tmp_path: Path) -> None:
    for name, person in (("a", "4711"), ("b", " 4711"), ("c", "4712")):
        saved(tmp_path, name, person)
    assert patients() == ["corrected-1", "corrected-1", "corrected-3"]


@pytest.mark.parametrize("nobody", ["", "  ", "anonymous", "0"])
def test_without_a_patient_id_each_scan_is_a_patient_of_its_own(
    tmp_path: Path, nobody: str
) -> None:
    for name in "ab":
        saved(tmp_path, name, nobody)
    assert patients() == ["corrected-1", "corrected-2"]


def test_two_volumes_of_one_file_are_two_cases_of_one_patient(tmp_path: Path) -> None:
    scan = tmp_path / "phases.nii.gz"
    scan.touch()
    for number in (1, 2):
        mask = tmp_path / f"phase{number}_mask.nii.gz"
        mask.touch()
        remember_corrected(scan, mask, number, "", "2026-01-31")
    assert [source.volume for source in corrected_sources()] == [1, 2]
    assert patients() == ["corrected-1", "corrected-1"]


def test_a_mask_that_is_saved_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    saved(tmp_path, "a")
    saved(tmp_path, "b")
    other = tmp_path / "later.nii.gz"
    other.touch()
    remember_corrected(tmp_path / "a.nii.gz", other, None, "", "2026-01-31")
    assert [(s.name, s.mask) for s in corrected_studies()] == [
        ("corrected-1", other),
        ("corrected-2", tmp_path / "b_mask.nii.gz"),
    ]


def test_a_mask_over_another_scans_mask_belongs_to_the_later_scan(tmp_path: Path) -> None:
    mask = saved(tmp_path, "a")
    (tmp_path / "b.nii.gz").touch()
    remember_corrected(tmp_path / "b.nii.gz", mask, None, "", "2026-01-31")
    assert [s.scan.name for s in corrected_studies()] == ["b.nii.gz"]


def test_what_is_gone_is_left_out_and_comes_back_with_its_name(tmp_path: Path) -> None:
    mask = saved(tmp_path, "a")
    saved(tmp_path, "b")
    mask.rename(tmp_path / "elsewhere.nii.gz")
    assert [s.name for s in corrected_sources()] == ["corrected-2"]
    (tmp_path / "elsewhere.nii.gz").rename(mask)
    assert [s.name for s in corrected_sources()] == ["corrected-1", "corrected-2"]


def of_an_earlier_version() -> None:
    """The list as a version wrote it that asked nobody about a review."""
    values = json.loads(library_file().read_text())
    for study in values["studies"]:
        for key in ("model", "reviewed", "stamp"):
            del study[key]
    library_file().write_text(json.dumps(values))


def test_what_an_earlier_version_kept_is_listed_and_left_out_until_it_is_reviewed(
    tmp_path: Path,
) -> None:
    saved(tmp_path, "a", "4711")
    saved(tmp_path, "b", "4711")
    before = corrected_studies()
    of_an_earlier_version()
    assert [(s.name, s.scan, s.mask, s.patient) for s in corrected_studies()] == [
        (s.name, s.scan, s.mask, s.patient) for s in before
    ]
    assert all("Nobody has marked" in s.why_not for s in corrected_studies())
    assert corrected_sources() == []
    mark_reviewed("corrected-2", "2026-02-03")
    (source,) = corrected_sources()
    assert (source.name, source.patient) == ("corrected-2", "corrected-1")
    assert [s.reviewed for s in corrected_studies()] == ["", "2026-02-03"]
    mark_reviewed("corrected-2", "")
    assert corrected_sources() == []
    assert len(corrected_studies()) == 2


def test_a_mask_that_was_changed_since_it_was_reviewed_is_left_out(tmp_path: Path) -> None:
    mask = saved(tmp_path, "a")
    mask.write_bytes(b"the model's own mask, saved over it")
    assert corrected_sources() == []
    (study,) = corrected_studies()
    assert "changed after it was reviewed on 2026-01-31" in study.why_not
    mark_reviewed("corrected-1", "2026-02-03")
    assert [s.name for s in corrected_sources()] == ["corrected-1"]


def test_the_study_of_a_mask_is_found_by_scan_mask_and_volume(tmp_path: Path) -> None:
    mask = saved(tmp_path, "a")
    scan = tmp_path / "a.nii.gz"
    found = kept_study(scan, mask, None)
    assert found is not None
    assert found.name == "corrected-1"
    assert kept_study(scan, mask, 2) is None
    assert kept_study(scan, tmp_path / "other.nii.gz", None) is None
    library_file().write_text("{")
    assert kept_study(scan, mask, None) is None


def test_a_name_that_was_forgotten_is_given_to_nobody_else(tmp_path: Path) -> None:
    mask = saved(tmp_path, "a")
    forget_corrected("corrected-1")
    assert corrected_sources() == []
    assert mask.exists()
    saved(tmp_path, "b")
    assert [s.name for s in corrected_sources()] == ["corrected-2"]


def test_the_file_holds_no_patient_id(tmp_path: Path) -> None:
    saved(tmp_path, "a", "4711-0815")
    text = library_file().read_text()
    assert "4711" not in text
    assert "a_mask.nii.gz" in text


def test_one_patient_has_another_key_on_another_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    for home in ("one", "other"):
        monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / home))
        saved(tmp_path, "a", "4711")
        keys.append(corrected_studies()[0].patient)
    assert keys[0] != keys[1]


@pytest.mark.parametrize("truth", ["truth.nii.gz", "truth.json"])
def test_a_phantom_is_not_kept(tmp_path: Path, truth: str) -> None:
    (tmp_path / truth).touch()
    saved(tmp_path, "scan")
    assert corrected_sources() == []
    assert not library_file().exists()


@pytest.mark.parametrize("text", ["", "[]", '{"studies": [{}]}', '{"salt": "x", "studies": 1}'])
def test_a_damaged_list_is_told_and_stays(tmp_path: Path, text: str) -> None:
    library_file().parent.mkdir(parents=True)
    library_file().write_text(text)
    with pytest.raises(UnreadableFileError, match=r"corrected\.json.*damaged"):
        corrected_sources()
    with pytest.raises(UnreadableFileError):
        saved(tmp_path, "a")
    assert library_file().read_text() == text


def test_masks_that_are_saved_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    names = [f"scan{n}" for n in range(12)]
    with ThreadPoolExecutor(4) as windows:
        list(windows.map(lambda name: saved(tmp_path, name), names))
    assert sorted(s.scan.name for s in corrected_studies()) == sorted(f"{n}.nii.gz" for n in names)
    assert len({s.name for s in corrected_studies()}) == 12


def test_the_list_is_not_changed_while_another_window_changes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, "a")
    monkeypatch.setattr(file_lock, "_PATIENCE_S", 0.0)
    with file_lock.locked(library_file()):
        with pytest.raises(SaveError, match="another window of this program keeps it"):
            saved(tmp_path, "b")
        with pytest.raises(SaveError):
            forget_corrected("corrected-1")
    assert [s.name for s in corrected_studies()] == ["corrected-1"]
