"""Names of the values of a mask: in the file's own header, in a file beside it, in its file name.

Formats: the label table of Connectome Workbench that TotalSegmentator writes into NIfTI, 3D
Slicer's .seg.nrrd, MITK's label sets, dataset.json of the Decathlon and nnU-Net, label
descriptions of ITK-SNAP, color tables of 3D Slicer and FreeSurfer, and label tables of BIDS.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.dataset_names import image_stem
from liverseg_gui.io.masks.label_values import meaning, name_of_class

Names = Mapping[int, str]
"""The name of each value; empty where nothing names any."""

_HIGHEST = 65535
_LARGEST_FILE = 1 << 20
_SEGMENT = re.compile(r"Segment(\d+)_Name")
_NUMBERED = re.compile(r"(?:label|segment|class|roi|structure)[ _-]*0*(\d+)(?:[ _-]*name)?", re.I)
_LABEL_XML = re.compile(
    r"<label\b[^>]*\b(?:key|id|value)\s*=\s*[\"'](\d+)[\"'][^>]*>(.*?)</label>", re.S | re.I
)
_PROPERTY = re.compile(
    r"key\s*=\s*[\"'](name|value)[\"'][^>]*>(?:\s|\\n)*<\w+\s+value\s*=\s*[\"']([^\"']*)"
)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.S)
_SNAP = re.compile(r"\s*(\d+)(?:\s+[\d.]+){6}\s+\"([^\"]*)\"")
_COLORS = re.compile(r"\s*(\d+)\s+(\D\S*)(?:\s+\d+){3,4}\s*")
_TABLE = re.compile(r"(\d+)\t\s*([^\t]+)(?:\t.*)?")
_LINE = re.compile(r"\s*(\d+)\s*[:=,]\s*\"?([^\W\d][\w .()/+-]*)\"?\s*")
_WORDS = re.compile(r"\s*(\d+)\s+([^\W\d][\w .()/+-]*)")
_PAIR = re.compile(r"\b(\d+)\s*[:=]?\s+([A-Za-z][\w -]*)")


@dataclass(frozen=True)
class Segment:
    """A segment that a file names: its layer and its value there."""

    layer: int
    value: int
    name: str


def nifti_names(header: Any) -> Names:
    """The names in the extensions of a NIfTI `header`, or in the description this program writes.

    An extension that cannot be understood names nothing.
    """
    for extension in header.extensions:
        content = extension.get_content()
        if isinstance(content, bytes):
            content = content.decode("utf-8", "replace")
        if isinstance(content, str) and (names := _of_text(content.strip("\0 "))):
            return names
    description = bytes(header["descrip"]).rstrip(b"\0").decode("latin1")
    if description.startswith("LiverSeg "):
        return {LIVER: "liver", TUMOR: "tumor"}
    if description.lower().startswith("labels:"):
        return _plain((n, name) for n, name in _PAIR.findall(description))
    return {}


def slicer_segments(notes: Mapping[str, str], layered: bool) -> list[Segment]:
    """The segments that a .seg.nrrd of 3D Slicer names, in one layer or `layered`.

    Slicer before 4.11 gave neither layers nor values: each segment was a layer of 0 and 1.

    Raises:
        ValueError: a number is none.
    """
    numbers = sorted(int(match[1]) for key in notes if (match := _SEGMENT.fullmatch(key)))
    return [
        Segment(
            int(notes.get(f"Segment{n}_Layer", n if layered else 0)),
            int(notes.get(f"Segment{n}_LabelValue", 1 if layered else n + 1)),
            notes[f"Segment{n}_Name"],
        )
        for n in numbers
    ]


def noted_names(notes: Mapping[str, str]) -> Names:
    """The names in the pairs of an NRRD or MetaImage header: MITK's, or Label1 = liver."""
    for text in notes.values():
        if text.startswith(("[", "{", "<")) and (names := _of_text(text)):
            return names
    mitk = [dict(_PROPERTY.findall(text)) for text in notes.values() if "<" in text]
    if names := _plain((label["value"], label["name"]) for label in mitk if len(label) == 2):
        return names
    numbered = ((_NUMBERED.fullmatch(key), text) for key, text in notes.items())
    return _plain((match[1], text) for match, text in numbered if match)


def names_beside(mask: Path) -> Names:
    """The names that a file beside `mask` gives its values.

    It has the mask's name and ends in .json, .label, .txt, .ctbl or .tsv; or it is a dataset.json
    in the mask's folder, or beside a folder of labels.
    """
    stem = image_stem(mask)
    own = [mask.with_name(stem + ending) for ending in (".json", ".label", ".txt", ".ctbl", ".tsv")]
    data_sets = [mask.with_name("dataset.json")]
    if mask.parent.name.startswith("labels"):
        data_sets.append(mask.parent.parent / "dataset.json")
    for file in (*(own if stem else ()), *data_sets):
        if names := _of_text(_read(file)):
            return names
    return {}


def name_by_file(mask: Path, scan: Path) -> str:
    """What the name of the file `mask` says its one structure is; nothing for most names.

    What the scan is called says nothing of its mask, except where it is an organ.
    """
    stem, of_scan = image_stem(mask), image_stem(scan) or scan.name
    stem = stem.removesuffix(".seg")
    if of_scan and stem.lower().startswith(of_scan.lower()):
        rest = stem[len(of_scan) :]
        if named := name_of_class(rest):
            return named
        if rest.lower() == "_mask":
            return ""
        named = name_of_class(stem)
        of_patient = bool(rest) or any(letter.isdigit() for letter in stem)
        return "" if of_patient and meaning(named)[1] else named
    if named := name_of_class(stem):
        return named
    return "" if meaning(named := name_of_class(mask.parent.name))[1] else named


def _of_text(text: str) -> Names:
    """The names in the text of a header or file of any of the formats."""
    if text.startswith(("{", "[")):
        try:
            return _of_json(parse_json(text))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return {}
    if labels := _LABEL_XML.findall(text):
        return _plain((key, html.unescape(_CDATA.sub(r"\1", name))) for key, name in labels)
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for pattern, least in ((_SNAP, 1), (_COLORS, 1), (_TABLE, 1), (_LINE, 1), (_WORDS, 2)):
        found = [match for line in lines if (match := pattern.fullmatch(line))]
        if len(found) >= max(least, len(lines) - 1):  # a table may have a head
            return _plain((match[1], match[2]) for match in found)
    return {}


def _of_json(values: Any) -> Names:
    """{"labels": {"1": "liver"}}, {"liver": 1}, nnU-Net's [1, 2], or a list of {name, value}."""
    if isinstance(values, list):
        listed = [one for item in values for one in _listed(item)]
        return _plain((one.get("value", one.get("id")), one["name"]) for one in listed)
    lists = ("labels", "label_names", "names")
    named: Any = next((values[key] for key in lists if key in values), None)
    if named is None:
        return _plain(values.items()) if all(_is_number(key) for key in values) else {}
    if isinstance(named, list):
        return _of_json(named)
    pairs = [_pair(key, value) for key, value in named.items()]
    names: dict[int, str] = {}
    for name, numbers in sorted(pairs, key=lambda pair: -len(pair[1])):  # the narrowest name last
        names |= dict.fromkeys(numbers, name)
    return _plain(names.items())


def _listed(item: Any) -> list[Mapping[str, Any]]:
    """The labels of an item of a list: itself, or those of MITK's group of labels."""
    labels: list[Mapping[str, Any]] = item.get("labels", [item])
    return labels


def _pair(key: str, value: Any) -> tuple[str, list[int]]:
    """A name and its values: {"1": "liver"} (Decathlon) or {"liver": 1} or [1, 2] (nnU-Net)."""
    if isinstance(value, str) and _is_number(key):
        return value, [int(key)]
    return key, [int(v) for v in (value if isinstance(value, list) else [value])]


def _is_number(key: Any) -> bool:
    return isinstance(key, str) and key.isascii() and key.isdecimal()


def _plain(pairs: Iterable[tuple[Any, Any]]) -> dict[int, str]:
    """The names of values that a mask can hold; the background has none."""
    names = {int(value): name.strip() for value, name in pairs if isinstance(name, str)}
    return {value: name for value, name in names.items() if 0 < value <= _HIGHEST and name}


def _read(file: Path) -> str:
    """The text of `file`; nothing where there is none of a list's size."""
    try:
        if not file.is_file() or file.stat().st_size > _LARGEST_FILE:
            return ""
        return file.read_text("utf-8-sig", errors="replace").strip()
    except OSError:
        return ""
