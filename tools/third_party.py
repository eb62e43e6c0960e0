"""The licenses of all that is in the packaged program: collected for it, and looked for in it.

`pyinstaller.spec` calls `write_licenses`. `python tools/third_party.py dist/liverseg` says whether
everything in a built program has its text there, and exits with 1 where something has none; it
needs the environment that the program was built in.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import distribution, distributions, packages_distributions
from pathlib import Path

from liverseg_gui.system import paths as resources
from liverseg_gui.system.licenses import (
    ABOUT,
    GIVEN,
    INDEX,
    Component,
    by_name,
    component_of,
    files_of,
    index,
    is_own,
    normalized,
    read_packaged,
)

ROOT = Path(__file__).parents[1]

REFUSED = re.compile(
    r"^lib(?:readline|history|gdbm\w*|db-\d[\d.]*|fftw3\w*|gsl\w*)\b"
    r"|^(?:lib)?Qt6?(?:Charts|CoAp|DataVisualization|Graphs|HttpServer|Lottie|Mqtt|NetworkAuth"
    r"|Quick3D|QuickTimeline|ShaderTools|VirtualKeyboard|WaylandCompositor)"
    r"|qtvirtualkeyboard|qlottie",
    re.IGNORECASE,
)
"""Files that have the GPL alone, or a license like it (libdb): with one of them inside, the whole
program would have to have it."""

_GCC = re.compile(r"^lib(?:gomp|gfortran|quadmath)\b")
"""The compilers' libraries that distributions bring, mostly without their texts."""
_MICROSOFT = re.compile(r"^(?:api-ms-win-|ucrtbase|vcruntime|msvcp|concrt)", re.IGNORECASE)
"""Microsoft's runtime: the license of CPython for Windows has its conditions."""
_SITE = {"furo", "snowballstemmer", "sphinx"}
"""Whose scripts and styles are in the documents that were built."""
_COMMON = "/usr/share/common-licenses"
_OWN = {"LICENSE", "base_library.zip", "licenses", "liverseg_gui", "training"}


class LicensesMissing(SystemExit):
    """What is inside has no license text, or one that the program cannot have: no package."""


def write_licenses(sources: Iterable[str | None], folder: Path) -> Path:
    """Write the texts of all that the collected files `sources` come from to `folder`: its path.

    Files beside `folder` are the builder's own.
    """
    paths = [Path(name) for name in sources if name and os.path.isabs(name)]
    found = components([path for path in paths if folder.parent not in path.parents])
    shutil.rmtree(folder, ignore_errors=True)
    for component in found:
        _write(component, folder / component.title.replace(" ", "-").replace(":", "_"))
    (folder / INDEX).write_text(index(found), "utf-8")
    return folder


def _write(component: Component, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ABOUT).write_text(component.about, "utf-8")
    for name, path in component.texts:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def components(sources: Sequence[Path]) -> list[Component]:
    """What the files `sources` come from; LiverSeg, PyInstaller (its loader) and CPython anyway.

    Raises LicensesMissing with all that is wrong, each in a line.
    """
    names, others = _sort(sources)
    debian, unknown = _debian([path for path in others if not _is_pythons(path)])
    names |= {"liverseg", "pyinstaller"} | (_SITE if _has_site(sources) else set())
    found = [component_of(distribution(name)) for name in names]
    found += [*debian, *_gcc(sources), _cpython()]
    wrong = [
        *(f"{path}: whose is it?" for path in unknown),
        *(f"{path}: under the GPL alone; exclude it" for path in sources if refused(path)),
        *(f"{c.title}: no license text" for c in found if not _has_text(c)),
    ]
    if wrong:
        where = "GIVEN in liverseg_gui/system/licenses.py gives texts, each with its reason."
        raise LicensesMissing("\n".join(["Licenses are missing.", *sorted(wrong), where]))
    return by_name(found)


def refused(path: Path) -> bool:
    """Whether a file, by its name, has a license that the program cannot have."""
    return bool(REFUSED.search(path.name))


