"""Tables of an evaluation report, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from liverseg_gui.evaluation.lesion_detection import SIZES
from liverseg_gui.evaluation.report.text import counted_notes
from liverseg_gui.evaluation.summary import Summary

NONE = "-"
_METRICS = (
    ("Dice", "dice", 3),
    ("VOE %", "voe", 1),
    ("RVD %", "rvd", 1),
    ("ASSD mm", "assd_mm", 2),
    ("RMSD mm", "rmsd_mm", 2),
    ("MSSD mm", "mssd_mm", 1),
    ("Surface Dice", "nsd", 3),
)
_VOXELS = (
    ("Accuracy", "accuracy", 4),
    ("Precision", "precision", 3),
    ("Recall", "recall", 3),
    ("F1", "f1", 3),
    ("IoU", "iou", 3),
)
_LABELS = (("Liver", "liver"), ("Tumor", "tumor"))
MM_UNRELIABLE = "mm and ml are not reliable"


def means_table(values: dict[str, Any]) -> str:
    """Means over patients with their 95 % intervals, liver and tumor."""
    rows = []
    for title, key in _LABELS:
        cells = [
            _with_interval(values[key][name], values["intervals"][key][name], digits)
            for _, name, digits in _METRICS
        ]
        rows.append([title, *cells])
    caution = "" if values["mm_reliable"] else f" {MM_UNRELIABLE.capitalize()}."
    notes = "".join(f" {note}" for note in counted_notes(values))
    return _table(["", *(title for title, _, _ in _METRICS)], rows) + _note(
        "Means over the patients in whom a figure is defined, with the 95 % interval of the mean "
        "(bootstrap over patients). Tumor Dice is 1 where neither mask has a tumor, 0 where one "
        f"has.{notes}{caution}"
    )


def whole_set_table(values: dict[str, Any]) -> str:
    """What only a whole data set has."""
    with_tumor, healthy, whole = (values[key] for key in ("with_tumor", "false_positive", "global"))
    false = NONE
    if healthy["patients"]:
        of_liver = number(healthy["tumor_percent_of_liver"], 2)
        caution = "" if values["mm_reliable"] else f" ({MM_UNRELIABLE})"
        false = f"{number(healthy['tumor_ml'], 2)} ml, {of_liver} % of the liver{caution}"
    rows = [
        ["Dice of the liver, all voxels pooled", number(whole["liver"]["dice"], 3)],
        ["Dice of the tumors, all voxels pooled", number(whole["tumor"]["dice"], 3)],
        [
            f"Mean tumor Dice of the {with_tumor['patients']} patients with a tumor",
            _with_interval(with_tumor["tumor_dice"], with_tumor["interval"], 3),
        ],
        [
            "Tumor burden, root mean square error, percentage points",
            number(values["tumor_burden_rmse_percent"], 2),
        ],
        [
            f"False tumor in the {healthy['patients']} patients without one",
            false,
        ],
    ]
    return _table(["", ""], rows)


def patients_table(summary: Summary) -> str:
    """A row for each patient, numbered."""
    heads = ["#", "Patient"]
    heads += [f"{title} {name}" for title, _ in _LABELS for name, _, _ in _SHORT]
    heads += ["Lesions found", "F1", "Burden error %", "False tumor ml"]
    rows = []
    for n, case in enumerate(summary.cases, 1):
        values = case.to_json()
        lesions = values["lesions"]
        cells = [number(values[key][name], d) for _, key in _LABELS for _, name, d in _SHORT]
        rows.append(
            [
                str(n),
                escape(case.name) + ("" if case.mm_reliable else f" ({MM_UNRELIABLE})"),
                *cells,
                f"{lesions['true_matched']} of {lesions['true']}",
                number(lesions["f1"], 2),
                number(values["tumor_burden"]["error_percent"], 2),
                number(values["false_positive"]["tumor_ml"], 2),
            ]
        )
    return _table(heads, rows, name_column=1) + _note(
        "Lesions count as found at an IoU above 0.5. False tumor is given for patients without "
        f"one. {NONE} is a figure that is not defined."
    )


_SHORT = tuple(row for row in _METRICS if row[1] in ("dice", "rvd", "assd_mm", "nsd"))


def lesions_table(values: dict[str, Any]) -> str:
    """Precision, recall and F1 of lesions at both thresholds: per patient, pooled, by size."""
    rows = []
    for title, at in (("IoU > 0.5", ()), ("any overlap", ("any_overlap",))):
        mean, pooled, spread = (
            _below(table, at)
            for table in (
                values["lesions"],
                values["global"]["lesions"],
                values["intervals"]["lesions"],
            )
        )
        cells = [_with_interval(mean[name], spread[name], 2) for name in _DETECTION]
        rows.append([f"{title}, mean over patients", *cells, "", ""])
        rows.append(_lesion_row(f"{title}, all lesions pooled", pooled))
        if pooled["from_10_mm"] is not None:
            rows.append(_lesion_row(f"{title}, 10 mm and more", pooled["from_10_mm"]))
        if pooled["by_size"] is not None:
            rows += [_lesion_row(f"{title}, {s} mm", pooled["by_size"][s]) for s in SIZES]
    heads = ["", "Precision", "Recall", "F1", "Right / found", "Found / true"]
    return _table(heads, rows)


_DETECTION = ("precision", "recall", "f1")


def voxels_table(values: dict[str, Any]) -> str:
    """Accuracy and its companions, with what they are worth."""
    rows = [
        [title, *(number(values[key][name], digits) for _, name, digits in _VOXELS)]
        for title, key in _LABELS
    ]
    empty = values["empty_mask_accuracy"]["tumor"]
    here = "" if empty is None else f" On these patients it would have {100 * empty:.2f} %."
    return _table(["", *(title for title, _, _ in _VOXELS)], rows) + _note(
        "Accuracy counts the background: with half a percent of tumor voxels a mask without a "
        f"single tumor scores 99.5 %.{here} Means over patients."
    )


def number(value: float | None, digits: int) -> str:
    """`value` with so many digits, or a dash where it is not defined."""
    return NONE if value is None else f"{value:.{digits}f}"


def _lesion_row(title: str, counts: dict[str, Any]) -> list[str]:
    return [
        title,
        *(number(counts[name], 2) for name in _DETECTION),
        f"{counts['found_matched']} / {counts['found']}",
        f"{counts['true_matched']} / {counts['true']}",
    ]


def _below(table: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    for key in keys:
        table = table[key]
    return table


def _with_interval(value: float | None, interval: Sequence[float] | None, digits: int) -> str:
    text = number(value, digits)
    if value is None or interval is None:
        return text
    low, high = (number(end, digits) for end in interval)
    return f'{text}<br><span class="interval">({low} to {high})</span>'


def _note(text: str) -> str:
    return f'<p class="note">{text}</p>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], name_column: int = 0) -> str:
    """An HTML table; the cells are escaped already."""

    def cell(tag: str, column: int, text: str) -> str:
        style = ' class="name"' if column == name_column else ""
        return f"<{tag}{style}>{text}</{tag}>"

    head = "".join(cell("th", n, escape(text)) for n, text in enumerate(heads))
    body = "\n".join(
        "<tr>" + "".join(cell("td", n, text) for n, text in enumerate(row)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><tr>{head}</tr>\n{body}</table></div>'
