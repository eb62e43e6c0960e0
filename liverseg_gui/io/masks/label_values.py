"""Meaning of the values of a foreign mask: their names, a proposal, and the user's answer."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.labels import BACKGROUND, LIVER, TUMOR
from liverseg_gui.core.scan_issues import ScanIssue, info, warning

LabelMapping = Mapping[int, int]
"""The program's label (0, 1, 2) for a file's value; values not in it become background."""

_LABELS = {"background": BACKGROUND, "liver": LIVER, "tumor": TUMOR, "tumour": TUMOR}
_LABELS |= {str(label): label for label in (BACKGROUND, LIVER, TUMOR)}
_TUMOR = re.compile(
    r"tumou?r|tumeur|lesion|lasion|cancer|krebs|[ck]ar[cz]inom|neoplas|metasta|\bhccs?\b"
)
_LIVER = re.compile(r"liver|hepar|hepat|foie|leber|higado|fegato")
_OTHER = re.compile(
    r"vein|vena|vene|vaso|vessel|vascul|gefass|arter|portal|pfort|duct|bile|biliar|gall|cyst|kyst|"
    r"zyst|quist|ablat|margin|kidney|renal|niere|lung|pulmo|pancrea|pankrea|colon|spleen|splen|"
    r"milz|bone|knoch|stomach|magen|duoden|adrenal|brain|breast|bowel|bladder|heart|aorta"
)
_ORGANS = re.compile(
    r"spleen|milz|kidneys?|nieren?|pancreas|pankreas|stomach|magen|lungs?|gallbladder|gallenblase|"
    r"bladder|urinary|colon|duodenum|bowel|esophagus|oesophagus|aorta|vena|cava|ivc|veins?|"
    r"vessels?|hepaticvessels?|artery|arteries|cysts?|livercysts?|vertebrae|vertebra|ribs?|bones?|"
    r"heart|adrenal|prostate|brain|breast|femur|hip|sternum|sacrum|scapula|clavicula|humerus|"
    r"trachea|thyroid|spinal|autochthon|iliopsoas|gluteus|body|skin|muscle"
)
"""Words of file names that say: this is not the liver. Some, like "portal", may be a phase."""
_TUMOR_WORDS = re.compile(r"(liver|hepatic|leber)?(tumou?r(s|en)?|tumeurs?|lesions?|lasion(en)?)")
_DISEASES = re.compile(r"cancer|hccs?|carcinoma|metastas[ei]s|mets")
_LIVER_WORDS = re.compile(r"liver|leber|foie|higado|fegato|hepar|hepatic")
_TOGETHER = re.compile(r"\b(with|and|plus|incl\w*|mit|und|et|avec|bearing|whole|entire)\b")
_NEUTRAL = re.compile(
    r"\d+$|(label|mask|segment|segmentation|roi|seg|the|of|in|a|s|es|primary|malignant|target|"
    r"ct|organ|left|right|du|de|des|der|la|le|les|intrahepatic|cholangio\w*|lobes?|parenchyma|manual|auto|ai|final|v|zelle\w*)$"
)
_WITHOUT = re.compile(r"\b(without|excluding|excl|except|minus|ohne|sans)\b.*")
_LACKING = re.compile(rf"{_WITHOUT.pattern}|\b(no|non|not|wo|w o) \w+|\b\w+ (free|frei)\b")
"""What the name of a file says that its structure is not."""
_NOT = re.compile(r"\b(no|non|not|free)\b")
_LISTED = 12


@dataclass(frozen=True)
class FileLabel:
    """A label of a mask file: its value, its name there or nothing, and how many voxels have it.

    `by_file_name` where the name is not written in the file, but what the file is called.
    """

    value: int
    name: str
    voxels: int
    by_file_name: bool = False

    def __str__(self) -> str:
        return f"{self.value} ({self.name})" if self.name else str(self.value)


class UnknownLabelsError(UnreadableFileError):
    """A mask whose labels are not this program's and whose names do not tell what they are."""

    def __init__(self, path: Path, labels: tuple[FileLabel, ...], doubt: str = "") -> None:
        """Ask what `labels` of the file `path` are; `proposal` is what their names suggest.

        `doubt` says why what was said before of such labels is not taken.
        """
        self.path = path
        self.labels = labels
        self.proposal: LabelMapping = propose(labels)
        listed = ", ".join(map(str, labels[:_LISTED]))
        if len(labels) > _LISTED:
            listed += f" and {len(labels) - _LISTED} more"
        question = f"{doubt} Say which are liver and tumor with --labels."
        if not doubt:
            question = _question(labels, self.proposal)
        super().__init__(f"{path} holds the labels {listed}: {question}")


def _question(labels: tuple[FileLabel, ...], proposal: LabelMapping) -> str:
    """What to do about `labels`, with what is likely as the example."""
    named = {LIVER: "liver", TUMOR: "tumor"}
    pairs = [f"{value}={named[label]}" for value, label in proposal.items() if label in named]
    if not pairs and labels and all(_says_something(at.name) for at in labels):
        return (
            "none is named as liver or tumor. Choose the liver's mask; if a name is wrong, say "
            "which is the liver with --labels N=liver."
        )
    if not pairs:
        pairs = [f"{at.value}={name}" for at, name in zip(labels, named.values(), strict=False)]
    return f"say which are liver and tumor, e.g. --labels {','.join(pairs)}."


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


def _says_something(name: str) -> bool:
    """Whether a word in `name` is more than Segment or 1."""
    return any(not _NEUTRAL.match(word) for word in re.findall(r"[^\W_]+", _folded(name)))


def mapping_issues(labels: tuple[FileLabel, ...], mapping: LabelMapping) -> tuple[ScanIssue, ...]:
    """What to know where `mapping` follows the names of `labels` and not this program's values."""
    used = [label for label in labels if label.voxels]
    if all(mapping.get(label.value) == label.value for label in used):
        return ()
    if any(label.by_file_name for label in used):
        return (
            warning(
                "labels-by-file-name",
                f"The mask's file does not say what its values mean. By what it is called, "
                f"{mapping_text(mapping)}.",
                "Say otherwise with --labels, or rename the file, if that is wrong.",
            ),
        )
    return (info("labels-by-name", f"By the names in the mask's file, {mapping_text(mapping)}."),)


def mapping_text(mapping: LabelMapping) -> str:
    """E.g. "label 5 is liver, 7 is tumor"."""
    named = {LIVER: "liver", TUMOR: "tumor"}
    parts = [f"{value} is {named[label]}" for value, label in mapping.items() if label in named]
    return f"label {', '.join(parts)}"


def says_another_organ(name: str) -> bool:
    """Whether `name` is that of an organ or a structure, and not of the liver as a whole."""
    return bool(_OTHER.search(_folded(name)))


def name_of_class(stem: str) -> str:
    """What the name of a file says of the one structure in it: "liver", "tumor", "liver tumor".

    Or the word for another organ, or nothing. Only words that stand alone count: most names are a
    patient's, and those of diseases (hcc_006) too where there are numbers.
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    plain = re.sub(r"[\W\d_]+", " ", _folded(apart))
    words = _LACKING.sub("", plain).split()
    if others := [word for word in words if _ORGANS.fullmatch(word)]:
        return " ".join(others)
    diseases = not re.search(r"\d", stem) and any(map(_DISEASES.fullmatch, words))
    tumor = diseases or any(map(_TUMOR_WORDS.fullmatch, words))
    liver = any(map(_LIVER_WORDS.fullmatch, words))
    return " ".join(name for name, there in (("liver", liver), ("tumor", tumor)) if there)


def _folded(name: str) -> str:
    """`name` in lower case without accents."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def meaning(name: str) -> tuple[int, bool]:
    """The label that `name` suggests (liver, tumor, else background), and whether it is clear."""
    plain = _WITHOUT.sub("", re.sub(r"[\W_]+", " ", _folded(name).replace("+", " plus ")))
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
