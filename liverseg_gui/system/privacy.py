"""Privacy of logs and error reports: file paths are shortened, known names removed.

A path may carry a name, so what is written down keeps a hash and the ending only: enough to see
that two lines speak of the same file. What the open scan says of its patient is registered with
`remember_secret` and replaced wherever it appears.
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import permutations
from pathlib import Path

HIDDEN = "[patient]"

_ENDINGS = (
    r"(?:(?:nii|hdr|img|nhdr|nrrd|seg)(?:\.gz)?|mha|mhd|raw|dcm|dicom|ima|zip|tar|tgz|gz|json|csv|"
    r"pdf|png|jpe?g|txt|log|npy|xml|html?)"
)
_NAME = r"[^\\/\r\n\"'<>|*?:]"
_SEPARATOR = r"[\\/]+"
_LAST = rf"(?:{_NAME}{{1,120}}?\.{_ENDINGS}\b|[^\s\\/\"'<>|*?:;,()\[\]]*)"
_ROOT = rf"(?:[A-Za-z]:|~\w*|\.\.?)?{_SEPARATOR}(?=[^\s\\/])"
_QUOTED = rf"(?<=[\"']){_ROOT}[^\"'\r\n]*(?=[\"'])"
_ROOTED = rf"(?<![\w.~\\/]){_ROOT}(?:{_NAME}{{1,120}}{_SEPARATOR})*{_LAST}"
_BARE = rf"(?<![\w.^~+\-\\/])[\w.^~+\-\\/]{{1,250}}\.{_ENDINGS}\b"
_BELOW = rf"(?![\w-])(?:{_SEPARATOR}{_NAME}{{1,120}}?(?={_SEPARATOR}))*(?:{_SEPARATOR}{_LAST})?"
_PATHS = re.compile(f"{_QUOTED}|{_ROOTED}|{_BARE}", re.IGNORECASE)
_PROGRAM = re.compile(
    r"[\\/](?=(?:liverseg_gui|training|site-packages|lib[\\/]python3[^\\/]*)[\\/])"
)
_SHORTEST = 3
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f"
    "\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)
"""Letters of scripts that put no space between words: a name begins and ends anywhere."""
_WORDS = (
    " ai am an ap as at be by ct do el ex go gt hd he hi hu id if in is it iv kv la lr lt mg ml mm"
    " mr ms my ne nm no of ok on or os pa pc pm px re rt sd se so to tr ui up us we "
)
"""Words and units of two letters that are no name where they stand alone."""

_WITHOUT_ACCENT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})

_BEGIN, _END = r"(?<![^\W_])", r"(?![^\W_])"

_secrets: dict[str, re.Pattern[str]] = {}
_folders: set[str] = set()
_lock = threading.Lock()


def remember_secret(text: str) -> None:
    """Have `text` (a patient's name, id or date) and each part of it removed by `scrub`.

    A part of one letter, or a word of two that is common, is removed beside the other parts alone:
    they would be found everywhere.
    """
    whole = " ".join(text.replace("^", " ").split())
    _remember({text.strip(), whole, *_parts(text)})
    for group in text.split("="):  # the same name in Latin letters, ideographs and sounds
        _remember_name(_parts(group))


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s^,;=_\u30fb]+", text) if part]


def _remember_name(parts: Sequence[str]) -> None:
    """Have a name removed in any order of its first parts, and those of two letters alone."""
    patterns: list[tuple[tuple[str, ...], str]] = []
    for few in permutations(parts[:3], 2):
        patterns.append((few, r"[\W_]*".join(map(re.escape, few))))
    for part in parts:
        if len(part) < _SHORTEST and part.isalpha() and f" {part.lower()} " not in _WORDS:
            short = len(part) == 1 and not _SPACELESS.match(part)
            patterns += [] if short else [((part,), _as_a_name(part))]
    with _lock:
        for key, pattern in patterns:
            spaceless = all(map(_SPACELESS.search, key)) and len("".join(key)) > 1
            edged = pattern if spaceless else f"{_BEGIN}(?:{pattern}){_END}"
            flags = re.IGNORECASE if len(key) > 1 else re.NOFLAG
            _secrets.setdefault("\0".join(key).casefold(), re.compile(edged, flags))


def _as_a_name(part: str) -> str:
    """A pattern for `part` as names are written: with a capital, or in capitals."""
    return "|".join(map(re.escape, dict.fromkeys((part.title(), part.upper()))))


def remember_case(name: str) -> None:
    """Have the name of a labelled case removed by `scrub`, where it stands as a whole.

    Its parts stay: those of "liver_012" are words that are needed.
    """
    _remember({name.strip()})


def _remember(texts: Iterable[str]) -> None:
    with _lock:
        for part in texts:
            if len(part) >= _SHORTEST:
                spaceless = _SPACELESS.search(part)
                forms = _accented(part) if spaceless else [*_accented(part), *_plain(part)]
                pattern = "|".join(map(re.escape, dict.fromkeys(forms)))
                edged = pattern if spaceless else f"{_BEGIN}(?:{pattern}){_END}"
                _secrets.setdefault(part.casefold(), re.compile(edged, re.IGNORECASE))


def _accented(text: str) -> list[str]:
    return [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]


def _plain(text: str) -> list[str]:
    """`text` as it is typed without its accents: "Müller" is "Muller" and "Mueller"."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return [bare, unicodedata.normalize("NFC", text).casefold().translate(_WITHOUT_ACCENT)]


def remember_path(path: Path) -> None:
    """Have `path`, and its name alone, shortened by `scrub`, even where they hold spaces."""
    texts = {str(path), path.as_posix(), path.name}
    with _lock:
        _folders.update(text for text in texts if len(text) > _SHORTEST)


def forget_secrets() -> None:
    """Forget everything that was remembered."""
    with _lock:
        _secrets.clear()
        _folders.clear()


def scrub(text: str) -> str:
    """`text` with every file path shortened to `.../<8 hex>.<ending>` and no secret left.

    Paths of the program's own code keep what lies below their package: a traceback stays useful.
    """
    with _lock:
        folders = sorted(_folders, key=len, reverse=True)
        secrets = sorted(_secrets.items(), key=lambda item: len(item[0]), reverse=True)
    for folder in folders:
        if folder in text:
            text = re.sub(rf"(?<![\w.-]){re.escape(folder)}{_BELOW}", _short_match, text)
    text = _PATHS.sub(lambda match: _short(match.group()), text)
    for _, pattern in secrets:
        text = pattern.sub(HIDDEN, text)
    return text


def _short_match(match: re.Match[str]) -> str:
    return _short(match.group())


def _short(path: str) -> str:
    """A path without its names; what `_short` made already stays."""
    if re.fullmatch(r"\.\.\.[\\/][0-9a-f]{8}(\.\w+)*", path):
        return path
    if path.endswith(".py") and (program := _PROGRAM.search(path)):
        return path[program.end() :]
    name = re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    ending = re.search(rf"\.(?:{_ENDINGS}|py)$", name, re.IGNORECASE)
    digest = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f".../{digest}{ending.group().lower() if ending else ''}"
