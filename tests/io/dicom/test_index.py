from __future__ import annotations

import os
from pathlib import Path

import pytest

from liverseg_gui.core.errors import Cancelled
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.io.dicom import index
from liverseg_gui.io.dicom.cache import HeaderCache
from liverseg_gui.io.dicom.header_reader import read_header
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.io.dicom.index import index_folder
from liverseg_gui.io.dicom.write import write_dicom_series
from tests.io.dicom_files import change, enhanced


@pytest.fixture
def folder(phantom: Phantom, tmp_path: Path) -> Path:
    write_dicom_series(phantom.volume, tmp_path / "study" / "series")
    return tmp_path / "study"


@pytest.fixture
def cache(tmp_path: Path) -> HeaderCache:
    return HeaderCache(tmp_path / "cache.sqlite")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose headers were really read."""
    seen: list[Path] = []

    def counting(path: Path) -> ImageHeader | None:
        seen.append(path)
        return read_header(path)

    monkeypatch.setattr(index, "read_header", counting)
    return seen


def test_the_second_time_no_header_is_read_again(
    folder: Path, cache: HeaderCache, reads: list[Path]
) -> None:
    first = index_folder(folder, Progress(), cache)
    assert len(reads) == 48
    second = index_folder(folder, Progress(), cache)
    assert len(reads) == 48
    assert second == first


def test_a_changed_a_new_and_a_removed_file_are_noticed(
    folder: Path, cache: HeaderCache, reads: list[Path]
) -> None:
    index_folder(folder, Progress(), cache)
    reads.clear()
    changed, removed, *_ = sorted((folder / "series").iterdir())
    change(changed, PatientName="Other")
    os.utime(changed, ns=(1, 1))
    new = folder / "series" / "new.dcm"
    new.write_bytes(removed.read_bytes())
    removed.unlink()
    (found,) = index_folder(folder, Progress(), cache)
    assert sorted(reads) == sorted([changed, new])
    names = {Path(h.path).name: h.patient for h in found.headers}
    assert names[changed.name] == "Other"
    assert removed.name not in names
    assert "new.dcm" in names


def test_a_multi_frame_header_comes_back_whole_from_the_cache(
    folder: Path, tmp_path: Path, cache: HeaderCache
) -> None:
    files = sorted((folder / "series").iterdir())
    for n in range(8):
        enhanced(files[:5], folder / f"enhanced{n}.dcm")
    before = index_folder(folder, Progress(), cache, recursive=False)
    assert index_folder(folder, Progress(), cache, recursive=False) == before
    assert len(before[0].headers[0].planes) == 5


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 100])
def test_a_damaged_cache_is_done_without(
    folder: Path, tmp_path: Path, reads: list[Path], damage: bytes
) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(damage)
    for _ in range(2):
        (found,) = index_folder(folder, Progress(), HeaderCache(path))
        assert len(found.headers) == 48


def test_a_damaged_row_is_read_anew(folder: Path, cache: HeaderCache, reads: list[Path]) -> None:
    index_folder(folder, Progress(), cache)
    with cache:
        assert cache._database is not None
        cache._database.execute("UPDATE folders SET files = '[[\"IM0001.dcm\", 1, 2, [3]]]'")
    (found,) = index_folder(folder, Progress(), cache)
    assert len(found.headers) == 48


def test_the_cache_can_be_read_by_its_owner_alone(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    index_folder(folder, Progress(), HeaderCache(path))
    assert path.stat().st_mode & 0o077 == 0


def test_indexing_can_be_cancelled(folder: Path, cache: HeaderCache) -> None:
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        index_folder(folder, progress, cache)


def test_files_that_claim_to_be_dicom_and_are_not_are_counted(
    folder: Path, cache: HeaderCache
) -> None:
    (folder / "series" / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 400)
    (folder / "series" / "readme").write_text("text")
    (found,) = index_folder(folder, Progress(), cache)
    assert found.unreadable == 1
    assert len(found.headers) == 48


def test_a_folder_whose_name_is_no_text_is_read_without_a_cache(
    folder: Path, cache: HeaderCache
) -> None:
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/f\xff"))
    (folder / "series").rename(odd)
    (found,) = index_folder(folder, Progress(), cache)
    assert len(found.headers) == 48
