"""Texts of scans, files and models as they may be shown: they say something and do nothing.

A name can hold what commands a terminal (ESC), ends a line, or turns the letters after it around
so that it reads as another one. All of that is shown as a replacement character.
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{SOFT HYPHEN}")
"""Invisible, and needed to write some languages."""
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Controls of terminals and of the direction of text, halves of characters, ends of lines."""
_LINE_END = re.compile(r"\s*\n\s*")


def printable(text: str) -> str:
    """`text` without anything that acts; its lines stay lines."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text.replace("\r\n", "\n")))


def one_line(text: str) -> str:
    """`text` on one line, without anything that acts."""
    return _LINE_END.sub(" ", printable(text))


def _shown(letter: str) -> str:
    if letter == "\n" or letter in _JOINERS:
        return letter
    if letter == "\t":
        return " "
    return REPLACEMENT if unicodedata.category(letter) in _INVISIBLE else letter
