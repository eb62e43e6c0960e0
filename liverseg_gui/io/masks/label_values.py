"""Meaning of the values of a foreign mask: their names, a proposal, and the user's answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.labels import BACKGROUND, LIVER, TUMOR

LabelMapping = Mapping[int, int]
"""The program's label (0, 1, 2) for a file's value; values not in it become background."""

_LABELS = {"background": BACKGROUND, "liver": LIVER, "tumor": TUMOR, "tumour": TUMOR}
_LABELS |= {str(label): label for label in (BACKGROUND, LIVER, TUMOR)}
_TUMOR = re.compile(r"tumou?r|tumeur|lesion|läsion|cancer|carcinom|neoplas|metasta|\bhccs?\b")
_LIVER = re.compile(r"liver|hepar|hepat|foie|leber")
_OTHER = re.compile(
    r"vein|vena|vessel|vascul|arter|portal|duct|bile|biliar|gall|cyst|kyst|ablat|margin|"
    r"kidney|renal|lung|pulmo|pancrea|colon|spleen|splen|bone|stomach|duoden|adrenal|brain|breast"
)
_TOGETHER = re.compile(r"\b(with|and|plus|incl\w*|mit|und|et|avec|bearing|whole|entire)\b")
_NEUTRAL = re.compile(
    r"\d+$|(label|mask|segment|segmentation|roi|seg|the|of|in|a|s|es|primary|malignant|target|"
    r"ct|organ|left|right|lobes?|parenchyma|manual|auto|ai|final|v|zelle\w*)$"
)
_WITHOUT = re.compile(r"\b(without|excluding|excl|except|minus|ohne|sans)\b.*")
_NOT = re.compile(r"\b(no|non|not|free)\b")
_LISTED = 12


@dataclass(frozen=True)
class FileLabel:
    """A label of a mask file: its value, its name there or nothing, and how many voxels have it."""

    value: int
    name: str
    voxels: int

    def __str__(self) -> str:
        return f"{self.value} ({self.name})" if self.name else str(self.value)


class UnknownLabelsError(UnreadableFileError):
    """A mask whose labels are not this program's and whose names do not tell what they are."""

    def __init__(self, path: Path, labels: tuple[FileLabel, ...]) -> None:
        """Ask what `labels` of the file `path` are; `proposal` is what their names suggest."""
        self.path = path
        self.labels = labels
        self.proposal: LabelMapping = propose(labels)
        listed = ", ".join(map(str, labels[:_LISTED]))
        if len(labels) > _LISTED:
            listed += f" and {len(labels) - _LISTED} more"
        super().__init__(
            f"{path} holds the labels {listed}: say which are liver and tumor, e.g. "
            f"--labels {_example(labels, self.proposal)}."
        )


def _example(labels: tuple[FileLabel, ...], proposal: LabelMapping) -> str:
    named = {LIVER: "liver", TUMOR: "tumor"}
    pairs = [f"{value}={named[label]}" for value, label in proposal.items() if label in named]
    if not pairs:
        pairs = [f"{at.value}={name}" for at, name in zip(labels, named.values(), strict=False)]
    return ",".join(pairs)


def parse_labels(text: str) -> LabelMapping:
    """The mapping written as e.g. "5=liver,6=tumor"; also 0, 1, 2 for the words.

    Raises:
        LiverSegError: it makes no sense.
    """
    mapping: dict[int, int] = {}
    for part in text.split(","):
        value, equals, name = (piece.strip() for piece in part.partition("="))
        if not (equals and value.isascii() and value.isdecimal() and name.lower() in _LABELS):
            raise LiverSegError(
                f"The labels '{text}' can't be understood at '{part.strip()}'. Write the mask's "
                "value, =, and liver, tumor or background, with commas between: 5=liver,6=tumor."
            )
        if int(value) in mapping:
            raise LiverSegError(f"The labels '{text}' name the value {value} twice. Name it once.")
        mapping[int(value)] = _LABELS[name.lower()]
    return mapping


def signature(labels: tuple[FileLabel, ...]) -> str:
    """A stable key of the values and names of `labels`, the same for masks of one making."""
    plain = sorted((label.value, label.name.strip().lower()) for label in labels)
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def propose(labels: tuple[FileLabel, ...]) -> LabelMapping:
    """What the names of `labels` suggest; background where they suggest nothing."""
    return {label.value: meaning(label.name)[0] for label in labels}


def own_mapping(labels: tuple[FileLabel, ...]) -> LabelMapping | None:
    """The mapping of `labels` that need no question, or None.

    It is plain where each label in use has a name that is clearly liver or tumor, and where the
    file names nothing and holds this program's values alone.
    """
    used = [label for label in labels if label.voxels]
    if not any(label.name for label in used):
        plain = all(label.value in (LIVER, TUMOR) for label in used)
        return {label.value: label.value for label in used} if plain else None
    if all(meaning(label.name)[1] for label in used):
        return propose(labels)
    return None


def meaning(name: str) -> tuple[int, bool]:
    """The label that `name` suggests (liver, tumor, else background), and whether it is clear."""
    plain = _WITHOUT.sub("", re.sub(r"[\W_]+", " ", name.lower().replace("+", " plus ")))
    liver, tumor = bool(_LIVER.search(plain)), bool(_TUMOR.search(plain))
    if not liver and not tumor:
        return BACKGROUND, False
    if liver and tumor and _TOGETHER.search(plain):
        return LIVER, False
    suggested = TUMOR if tumor else LIVER
    if _OTHER.search(plain):
        return (suggested if liver and tumor else BACKGROUND), False
    if _NOT.search(plain):
        return (LIVER if liver else BACKGROUND), False
    known = re.compile(f"{_LIVER.pattern}|{_TUMOR.pattern}|{_NEUTRAL.pattern}")
    rest = [word for word in plain.split() if not known.match(word)]
    return suggested, not rest
