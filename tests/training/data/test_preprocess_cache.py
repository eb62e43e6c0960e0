from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.core.errors import Cancelled, SaveError, UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, axial_slices
from liverseg_gui.system.paths import cache_folder, prepared_cases_folder
from tests.training import layouts
from tests.training.layouts import SPACING_MM, small, true_labels
from training.data import preprocess_cache
from training.data.case import Case
from training.data.dataset_layouts import find_sources
from training.data.preprocess_cache import prepare_all
from training.data.slice_dataset import GRID, PreparedCase, prepare


@dataclass
class Counted:
    """A phantom that counts how often it is read."""

    name: str
    seed: int = 1
    mark: str = "as first written"
    patient: str = "p"
    reads: list[str] = field(default_factory=list)

    def read(self) -> Case:
        self.reads.append(self.name)
        phantom = small(self.seed)
        slices = axial_slices(phantom.volume)
        z = np.arange(len(slices)) * 10.25
        pixel_mm = (SPACING_MM[1], SPACING_MM[0])
        return Case(self.name, slices, true_labels(phantom), z, CONTEXT_MM, pixel_mm, "p")

    def fingerprint(self) -> str:
        return self.mark


def require_same(found: PreparedCase, source: Counted) -> None:
    expected = prepare(Counted(source.name, source.seed).read())
    assert found.name == source.name
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.z, expected.z)
    assert found.gap == expected.gap


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_case_that_is_prepared_is_told_before_any_words_name_it(tmp_path: Path) -> None:
    told: list[str | None] = []
    named: list[tuple[str | None, str]] = []
    progress = Progress(lambda _, phase: named.append((told[-1], phase)))
    prepare_all([Counted("a", 1), Counted("b/ü", 2)], tmp_path, progress, told.append)
    assert told == ["a", "b/ü", None]
    assert [case for case, _ in named] == told
    assert all(case in phase for case, phase in named if case)


def test_a_case_is_read_once_and_then_mapped_from_disk(tmp_path: Path) -> None:
    sources = [Counted("a", 1), Counted("b/ü", 2)]
    for _ in range(2):
        found = prepare_all(sources, tmp_path, Progress())
        for case, source in zip(found, sources, strict=True):
            require_same(case, source)
            assert case.images.shape == (20, *GRID)
            assert isinstance(case.images, np.memmap)
            assert not case.labels.flags.writeable
    assert [len(source.reads) for source in sources] == [1, 1]
    assert len(entries(tmp_path)) == 2
    assert {"images.npy", "labels.npy", "case.json"} == set(
        os.listdir(tmp_path / entries(tmp_path)[0])
    )


def test_a_case_is_made_anew_when_its_files_change(tmp_path: Path) -> None:
    source = Counted("a", 1)
    prepare_all([source], tmp_path, Progress())
    source.mark, source.seed = "written again", 2
    require_same(prepare_all([source], tmp_path, Progress())[0], source)


def test_a_case_is_made_anew_by_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Counted("a")
    prepare_all([source], tmp_path, Progress())
    monkeypatch.setattr(preprocess_cache, "VERSION", preprocess_cache.VERSION + 1)
    prepare_all([source], tmp_path, Progress())
    assert len(source.reads) == 2


def damage(file: Path, how: str) -> None:
    whole = file.read_bytes()
    if how == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "zeros":
        file.write_bytes(whole[:200] + bytes(len(whole) - 200))
    elif how == "one bit":
        middle = len(whole) // 2
        file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif how == "another number":
        file.write_bytes(whole.replace(b"10.25", b"10.26").replace(b"2.5", b"3.5"))
    else:
        file.unlink()


DAMAGE = [
    *((name, how) for name in ("images.npy", "labels.npy") for how in ("cut", "zeros", "one bit")),
    *(("case.json", how) for how in ("cut", "zeros", "another number")),
    *((name, how) for name in ("labels.npy", "case.json") for how in ("empty", "gone")),
]


@pytest.mark.parametrize(("name", "how"), DAMAGE)
def test_a_damaged_case_is_made_anew(tmp_path: Path, name: str, how: str) -> None:
    source = Counted("a")
    prepare_all([source], tmp_path, Progress())
    damage(tmp_path / entries(tmp_path)[0] / name, how)
    require_same(prepare_all([source], tmp_path, Progress())[0], source)
    assert len(source.reads) == 2
    assert len(entries(tmp_path)) == 1
    prepare_all([source], tmp_path, Progress())
    assert len(source.reads) == 2