def _has_text(component: Component) -> bool:
    return bool(component.texts) or normalized(component.name) in GIVEN


def _has_site(sources: Iterable[Path]) -> bool:
    site = os.path.realpath(ROOT / "build" / "docs")
    return any(_is_below(_real(path), [site]) for path in sources)


def _sort(sources: Iterable[Path]) -> tuple[set[str], list[Path]]:
    """The distributions of `sources`, and those that are neither in one nor the program's own."""
    owners, sites = _owners()
    root = os.path.realpath(ROOT)
    names, others = set(), []
    for path in sources:
        place = _real(path)
        if place in owners:
            names.add(owners[place])
        elif not _is_below(place, [root]) or _is_below(place, sites):
            others.append(path)
    return names, others


@cache
def _owners() -> tuple[dict[str, str], list[str]]:
    """Each installed file with the name of its distribution; and the folders they lie in."""
    owners, sites = {}, set()
    for found in distributions():
        if not is_own(found):
            site = os.path.realpath(str(found.locate_file("")))
            sites.add(site)
            name = found.name  # reads its metadata each time
            for file in files_of(found):
                owners[os.path.normcase(os.path.join(site, file))] = name
    return owners, sorted(sites)


def _real(path: Path) -> str:
    return os.path.normcase(os.path.join(_real_folder(str(path.parent)), path.name))


@cache
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _is_below(place: str, folders: Iterable[str]) -> bool:
    return any(place.startswith(os.path.normcase(folder) + os.sep) for folder in folders)


def _is_pythons(path: Path) -> bool:
    """Whether a file that no distribution has is of CPython."""
    place, library = _real(path), os.path.realpath(sysconfig.get_path("stdlib"))
    homes = [library] if sys.platform == "linux" else [library, os.path.realpath(sys.base_prefix)]
    if _is_below(place, _owners()[1]):
        return False
    by_its_name = path.name.startswith("libpython") or bool(_MICROSOFT.match(path.name))
    return by_its_name or _is_below(place, homes)


def _cpython() -> Component:
    library, base = Path(sysconfig.get_path("stdlib")), Path(sys.base_prefix)
    places = [library / "LICENSE.txt", base / "LICENSE.txt", base / "LICENSE"]
    own = [("LICENSE.txt", path) for path in places if path.is_file()][:1]
    incorporated = "CPython-incorporated.txt"
    more = [(incorporated, resources.resource(f"licenses/{incorporated}"))] if own else []
    version, home_page = platform.python_version(), "https://www.python.org"
    return Component("CPython", version, "PSF-2.0", home_page, (*own, *more))


def _gcc(sources: Iterable[Path]) -> list[Component]:
    names = sorted({path.name for path in sources if _GCC.match(path.name)})
    texts = ("GCC-exception-3.1.txt", "GPL-3.txt", "LGPL-2.1.txt")
    if not names:
        return []
    return [
        Component(
            "GCC-runtime",
            "",
            "GPL-3.0-or-later WITH GCC-exception-3.1; libquadmath: LGPL-2.1-or-later",
            "https://gcc.gnu.org",
            tuple((name, resources.resource(f"licenses/{name}")) for name in texts),
            f"The compilers' libraries that other components bring: {', '.join(names)}",
        )
    ]


def _debian(paths: Sequence[Path]) -> tuple[list[Component], list[Path]]:
    """The Debian packages that `paths` are from, and those that are from none."""
    owners = _dpkg_search([name for path in paths for name in _spellings(path)])
    of_package: dict[str, set[str]] = defaultdict(set)
    unknown = []
    for path in paths:
        package = next((owners[name] for name in _spellings(path) if name in owners), None)
        if package is None:
            unknown.append(path)
        else:
            of_package[package].add(path.name)
    return [_debian_component(name, sorted(of_package[name])) for name in of_package], unknown


