from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from liverseg_gui.core.errors import Cancelled, UnreadableFileError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.io import archives
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.scans import list_volumes, open_scan


@pytest.fixture
def zipped(phantom: Phantom, tmp_path: Path) -> Path:
    write_dicom_series(phantom.volume, tmp_path / "series")
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (tmp_path / "series").iterdir():
            archive.write(file, f"disc/{file.name}")
    return path


def test_a_zip_archive_opens_as_the_study_it_holds(zipped: Path, phantom: Phantom) -> None:
    volume = open_scan(zipped)
    np.testing.assert_array_equal(volume.hu, phantom.volume.hu)
    assert volume.origin.path == zipped
    (entry,) = list_volumes(zipped)
    assert entry.path == zipped


def test_what_was_unpacked_is_deleted(zipped: Path) -> None:
    folder = archives.unpacked(zipped, Progress())
    assert any(folder.rglob("*.dcm"))
    archives.remove_unpacked()
    assert not folder.parent.exists()


def test_a_changed_archive_is_unpacked_again(zipped: Path, tmp_path: Path) -> None:
    first = archives.unpacked(zipped, Progress())
    assert archives.unpacked(zipped, Progress()) == first
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("more.txt", "text")
    assert archives.unpacked(zipped, Progress()) != first


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../outside.dcm", "x")
        archive.writestr("/absolute.dcm", "x")
        archive.writestr("..\\windows.dcm", "x")
    folder = archives.unpacked(path, Progress())
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert names == ["absolute.dcm", "outside.dcm", "windows.dcm"]
    assert not list(folder.parent.glob("outside.dcm"))


def test_a_damaged_archive_is_named(tmp_path: Path, zipped: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(zipped.read_bytes()[:5000])
    with pytest.raises(UnreadableFileError, match=r"bad\.zip is no zip archive"):
        list_volumes(bad)


def test_an_archive_larger_than_the_disk_is_refused_before_it_is_unpacked(
    zipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nearly_full(_: object) -> object:
        return type("Usage", (), {"free": 1000})

    monkeypatch.setattr(archives.shutil, "disk_usage", nearly_full)
    with pytest.raises(UnreadableFileError, match="Free some space"):
        list_volumes(zipped)


def test_cancelling_leaves_nothing_behind(
    zipped: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        archives.unpacked(zipped, progress)
    assert not list(tmp_path.glob("liverseg-*"))


def test_members_whose_names_become_the_same_are_all_kept(phantom: Phantom, tmp_path: Path) -> None:
    write_dicom_series(phantom.volume, tmp_path / "series")
    path = tmp_path / "long.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for n, file in enumerate(sorted((tmp_path / "series").iterdir())):
            odd = "[({"[n % 3] + f"{n // 3}.dcm"
            archive.write(file, "1.3.6.1.4." * 12 + f"{n:03d}-slice.dcm" if n % 2 else odd)
    assert open_scan(path).shape == phantom.volume.shape


def test_a_member_below_the_name_of_another_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "one")
        archive.writestr("a/b", "two")
    folder = archives.unpacked(path, Progress())
    assert sorted(p.read_text() for p in folder.rglob("*") if p.is_file()) == ["one", "two"]


def test_an_archive_without_a_scan_is_named_itself(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "text")
    with pytest.raises(UnreadableFileError, match=r"empty\.zip holds no scan"):
        list_volumes(path)
