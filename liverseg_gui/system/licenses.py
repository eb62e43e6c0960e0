"""Components of the program, most of them by others, and the licenses that go with them.

Packaged, the texts lie in a folder that was written when the program was built; from source they
are found with the installed distributions. Some come with the program (`resources/licenses`),
for their distributions bring none.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from liverseg_gui.system import paths

INDEX = "INDEX.txt"
ABOUT = "ABOUT.txt"
PACKAGED = Path(__file__).parents[2] / "licenses"
"""Where the packaged program has the texts."""

_LICENSE_NAME = re.compile(
    r"(?:^|[-_. ])(?:un)?(?:licen[cs]es?|copying|notices?|authors|copyrights?|eula|patents"
    r"|third[-_ ]?party(?:[-_ ]?licen[cs]es|[-_ ]?notices)?)(?:$|[-_. ])",
    re.IGNORECASE,
)
_NOT_A_TEXT = {".c", ".cpp", ".h", ".hpp", ".js", ".json", ".py", ".pyc", ".pyi", ".pyd", ".so"}
_REQUIREMENT = re.compile(r"^([\w.-]+)\s*(?:\[([^]]*)\])?")
_OF_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)""")
_LONGEST_LICENSE = 100
"""Characters of the field `License`; where it is longer, it is the text itself."""


@dataclass(frozen=True)
class Given:
    """Texts in `resources/licenses` for a distribution that does not bring all of its own."""

    texts: tuple[str, ...]
    why: str


GIVEN = {
    "pyside6-essentials": Given(
        ("Qt-NOTICE.txt", "LGPL-3.txt", "GPL-3.txt", "Qt-third-party.txt", "ICU.txt"),
        "Qt's license texts are not in the distribution; they are given here.",
    ),
    "shiboken6": Given(
        ("Qt-NOTICE.txt", "LGPL-3.txt", "GPL-3.txt"),
        "The license texts are not in the distribution; they are given here.",
    ),
    "simpleitk": Given(
        ("ITK-third-party.txt",),
        "It holds ITK, with code of others; their licenses are not in the distribution.",
    ),
    "torchvision": Given(
        (),
        "Its copies of libjpeg, libpng, libwebp and zlib have the licenses that are in the text "
        "of Pillow; those of libcudart and libnvjpeg have that of nvidia-cuda-runtime.",
    ),
    "cuda-toolkit": Given((), "It holds no files, but names the distributions of NVIDIA."),
}
"""By normalized name."""


@dataclass(frozen=True)
class Component:
    """A work in the program. `texts`: what each is called, and where it lies."""

    name: str
    version: str
    license: str
    home_page: str
    texts: tuple[tuple[str, Path], ...]
    note: str = ""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()

    @property
    def about(self) -> str:
        """All but the texts, a line for each; `read_packaged` reads it."""
        lines = (
            ("Name", self.name),
            ("Version", self.version),
            ("License", self.license),
            ("Home-page", self.home_page),
            ("Note", self.note),
        )
        return "".join(f"{field}: {value}\n" for field, value in lines if value)

    def read(self) -> str:
        """Everything to be read about it: about 1 MB for the longest."""
        parts = [self.about]
        for name, path in self.texts:
            text = path.read_text("utf-8", errors="replace")
            parts.append(f"{name}\n{'-' * len(name)}\n\n{text.strip()}\n")
        if not self.texts:
            parts.append("No license text came with it.\n")
        return "\n\n".join(parts)


def components() -> list[Component]:
    """What this program is made of, by name: the same packaged and from source."""
    if (PACKAGED / INDEX).is_file():
        return read_packaged(PACKAGED)
    return by_name(map(component_of, required("liverseg")))


def by_name(works: Iterable[Component]) -> list[Component]:
    """In the order in which they are listed."""
    return sorted(works, key=lambda component: component.name.lower())


def index(works: Iterable[Component]) -> str:
    """A table of name, version and license."""
    rows = [("Component", "Version", "License"), *((c.name, c.version, c.license) for c in works)]
    wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
    table = "".join(f"{n:<{wide[0]}}  {v:<{wide[1]}}  {text}\n" for n, v, text in rows)
    return (
        "LiverSeg, and the works of others that it is made with, each under a license of its own.\n"
        "What the default model was trained on is in its card: Models.\n\n" + table
    )


