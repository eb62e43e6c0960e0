"""A letter for every entry of a menu, so that it can be chosen with Alt and keys alone."""

from __future__ import annotations

from collections.abc import Iterable


def with_mnemonic(text: str, taken: set[str]) -> str:
    """`text` with "&" before a letter that is not among `taken`, which then holds it too.

    First letters of words are preferred, and a text that has a mnemonic keeps it. In a menu with
    more entries than letters the last ones share theirs: pressing it goes from one to the next.
    """
    own = _mnemonic_of(text)
    if own:
        taken.add(own)
        return text
    for at in (*_word_starts(text), *range(len(text))):
        letter = text[at].lower()
        if letter.isalnum() and letter not in taken:
            taken.add(letter)
            return f"{text[:at]}&{text[at:]}"
    return f"&{text}"


def plain(text: str) -> str:
    """A menu's text as it is read: no mnemonic, no dots that promise a dialog."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").removesuffix(" ...")


def _mnemonic_of(text: str) -> str:
    at = text.replace("&&", "  ").find("&")
    return text[at + 1].lower() if 0 <= at < len(text) - 1 else ""


def _word_starts(text: str) -> Iterable[int]:
    return (at for at in range(len(text)) if at == 0 or text[at - 1] in " (/")
