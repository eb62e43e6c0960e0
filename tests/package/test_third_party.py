"""The licenses of what would be packaged, collected from made-up lists of files."""

from __future__ import annotations

import shutil
import sysconfig
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
import third_party

from liverseg_gui.system import paths
from liverseg_gui.system.licenses import (
    GIVEN,
    INDEX,
    component_of,
    components,
    files_of,
    read_packaged,
    required,
)

ROOT = Path(__file__).parents[2]
LIBRARY = Path("/usr/lib/x86_64-linux-gnu/libz.so.1")


def installed(name: str, ending: str = ".py") -> str:
    """A file of a distribution, as PyInstaller's analysis names it."""
    found = distribution(name)
    return next(str(found.locate_file(f)) for f in files_of(found) if f.name.endswith(ending))


def names(folder: Path) -> set[str]:
    return {component.name for component in read_packaged(folder)}


def test_each_collected_file_brings_the_texts_of_its_distribution(tmp_path: Path) -> None:
    python = str(Path(sysconfig.get_path("stdlib")) / "os.py")
    own = str(ROOT / "liverseg_gui" / "core" / "volume.py")
    sources = [installed("numpy"), installed("PySide6-Essentials", ".so"), python, own, None, "-"]
    folder = third_party.write_licenses(sources, tmp_path / "licenses")
    expected = {"liverseg", "numpy", "PySide6_Essentials", "pyinstaller", "CPython"}
    assert names(folder) == expected
    assert all(name in (folder / INDEX).read_text() for name in expected)
    numpy = folder / f"numpy-{distribution('numpy').version}"
    assert "Redistribution and use" in (numpy / "LICENSE.txt").read_text()
    (qt,) = folder.glob("PySide6_Essentials-*")
    assert (qt / "LGPL-3.txt").is_file()


def test_the_documents_bring_the_texts_of_what_made_them(tmp_path: Path) -> None:
    page = str(ROOT / "build" / "docs" / "_static" / "searchtools.js")
    folder = third_party.write_licenses([page], tmp_path / "licenses")
    expected = {"furo", "Sphinx", "snowballstemmer"}
    assert expected <= names(folder)
    assert not expected & names(
        third_party.write_licenses([installed("numpy")], tmp_path / "licenses")
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    folder = third_party.write_licenses([installed("SimpleITK")], tmp_path / "licenses")
    (read,) = (c for c in read_packaged(folder) if c.name == "simpleitk")
    made = component_of(distribution("SimpleITK"))
    assert read.about == made.about
    assert sorted(name for name, _ in read.texts) == sorted(name for name, _ in made.texts)
    assert "GDCM" in read.read()


def test_a_compilers_library_brings_the_exception_that_allows_it() -> None:
    gomp = Path(installed("scikit-learn", ".so.1.0.0"))
    assert gomp.name.startswith("libgomp")
    (gcc,) = (c for c in third_party.components([gomp]) if c.name == "GCC-runtime")
    assert "GCC RUNTIME LIBRARY EXCEPTION" in gcc.read()
    assert gomp.name in gcc.note


@pytest.mark.skipif(
    not (shutil.which("dpkg") and LIBRARY.exists()), reason="this is no Debian on x86_64"
)
def test_a_library_of_the_system_brings_what_debian_says_of_it() -> None:
    (found,) = (c for c in third_party.components([LIBRARY]) if c.name == "zlib1g")
    assert "apt-get source zlib=" in found.note
    assert "Jean-loup Gailly" in found.read()


def test_a_file_that_nobody_knows_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(third_party.LicensesMissing, match=r"libstray\.so: whose is it\?"):
        third_party.components([tmp_path / "libstray.so"])


def test_a_distribution_without_a_text_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = tmp_path / "bare-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bare\nVersion: 1.0\n")
    (metadata / "RECORD").write_text("bare.py,,\nbare-1.0.dist-info/METADATA,,\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    third_party._owners.cache_clear()
    try:
        with pytest.raises(third_party.LicensesMissing, match=r"bare 1\.0: no license text"):
            third_party.components([tmp_path / "bare.py"])
    finally:
        third_party._owners.cache_clear()


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("libreadline.so.8", True),
        ("libgdbm_compat.so.4", True),
        ("libfftw3f.so.3", True),
        ("libQt6VirtualKeyboard.so.6", True),
        ("Qt6Charts.dll", True),
        ("QtCharts.abi3.so", True),
        ("libqtvirtualkeyboardplugin.so", True),
        ("libQt6WaylandClient.so.6", False),
        ("libQt6Core.so.6", False),
        ("libdbus-1.so.3", False),
        ("libgfortran-040039e1.so.5.0.0", False),
    ],
)
def test_what_has_the_gpl_alone_stops_the_build(name: str, refused: bool) -> None:
    assert third_party.refused(Path(name)) is refused


def test_a_record_with_an_empty_line_is_read(tmp_path: Path) -> None:
    (tmp_path / "odd-1.0.dist-info").mkdir()
    record = tmp_path / "odd-1.0.dist-info" / "RECORD"
    record.write_text("odd.py,,\n\nodd-1.0.dist-info/LICENSE,,\n")
    found = files_of(Distribution.at(record.parent))
    assert [file.name for file in found] == ["odd.py", "LICENSE"]


def test_every_requirement_has_a_text_or_a_reason() -> None:
    found = {component.name: component for component in components()}
    assert {"torch", "PySide6_Essentials", "SimpleITK".lower(), "scipy"} <= set(found)
    assert [c.title for c in found.values() if not (c.texts or c.note)] == []


def test_what_only_an_extra_needs_is_no_requirement_unless_the_extra_is_asked_for() -> None:
    inside = {found.name for found in required("liverseg")}
    assert not inside & {"pytest", "distributed", "pyinstaller"}
    if "cuda-toolkit" in inside:
        assert "nvidia-cublas" in inside


def test_every_text_that_is_given_is_there() -> None:
    for given in GIVEN.values():
        assert given.why
        assert all(paths.resource(f"licenses/{name}").is_file() for name in given.texts)


def test_a_built_program_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(third_party, "_frozen_modules", lambda package: {"numpy", "torch", "os"})
    inside = tmp_path / "_internal"
    third_party.write_licenses([installed("numpy")], inside / "licenses")
    extension = next(f for f in files_of(distribution("numpy")) if f.suffix == ".so")
    for name in (
        str(extension),
        "libreadline.so.8",
        "lib-dynload/_ssl.so",
        "libpython3.so",
        "stray.so",
    ):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).touch()
    assert sorted(third_party.problems(tmp_path)) == [
        "libreadline.so.8: no license (nobody knows whose it is)",
        "libreadline.so.8: under the GPL alone",
        "module torch: no license (torch)",
        "stray.so: no license (nobody knows whose it is)",
    ]