def test_what_an_interrupted_run_began_is_not_taken_and_goes_away(tmp_path: Path) -> None:
    source = Counted("a")
    prepare_all([source], tmp_path, Progress())
    whole = tmp_path / entries(tmp_path)[0]
    begun = whole.with_name(f"{whole.name}.x.part")
    whole.rename(begun)
    (begun / "labels.npy").unlink()
    require_same(prepare_all([source], tmp_path, Progress())[0], source)
    assert entries(tmp_path) == [whole.name, begun.name]  # it may be another run's, at work
    os.utime(begun, (0, 0))
    prepare_all([source], tmp_path, Progress())
    assert entries(tmp_path) == [whole.name]


def test_cases_done_before_a_cancellation_are_kept(tmp_path: Path) -> None:
    sources = [Counted("a", 1), Counted("b", 2), Counted("c", 3)]
    phases: list[str] = []

    def report(_fraction: float, phase: str) -> None:
        phases.append(phase)
        if "case b" in phase:
            progress.cancel()

    progress = Progress(report)
    with pytest.raises(Cancelled):
        prepare_all(sources, tmp_path, progress)
    assert [source.reads for source in sources] == [["a"], ["b"], []]
    prepare_all(sources, tmp_path, Progress())
    assert [source.reads for source in sources] == [["a"], ["b"], ["c"]]


@contextmanager
def files_no_larger_than(limit: int) -> Iterator[None]:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit to set")
def test_a_full_disk_is_told_and_nothing_half_is_left(tmp_path: Path) -> None:
    sources = [Counted("a", 1), Counted("b", 2)]
    prepare_all(sources[:1], tmp_path, Progress())
    done = entries(tmp_path)
    with files_no_larger_than(500_000), pytest.raises(SaveError, match=r"Free some space"):
        prepare_all(sources, tmp_path, Progress())
    assert entries(tmp_path) == done
    require_same(prepare_all(sources, tmp_path, Progress())[1], sources[1])
    assert len(sources[0].reads) == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SaveError, match="name another folder"):
        prepare_all([Counted("a")], tmp_path / "file" / "cache", Progress())


def test_an_unreadable_case_is_told_with_its_file(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path / "data")
    broken = tmp_path / "data" / "imagesTr" / "liver_2.nii.gz"
    broken.write_bytes(broken.read_bytes()[:5000])
    with pytest.raises(UnreadableFileError, match=r"liver_2\.nii\.gz"):
        prepare_all(find_sources(tmp_path / "data"), tmp_path / "cache", Progress())
    assert [name.split("-")[0] for name in entries(tmp_path / "cache")] == ["liver_1"]


def test_a_data_set_that_was_moved_is_not_prepared_again(tmp_path: Path) -> None:
    layouts.corrected(tmp_path / "data", (1,))
    prepare_all(find_sources(tmp_path / "data"), tmp_path / "cache", Progress())
    made = entries(tmp_path / "cache")
    (tmp_path / "data").rename(tmp_path / "moved")
    prepare_all(find_sources(tmp_path / "moved"), tmp_path / "cache", Progress())
    assert entries(tmp_path / "cache") == made


def test_prepared_cases_are_kept_among_the_programs_caches() -> None:
    assert prepared_cases_folder().parent == cache_folder()


def test_labels_that_dataset_json_names_otherwise_are_prepared_anew(tmp_path: Path) -> None:
    layouts.decathlon(tmp_path / "data", (1, 2))
    for mask in (tmp_path / "data" / "labelsTr").glob("liver_*"):
        image = nib.load(mask)
        image.header["descrip"] = b""  # a mask of another program does not say what its values are
        nib.save(nib.Nifti1Image(np.asarray(image.dataobj), None, image.header), mask)
    path = tmp_path / "data" / "dataset.json"
    right = json.loads(path.read_text())
    wrong = right | {"labels": {"0": "background", "1": "cancer", "2": "liver"}}
    path.write_text(json.dumps(wrong))
    folder = tmp_path / "prepared"
    before = prepare_all(find_sources(tmp_path / "data"), folder, Progress())
    path.write_text(json.dumps(right))
    after = prepare_all(find_sources(tmp_path / "data"), folder, Progress())
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.labels == 2, other.labels == 1)
        assert np.count_nonzero(other.labels == 1) > np.count_nonzero(other.labels == 2) > 0
    path.write_text(json.dumps(right | {"name": "another name of the set"}))
    again = [source.fingerprint() for source in find_sources(tmp_path / "data")]
    path.write_text(json.dumps(right))
    assert [source.fingerprint() for source in find_sources(tmp_path / "data")] == again
