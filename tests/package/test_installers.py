"""The commands that make installers for Windows and macOS, which are not there to run them."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import macos_package
import pytest
import windows_package

Commands = list[Any]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    """What is run, in place of running it; nothing is signed unless a test says how."""
    run: Commands = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: run.append(command))
    for name in ("LIVERSEG_SIGN", "LIVERSEG_CODESIGN_IDENTITY", "LIVERSEG_NOTARY_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return run


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A packaged program, as far as its files are looked at."""
    folder = tmp_path / "liverseg"
    (folder / "_internal").mkdir(parents=True)
    for name in (*windows_package.PROGRAMS, "_internal/LICENSE"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Inno Setup, where its own installer puts it."""
    path = tmp_path / "Inno Setup 6" / "ISCC.exe"
    path.parent.mkdir()
    path.touch()
    monkeypatch.setenv("PROGRAMFILES(X86)", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    return str(path)


def test_without_inno_setup_windows_has_a_zip_of_the_folder(
    package: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    (written,) = windows_package.write_all(package, "1.2")
    assert written.name == "liverseg-1.2-windows-x64.zip"
    with zipfile.ZipFile(written) as archive:
        assert {"liverseg/liverseg.exe", "liverseg/_internal/LICENSE"} <= set(archive.namelist())
    assert commands == []


def test_the_installer_is_handed_version_folder_and_its_own_name(
    package: Path, commands: Commands, compiler: str
) -> None:
    _, setup = windows_package.write_all(package, "1.2")
    assert setup == package.parent / "liverseg-1.2-windows-x64-setup.exe"
    ((program, *words),) = commands
    assert program == compiler
    assert {"/DVersion=1.2", f"/DPackage={package}", f"/O{setup.parent}"} <= set(words)
    assert f"/F{setup.stem}" in words
    assert words[-1] == str(windows_package.SCRIPT)
    assert not any(word.startswith(("/S", "/DSign")) for word in words)


def test_programs_are_signed_before_they_are_packed_and_the_installer_signs_itself(
    package: Path, commands: Commands, compiler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVERSEG_SIGN", 'signtool sign /n "A Hospital"')
    windows_package.write_all(package, "1.2")
    *signed, compiled = commands
    assert signed == [
        f'signtool sign /n "A Hospital" "{package / name}"' for name in windows_package.PROGRAMS
    ]
    assert "/DSign=liverseg" in compiled
    assert "/Sliverseg=signtool sign /n $qA Hospital$q $f" in compiled


def test_the_disk_image_holds_the_app_and_is_neither_signed_nor_notarized_without_being_told(
    package: Path, commands: Commands
) -> None:
    (image,) = macos_package.write_all(package, "1.2")
    assert image.name.startswith("liverseg-1.2-macos-")
    copied, created = commands
    assert copied[:2] == ("ditto", str(package.parent / "LiverSeg.app"))
    assert created[:2] == ("hdiutil", "create")
    assert created[-1] == str(image)


def test_the_disk_image_is_signed_then_notarized_then_stapled(
    package: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVERSEG_CODESIGN_IDENTITY", "Developer ID Application: A")
    monkeypatch.setenv("LIVERSEG_NOTARY_PROFILE", "notary")
    (image,) = macos_package.write_all(package, "1.2")
    sign, submit, staple = commands[2:]
    assert sign == ("codesign", "--sign", "Developer ID Application: A", "--timestamp", str(image))
    assert submit[:4] == ("xcrun", "notarytool", "submit", str(image))
    assert submit[4:] == ("--keychain-profile", "notary", "--wait")
    assert staple == ("xcrun", "stapler", "staple", str(image))
