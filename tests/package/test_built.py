"""The packaged program, as `make package` built it: `make package-test`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from liverseg_gui.cli.self_test.checks import CHECKS
from tests.package.bare import bare, offline

ROOT = Path(__file__).parents[2]
PACKAGE = Path(os.environ.get("LIVERSEG_PACKAGE", "none given"))
FLAVOR = os.environ.get("LIVERSEG_FLAVOR", "full")
NATIVE = ("_C_stable.so", "image_stable.so")
"""torchvision's libraries, which PyInstaller passes over by itself."""

pytestmark = [
    pytest.mark.skipif(not PACKAGE.is_dir(), reason="LIVERSEG_PACKAGE names no packaged program"),
    pytest.mark.timeout(1800),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def without_native(tmp_path: Path) -> Iterator[Path]:
    """The same program without torchvision's libraries; its files are links to the others."""
    broken = tmp_path / "broken"
    shutil.copytree(PACKAGE, broken, symlinks=True, copy_function=_link)
    for name in NATIVE:
        (broken / "_internal" / "torchvision" / name).unlink()
    yield broken
    shutil.rmtree(broken)


def _link(source: str, target: str) -> None:
    if os.stat(source).st_dev == os.stat(Path(target).parent).st_dev:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def test_it_passes_its_self_test_with_nothing_else_there(home: Path) -> None:
    done = bare([str(PACKAGE / "liverseg"), "self-test"], home)
    print(done.stdout, "" if offline() else "The network could not be taken away here.")
    assert done.returncode == 0, done.stdout
    assert ", packaged\n" in done.stdout
    assert f"All {len(CHECKS)} checks passed." in done.stdout


@pytest.mark.skipif(FLAVOR != "full", reason="torchvision is not in this flavor")
def test_torchvisions_native_libraries_are_there_and_the_self_test_misses_them(
    without_native: Path, home: Path
) -> None:
    done = bare([str(without_native / "liverseg"), "self-test"], home)
    assert done.returncode == 1, done.stdout
    assert "nms" in done.stdout
    assert "FAILED: training" in done.stdout


def test_what_it_is_said_to_do_without_is_not_there() -> None:
    inside = {path.name for path in (PACKAGE / "_internal").iterdir()}
    training = {"torchvision", "fastai", "pandas", "sklearn"}
    assert {"torch", "PySide6"} <= inside
    assert inside & training == (training if FLAVOR == "full" else set())
    assert not inside & {"triton", "spacy", "pytest", "distributed", "IPython"}
    torch = PACKAGE / "_internal" / "torch"
    assert not (torch / "test").exists()
    assert [path.name for path in (torch / "bin").iterdir()] == ["torch_shm_manager"]


def test_the_documents_are_inside_and_not_what_they_are_made_of() -> None:
    documents = PACKAGE / "_internal" / "liverseg_gui" / "_resources" / "docs"
    assert (documents / "user-guide.html").is_file()
    assert (documents / "searchindex.js").is_file()
    assert not [path for path in documents.rglob("*") if path.suffix in (".md", ".doctree")]


def test_the_command_line_writes_to_the_folder_it_is_started_in(home: Path) -> None:
    words = ["phantom", "-o", "made", "--size", "64", "64", "16", "--spacing", "6", "6", "12"]
    done = bare([str(PACKAGE / "liverseg"), *words], home)
    assert done.returncode == 0, done.stdout
    assert (home / "made" / "scan.nii.gz").is_file()


def test_an_error_is_one_plain_line(home: Path) -> None:
    done = bare([str(PACKAGE / "liverseg"), "segment", "missing.nii", "-o", "mask.nii.gz"], home)
    assert done.returncode == 1
    assert done.stdout.startswith("liverseg: ")
    assert done.stdout.count("\n") == 1


@pytest.mark.skipif(
    not (shutil.which("xvfb-run") and shutil.which("xwininfo")),
    reason="there is no xvfb-run or xwininfo here",
)
def test_its_window_comes_up_on_a_display() -> None:
    tool = [sys.executable, str(ROOT / "tools" / "start_time.py"), str(PACKAGE / "liverseg")]
    done = subprocess.run(
        ["xvfb-run", "-a", "-s", "-noreset", *tool], capture_output=True, text=True
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr


def test_a_link_to_the_command_starts_it(tmp_path: Path, home: Path) -> None:
    (tmp_path / "liverseg").symlink_to(PACKAGE.absolute() / "liverseg")
    done = bare([str(tmp_path / "liverseg"), "models"], home)
    assert done.returncode == 0, done.stdout
    assert "default" in done.stdout


def test_qts_license_is_there_with_how_to_replace_qt() -> None:
    (folder,) = (PACKAGE / "_internal" / "licenses").glob("PySide6_Essentials-*")
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in (folder / "LGPL-3.txt").read_text()
    assert "_internal/PySide6/Qt/lib" in (folder / "Qt-NOTICE.txt").read_text()
    assert (PACKAGE / "_internal" / "PySide6" / "Qt" / "lib").is_dir()