def read_packaged(folder: Path) -> list[Component]:
    """The components that a packaged program has in `folder`."""
    return by_name(_packaged(path.parent) for path in folder.glob(f"*/{ABOUT}"))


def _packaged(folder: Path) -> Component:
    about = HeaderParser().parsestr((folder / ABOUT).read_text("utf-8"))
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ABOUT)
    files.sort(key=lambda path: "NOTICE" not in path.name)
    return Component(
        about["Name"],
        about["Version"],
        about.get("License", ""),
        about.get("Home-page", ""),
        tuple((path.relative_to(folder).as_posix(), path) for path in files),
        about.get("Note", ""),
    )


def required(name: str) -> list[Distribution]:
    """The distribution `name` and all that it needs, as far as they are installed."""
    found: dict[str, Distribution] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(name, frozenset())]
    seen = set(waiting)
    while waiting:
        needed, extras = waiting.pop()
        try:
            installed = distribution(needed)
        except PackageNotFoundError:  # for another system
            continue
        found[normalized(needed)] = installed
        needs = set(_needs(installed, extras)) - seen
        seen |= needs
        waiting.extend(needs)
    return list(found.values())


def _needs(installed: Distribution, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Names of what it requires, with their extras; what only an extra needs, if that is wanted."""
    for requirement in installed.requires or ():
        of_extras = set(_OF_EXTRA.findall(requirement))
        match = _REQUIREMENT.match(requirement)
        if match and (not of_extras or of_extras & extras):
            names = (extra.strip() for extra in (match[2] or "").split(","))
            yield normalized(match[1]), frozenset(name for name in names if name)


def normalized(name: str) -> str:
    """The name of a distribution as all its spellings have it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_own(package: Distribution) -> bool:
    """Whether it is this program."""
    return normalized(package.name) == "liverseg"


def component_of(package: Distribution) -> Component:
    """A distribution with the texts that it brings, and those that are given for it."""
    given = GIVEN.get(normalized(package.name), Given((), ""))
    extra = ((name, paths.resource(f"licenses/{name}")) for name in given.texts)
    return Component(
        package.name,
        package.version,
        _license(package),
        _home_page(package),
        (*extra, *_texts(package)),
        given.why,
    )


def _texts(package: Distribution) -> Iterator[tuple[str, Path]]:
    for file in sorted(filter(_is_text, files_of(package))):
        path = Path(str(package.locate_file(file)))
        if path.is_file():
            yield _short(file), path


def files_of(package: Distribution) -> Iterator[PurePosixPath]:
    """The files of a distribution, from the folder that it is installed in.

    As `Distribution.files`, in a tenth of the time.
    """
    for row in csv.reader((package.read_text("RECORD") or "").splitlines()):
        if row:
            yield PurePosixPath(row[0])


def _is_text(file: PurePosixPath) -> bool:
    """Whether a file of a distribution is about its license, by its name."""
    if file.suffix.lower() in _NOT_A_TEXT:
        return False
    in_metadata = file.parts[0].endswith(".dist-info")
    return bool(_LICENSE_NAME.search(file.name)) or (in_metadata and "licenses" in file.parts)


def _short(file: PurePosixPath) -> str:
    """Its path without the folder of the metadata."""
    parts = file.parts
    if parts[0].endswith(".dist-info"):
        parts = parts[2:] if parts[1] == "licenses" and len(parts) > 2 else parts[1:]
    return "/".join(parts)


def _license(package: Distribution) -> str:
    """Its license in a few words; the words of its authors, which no list of names is held to."""
    stated = _metadata(package, "License-Expression") or _metadata(package, "License")
    if stated and "\n" not in stated and len(stated) <= _LONGEST_LICENSE:
        return stated
    kinds = [
        text.rpartition(" :: ")[2]
        for text in package.metadata.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    return ", ".join(kinds) or "see its text"


def _metadata(package: Distribution, field: str) -> str:
    return next(iter(package.metadata.get_all(field) or ()), "")


def _home_page(package: Distribution) -> str:
    urls = [line.partition(",") for line in package.metadata.get_all("Project-URL") or ()]
    links = {label.strip().lower(): link.strip() for label, _, link in urls}
    for label in ("homepage", "home", "repository", "source", "source code", "documentation"):
        if label in links:
            return links[label]
    return _metadata(package, "Home-page") or next(iter(links.values()), "")
