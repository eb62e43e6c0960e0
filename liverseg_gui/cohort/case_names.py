"""Names of the cases of a cohort: stable, unique, and without names of patients."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.io.file_endings import ARCHIVES, IMAGES, without_ending

_ENDINGS = (*IMAGES, *ARCHIVES, ".dcm")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_LONGEST_BYTES = 100
_SHORTEST_INSIDE = 3


@dataclass(frozen=True)
class Place:
    """Where a volume lies: which one (from 1) at `path`, and whose it is.

    A `public` name, by which a published data set calls the patient, stands for all of that.
    """

    path: Path
    nth: int = 1
    patient: tuple[str, ...] = ()
    public: str = ""


def case_names(root: Path, places: Sequence[Place]) -> list[str]:
    """A file's name, without ending, for each of `places` below `root`.

    It is made of the folders and the file, joined by two underscores, with "_2" for the second
    volume there. A part that holds the patient's name or id is replaced by a hash of it. Names
    that would be alike (on any system: upper case does not tell them apart) or too long end in a
    hash of the whole path.
    """
    plain = [_plain(root, place) for place in places]
    counts = Counter(name.casefold() for name in plain)
    return [
        name
        if counts[name.casefold()] == 1 and len(name.encode()) <= _LONGEST_BYTES
        else f"{_shortened(name)}_{_digest(f'{_below(root, place.path)} {place.nth}')}"
        for name, place in zip(plain, places, strict=True)
    ]


def _below(root: Path, path: Path) -> str:
    """`path` from `root` on, with slashes; its own name where it is the root."""
    below = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return below.as_posix() if below.parts else path.name


def _plain(root: Path, place: Place) -> str:
    *folders, last = _below(root, place.path).split("/")
    parts = [*folders, without_ending(last, _ENDINGS)]
    secrets = [token for text in place.patient for token in _tokens(text)]
    if place.public:
        parts, secrets = [place.public], []
    safe_parts = [
        f"p{_digest(part)}" if any(_holds(part, token) for token in secrets) else _safe(part)
        for part in parts
    ]
    name = "__".join(part for part in safe_parts if part) or "scan"
    name = name if place.nth == 1 else f"{name}_{place.nth}"
    return f"_{name}" if _RESERVED.match(name) else name


def _safe(part: str) -> str:
    """`part` with letters, digits, dots, dashes and underscores alone."""
    text = unicodedata.normalize("NFC", part)
    return re.sub(r"[^\w.-]", "_", text).strip("._-")


def _tokens(patient: str) -> set[str]:
    """The words of a patient's name or id, and the whole without what stands between them."""
    words = [_squeezed(word) for word in re.split(r"[\s^,;=_]+", patient)]
    return {word for word in (*words, _squeezed(patient)) if len(word) > 1}


def _holds(part: str, token: str) -> bool:
    if len(token) < _SHORTEST_INSIDE:
        return token in re.split(r"[\W_]+", part.casefold())
    return token in _squeezed(part)


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", text).casefold())


def _shortened(name: str) -> str:
    """The end of `name`, which distinguishes better than its beginning."""
    return name.encode()[-_LONGEST_BYTES:].decode(errors="ignore").strip("._-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