def _spellings(path: Path) -> list[str]:
    """The path of a file as dpkg may have it: from before /lib was /usr/lib, or after."""
    real = os.path.realpath(path)
    return [real, real.removeprefix("/usr")]


def _dpkg_search(names: Sequence[str]) -> dict[str, str]:
    """The package of each path that one has; nothing where there is no dpkg."""
    if not names or not shutil.which("dpkg"):
        return {}
    told = subprocess.run(["dpkg", "-S", *names], capture_output=True, text=True, check=False)
    lines = (line.rpartition(": ") for line in told.stdout.splitlines())
    return {path: whose for whose, _, path in lines if "," not in whose and " " not in whose}


def _debian_component(package: str, files: Sequence[str]) -> Component:
    form = r"${Package}\t${Version}\t${source:Package}\t${source:Version}\t${Homepage}"
    command = ["dpkg-query", "-W", "-f", form, package]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    name, version, source, source_version, home_page = told.split("\t")
    copyright_file = Path("/usr/share/doc") / name / "copyright"
    texts = [("copyright", copyright_file)] if copyright_file.is_file() else []
    told = copyright_file.read_text("utf-8", errors="replace") if texts else ""
    return Component(
        name,
        version,
        "see its text",  # which is of the whole source, and the library may have a part of it
        home_page,
        (*texts, *_common(told)),
        f"Of the system that built this program: {', '.join(files)}. "
        f"Source: apt-get source {source}={source_version}",
    )


def _common(text: str) -> Iterator[tuple[str, Path]]:
    """The licenses that a copyright file of Debian only points to."""
    for name in sorted(set(re.findall(rf"{_COMMON}/([\w.+-]*\w)", text))):
        if (Path(_COMMON) / name).is_file():
            yield f"{name}.txt", Path(_COMMON) / name


def problems(package: Path) -> list[str]:
    """What in the built program has no license text, or must not be there: a line each."""
    (at,) = package.rglob(f"licenses/{INDEX}")
    inside, listed = at.parents[1], read_packaged(at.parent)
    names = {normalized(component.name) for component in listed}
    named = {word for c in listed for word in re.split(r"[\s,]+|\.(?=\s)", c.note)}
    found = [f"{c.title}: no license text" for c in listed if not _has_text(c)]
    owners, modules = _owners_inside(), packages_distributions()
    for path in inside.rglob("*"):
        place = path.relative_to(inside)
        if path.is_symlink() or not path.is_file() or place.parts[0] in _OWN:
            continue
        if refused(path):
            found.append(f"{place}: under the GPL alone")
        owner = owners.get(place.as_posix())
        whose = [owner] if owner else modules.get(place.parts[0], [])
        its_own = "lib-dynload" in place.parts or path.name.startswith("libpython")
        its_own |= bool(_GCC.match(path.name))
        if not (names & set(map(normalized, whose)) or its_own or path.name in named):
            found.append(f"{place}: no license ({', '.join(whose) or 'nobody knows whose it is'})")
    return found + [
        f"module {name}: no license ({', '.join(modules[name])})"
        for name in sorted(_frozen_modules(package) & set(modules))
        if not names & set(map(normalized, modules[name])) and name not in _OWN
    ]


def _owners_inside() -> dict[str, str]:
    """Each installed file by its path in the program, which is that below `site-packages`."""
    return {
        file.as_posix(): name
        for found in distributions()
        for name in [found.name]
        if not is_own(found)
        for file in files_of(found)
    }


def _frozen_modules(package: Path) -> set[str]:
    """The packages of the modules that are in the executable."""
    from PyInstaller.archive.readers import CArchiveReader

    (program,) = (path for path in package.glob("liverseg*") if path.stem == "liverseg")
    modules = CArchiveReader(str(program)).open_embedded_archive("PYZ.pyz").toc
    return {name.partition(".")[0] for name in modules}


def main() -> int:
    """Say what is wrong with the licenses of the program in the folder that is named."""
    found = problems(Path(sys.argv[1]))
    print("\n".join(found) or "Everything inside has its license.")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
