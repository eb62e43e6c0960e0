"""What the Linux packages bring beside the program itself."""

from __future__ import annotations

import configparser
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from liverseg_gui import __version__
from liverseg_gui.io.file_endings import IMAGES, ITK

ROOT = Path(__file__).parents[2]
LINUX = ROOT / "package" / "linux"
SYSTEM_TYPES = Path("/usr/share/mime/packages/freedesktop.org.xml")
NAMESPACE = "{http://www.freedesktop.org/standards/shared-mime-info}"


def desktop() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(LINUX / "liverseg.desktop", "utf-8")
    return parser["Desktop Entry"]


def types() -> dict[str, list[str]]:
    """The endings of each type of file that the program brings."""
    root = ElementTree.parse(LINUX / "liverseg.xml").getroot()
    return {
        kind.attrib["type"]: [glob.attrib["pattern"] for glob in kind.iter(f"{NAMESPACE}glob")]
        for kind in root
    }


def test_the_desktop_entry_offers_every_type_that_is_brought_and_dicom() -> None:
    offered = desktop()["MimeType"].strip(";").split(";")
    assert sorted(offered) == sorted([*types(), "application/dicom"])


def test_every_format_that_the_program_opens_has_a_type() -> None:
    known = {pattern.removeprefix("*") for patterns in types().values() for pattern in patterns}
    assert {".nii", ".nii.gz", *ITK} <= known
    assert known <= set(IMAGES)


def test_the_icon_is_the_programs() -> None:
    assert (ROOT / "resources" / "icons" / f"{desktop()['Icon']}.svg").is_file()


@pytest.mark.skipif(
    not shutil.which("desktop-file-validate"), reason="there is no desktop-file-validate here"
)
def test_the_desktop_entry_is_valid() -> None:
    assert said("desktop-file-validate", str(LINUX / "liverseg.desktop")) == ""


@pytest.mark.skipif(
    not (shutil.which("update-mime-database") and shutil.which("gio") and SYSTEM_TYPES.is_file()),
    reason="there is no update-mime-database, gio or shared-mime-info here",
)
def test_the_desktop_knows_the_files_beside_the_types_of_the_system(tmp_path: Path) -> None:
    packages = tmp_path / "mime" / "packages"
    packages.mkdir(parents=True)
    for source in (SYSTEM_TYPES, LINUX / "liverseg.xml"):
        shutil.copy(source, packages)
    places = {"XDG_DATA_HOME": str(tmp_path), "XDG_DATA_DIRS": str(tmp_path / "none")}
    said("update-mime-database", str(packages.parent), **places)
    for name, content, kind in (
        ("scan.nii.gz", gzip.compress(b"scan"), "application/x-liverseg-nifti"),
        ("scan.nii", b"scan", "application/x-liverseg-nifti"),
        ("scan.nrrd", b"NRRD0004\n", "application/x-liverseg-nrrd"),
        ("scan.mha", b"ObjectType = Image\n", "application/x-liverseg-metaimage"),
        ("scan.dcm", bytes(128) + b"DICM", "application/dicom"),
        ("texts.gz", gzip.compress(b"text"), "application/gzip"),
    ):
        (tmp_path / name).write_bytes(content)
        told = said("gio", "info", "-a", "standard::content-type", str(tmp_path / name), **places)
        assert told.split()[-1] == kind, name


@pytest.mark.skipif(
    not (sys.platform == "linux" and shutil.which("dpkg-deb") and shutil.which("zstd")),
    reason="there is no dpkg-deb or zstd here",
)
@pytest.mark.parametrize(
    ("flavor", "name", "other"),
    [("full", "liverseg", "liverseg-inference"), ("inference", "liverseg-inference", "liverseg")],
)
def test_archive_and_debian_package_hold_program_command_and_desktop_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flavor: str, name: str, other: str
) -> None:
    monkeypatch.setenv("LIVERSEG_FLAVOR", flavor)
    package = tmp_path / "liverseg"
    (package / "_internal").mkdir(parents=True)
    (package / "liverseg").write_text("the program")
    (package / "_internal" / "libxcb-cursor.so.0").write_text("a library")
    for path, mode in (("liverseg", 0o700), ("_internal/libxcb-cursor.so.0", 0o600)):
        (package / path).chmod(mode)
    tool = [sys.executable, str(ROOT / "tools" / "installers.py"), str(package)]
    subprocess.run(tool, check=True, capture_output=True, umask=0o077)
    (archive,) = tmp_path.glob(f"{name}-{__version__}-linux-*.tar.zst")
    (debian,) = tmp_path.glob(f"{name}_{__version__}_*.deb")
    packed = said("tar", "-I", "zstd", "-tf", str(archive)).split()
    assert f"{name}-{__version__}/liverseg" in packed
    assert f"{name}-{__version__}/share/applications/liverseg.desktop" in packed
    inside = said("dpkg-deb", "-c", str(debian))
    assert "./usr/bin/liverseg -> /opt/liverseg/liverseg" in inside
    listed = (inside, said("tar", "-I", "zstd", "-tvf", str(archive)))
    modes = {line[:10] for lines in listed for line in lines.splitlines() if line[0] != "l"}
    assert modes == {"drwxr-xr-x", "-rwxr-xr-x", "-rw-r--r--"}, "all can use it"
    for shared in ("applications/liverseg.desktop", "mime/packages/liverseg.xml"):
        assert f"./usr/share/{shared}" in inside
    assert said("dpkg-deb", "-f", str(debian), "Package", "Conflicts").split() == [
        *("Package:", name),
        *("Conflicts:", other),
    ]
    depends = said("dpkg-deb", "-f", str(debian), "Depends")
    assert "libegl1" in depends
    assert "libstdc++6" in depends, "the program leaves it to the system"
    assert "libxcb-cursor0" not in depends, "the program brings it"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        (archive.name, debian.name, "liverseg")
    )


def said(*command: str, **environment: str) -> str:
    environment = {**os.environ, **environment}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout
