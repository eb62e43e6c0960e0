from __future__ import annotations

import os
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


def test_a_member_deeper_than_a_path_may_be_is_kept(zipped: Path) -> None:
    shape = open_scan(zipped).shape
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("d/" * 1500 + "notes.txt", "text")
    folder = archives.unpacked(zipped, Progress())
    assert [p.read_text() for p in folder.rglob("notes.txt")] == ["text"]
    assert open_scan(zipped).shape == shape


def test_an_archive_without_a_scan_is_named_itself(tmp_path: Path) -> None:
    path = tmp_path / "empty.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "text")
    with pytest.raises(UnreadableFileError, match=r"empty\.zip holds no scan"):
        list_volumes(path)


def test_a_pair_whose_names_hold_odd_characters_finds_its_voxels(
    phantom: Phantom, tmp_path: Path
) -> None:
    import SimpleITK as sitk  # noqa: N813

    path = tmp_path / "pairs.zip"
    image = sitk.GetImageFromArray(phantom.volume.hu.T)
    names = ["scan (1)", "a+b@c#d&e'f", "caf\u00e9 \u4e2d", "x[2]{3}=!$~^;", "long " * 24 + "end"]
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            sitk.WriteImage(image, tmp_path / "plain.mhd")
            text = (tmp_path / "plain.mhd").read_text().replace("plain.raw", f"{name}.raw")
            archive.writestr(f"disc (a)/{name}.mhd", text)
            archive.write(tmp_path / "plain.raw", f"disc (a)/{name}.raw")
    assert len(list_volumes(path)) == len(names)


def test_names_that_are_none_on_some_system_are_changed_and_stay_below(tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    names = [
        "a:b?.dcm",
        "NUL.dcm",
        "end. ",
        "\x1b[2J.dcm",
        "..",
        "C:\\x\\..\\y.dcm",
        "a/./../b",
        "x" * 400,
    ]
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    folder = archives.unpacked(path, Progress())
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert len(files) == len(names)
    assert all(p.resolve().is_relative_to(folder.resolve()) for p in files)
    assert not any(set(p.name) & set('<>:"|?*\x1b') or len(p.name) > 200 for p in files)


def damaged_zips(sound: bytes) -> dict[str, bytes]:
    directory = sound.rindex(b"PK\x05\x06")
    first = sound.index(b"PK\x01\x02")
    return {
        "cut": sound[: len(sound) // 2],
        "tail": sound[-200:],
        "encrypted": sound[: first + 8] + b"\x01" + sound[first + 9 :],
        "method": sound[: first + 10] + b"\x63" + sound[first + 11 :],
        "lying": sound[: first + 24] + b"\x05\0\0\0" + sound[first + 28 :],
        "flipped": sound[:60] + bytes(255 - b for b in sound[60:90]) + sound[90:],
        "garbage": b"PK\x05\x06" + sound[directory + 4 :][:18],
        "empty": b"",
    }


def test_an_odd_archive_is_an_error_that_names_it(tmp_path: Path, zipped: Path) -> None:
    for name, content in damaged_zips(zipped.read_bytes()).items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(content)
        with pytest.raises(UnreadableFileError, match=rf"{name}\.zip"):
            pytest.fail(f"{name}: {list_volumes(path)}")


def test_a_member_without_a_name_hides_no_scan(zipped: Path) -> None:
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("x", "text")
    data = zipped.read_bytes()
    first, last = data.index(b"x" + b"text") - 30, data.rindex(b"PK\x01\x02")
    zipped.write_bytes(data[: last + 28] + b"\0\0" + data[last + 30 :])
    assert first > 0
    with pytest.raises(UnreadableFileError, match=r"study\.zip"):
        list_volumes(zipped)  # what follows the directory does not fit any more


def test_an_archive_that_holds_another_says_so(tmp_path: Path, zipped: Path) -> None:
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(zipped, "inner.zip")
    with pytest.raises(UnreadableFileError, match=r"outer\.zip/inner\.zip: an archive"):
        list_volumes(tmp_path / "outer.zip")


def test_an_archive_of_the_same_time_and_size_is_unpacked_again(tmp_path: Path) -> None:
    def make(text: str) -> Path:
        with zipfile.ZipFile(tmp_path / "new", "w") as archive:
            archive.writestr("a.txt", text)
        os.utime(tmp_path / "new", ns=(1, 1))
        return (tmp_path / "new").replace(tmp_path / "a.zip")

    texts = [(archives.unpacked(make(t), Progress()) / "a.txt").read_text() for t in ("one", "two")]
    assert texts == ["one", "two"]
