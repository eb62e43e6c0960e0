"""What the spec hands to PyInstaller on each system; nothing is built."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import PyInstaller.utils.hooks  # noqa: F401 (imported on the system that this is)
import pytest

from liverseg_gui import __version__

SPEC = Path(__file__).parents[2] / "pyinstaller.spec"
TARGETS = ("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE")
PAGES = "liverseg_gui/_resources/docs"
COLLECTED = (f"{PAGES}/index.html", f"{PAGES}/.doctrees/index.doctree", "torch/test/cpp.so")
"""Some of what PyInstaller finds, by its place in the package."""
Handed = dict[str, list[SimpleNamespace]]


@pytest.fixture
def on(
    monkeypatch: pytest.MonkeyPatch, version_resources: None, tmp_path: Path
) -> Callable[[str], Handed]:
    """Runs the spec as on a system: what was handed over, by target."""

    def run(system: str) -> Handed:
        handed: Handed = defaultdict(list)

        def target(name: str) -> Callable[..., SimpleNamespace]:
            def make(*args: object, **options: object) -> SimpleNamespace:
                found = [(place, "-", "DATA") for place in COLLECTED]
                toc = {"datas": found, "binaries": [], "scripts": [], "pure": []}
                handed[name].append(SimpleNamespace(args=args, options=options, **toc))
                return handed[name][-1]

            return make

        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(sys, "path", list(sys.path))
        names: dict[str, object] = {name: target(name) for name in TARGETS}
        names |= {"SPECPATH": str(SPEC.parent), "workpath": str(tmp_path), "Tree": _tree}
        exec(compile(SPEC.read_text(), SPEC, "exec"), names)
        return handed

    return run


def _tree(folder: str, prefix: str) -> list[tuple[str, str, str]]:
    """As PyInstaller's `Tree`: the files of `folder`, with their places in the package."""
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return [
        (f"{prefix}/{path.relative_to(folder).as_posix()}", str(path), "DATA") for path in files
    ]


def programs(handed: Handed) -> dict[object, object]:
    """Whether each program has a console."""
    return {made.options["name"]: made.options["console"] for made in handed["EXE"]}


def test_linux_has_one_program(on: Callable[[str], Handed]) -> None:
    handed = on("linux")
    assert programs(handed) == {"liverseg": True}
    assert "icon" not in handed["EXE"][0].options
    assert not handed["BUNDLE"]


def test_the_licenses_go_in(on: Callable[[str], Handed]) -> None:
    places = {place for place, _, _ in on("linux")["Analysis"][0].datas}
    assert "licenses/INDEX.txt" in places
    assert any(place.startswith("licenses/CPython-") for place in places)


def test_what_sphinx_and_torch_need_only_for_themselves_stays_out(
    on: Callable[[str], Handed],
) -> None:
    places = {place for place, _, _ in on("linux")["Analysis"][0].datas}
    assert places & set(COLLECTED) == {f"{PAGES}/index.html"}


def test_windows_has_a_program_with_a_console_and_one_without(
    on: Callable[[str], Handed],
) -> None:
    handed = on("win32")
    assert programs(handed) == {"liverseg": True, "liverseg-window": False}
    for made in handed["EXE"]:
        assert Path(made.options["icon"]).is_file()
        assert made in handed["COLLECT"][0].args
        assert f"{made.options['name']}.exe" in str(made.options["version"])
    assert not handed["BUNDLE"]


@pytest.mark.parametrize("identity", ["", "Developer ID Application: A"])
def test_macos_has_an_app_that_is_signed_where_there_is_an_identity(
    on: Callable[[str], Handed], identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVERSEG_CODESIGN_IDENTITY", identity)
    handed = on("darwin")
    assert programs(handed) == {"liverseg": False}, "PyInstaller hides an app with a console"
    assert handed["EXE"][0].options["codesign_identity"] == (identity or None)
    assert Path(handed["EXE"][0].options["entitlements_file"]).is_file()
    (app,) = handed["BUNDLE"]
    assert app.args == (handed["COLLECT"][0],)
    assert app.options["name"] == "LiverSeg.app"
    assert app.options["version"] == __version__
    assert Path(app.options["icon"]).is_file()
