"""Metrics of an evaluation as plain text, and as CSV with a row for each patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from liverseg_gui.evaluation.case_metrics import CaseMetrics, Json
from liverseg_gui.evaluation.summary import Summary
from liverseg_gui.system.atomic_write import require_place, write_text
from liverseg_gui.system.csv_table import csv_table
from liverseg_gui.system.plain_text import one_line

NONE = "-"
_HEADS = (
    ("patient", "liver", "liver", "liver", "liver", "tumor", "tumor", "tumor", "lesions", "lesion"),
    ("", "Dice", "RVD %", "ASSD mm", "NSD", "Dice", "ASSD mm", "NSD", "found", "F1"),
)
_CELLS = (
    ("liver", "dice", 3),
    ("liver", "rvd", 1),
    ("liver", "assd_mm", 2),
    ("liver", "nsd", 3),
    ("tumor", "dice", 3),
    ("tumor", "assd_mm", 2),
    ("tumor", "nsd", 3),
)
_LONGEST_NAME = 32


def table(summary: Summary) -> str:
    """A row for each patient, the means with their intervals, and the metrics of the whole set."""
    values = summary.to_json()
    rows = [_case_row(case) for case in summary.cases]
    lesions = values["global"]["lesions"]
    rows.append(
        [
            "mean",
            *_metric_cells(values),
            f"{lesions['true_matched']}/{lesions['true']}",
            _number(values["lesions"]["f1"], 2),
        ]
    )
    lines = _aligned([*_HEADS, *rows])
    lines.insert(len(_HEADS), "-" * max(map(len, lines)))
    lines.insert(len(lines) - 1, lines[len(_HEADS)])
    if not values["mm_reliable"]:
        lines.append("* mm and ml not reliable")
    return "\n".join([*lines, "", *_whole(values)])


def _case_row(case: CaseMetrics) -> list[str]:
    values = case.to_json()
    lesions = values["lesions"]
    mark = "" if case.mm_reliable else " *"
    return [
        f"{_printable(case.name)}{mark}",
        *_metric_cells(values),
        f"{lesions['true_matched']}/{lesions['true']}",
        _number(lesions["f1"], 2),
    ]


def _metric_cells(values: Json) -> list[str]:
    return [_number(values[label][name], digits) for label, name, digits in _CELLS]


def _printable(name: str) -> str:
    plain = one_line(name)
    return plain if len(plain) <= _LONGEST_NAME else f"{plain[: _LONGEST_NAME - 3]}..."


def _whole(values: Json) -> Iterator[str]:
    """Sentences of what only a whole set has."""
    for label in ("liver", "tumor"):
        yield f"{label.capitalize()} Dice {_spread(values, label, 'dice')}, " + (
            f"pooled {values['global'][label]['dice']:.3f}"
        )
    yield from counted_notes(values)
    with_tumor, healthy = values["with_tumor"], values["false_positive"]
    if with_tumor["patients"]:
        yield (
            f"Tumor Dice of the {with_tumor['patients']} with a tumor "
            f"{_number(with_tumor['tumor_dice'], 3)}{_interval(with_tumor['interval'], 3)}"
        )
    for title, counts in (
        ("IoU > 0.5", values["global"]["lesions"]),
        ("any overlap", values["global"]["lesions"]["any_overlap"]),
    ):
        yield (
            f"Lesions, {title}, pooled: precision {_number(counts['precision'], 2)} "
            f"({counts['found_matched']}/{counts['found']}), recall "
            f"{_number(counts['recall'], 2)} ({counts['true_matched']}/{counts['true']}), "
            f"F1 {_number(counts['f1'], 2)}"
        )
    yield (
        "Tumor burden, root mean square error "
        f"{_number(values['tumor_burden_rmse_percent'], 2)} percentage points"
    )
    if healthy["patients"]:
        yield (
            f"False tumor in the {healthy['patients']} without one: "
            f"{_number(healthy['tumor_ml'], 2)} ml, "
            f"{_number(healthy['tumor_percent_of_liver'], 2)} % of the liver"
            f"{'' if values['mm_reliable'] else '  (mm and ml not reliable)'}"
        )
    empty = values["empty_mask_accuracy"]["tumor"]
    yield (
        f"Voxel accuracy: liver {_number(values['liver']['accuracy'], 4)}, tumor "
        f"{_number(values['tumor']['accuracy'], 4)} (an empty mask: {_number(empty, 4)})"
    )


def counted_notes(values: Json) -> Iterator[str]:
    """Sentences for the labels whose distances are means over a part of the patients."""
    patients = values["patients"]
    for label in ("liver", "tumor"):
        counted, missed = values["counted"][label].get("assd_mm", 0), values["missed"][label]
        if 0 < counted < patients:
            yield (
                f"Distances of the {label} are means over {counted} of {patients} patients: those "
                "in whom both masks have one."
            )
        if missed:
            yield f"The {label} was missed altogether in {missed} of {patients} patients."


def _spread(values: Json, label: str, name: str) -> str:
    return _number(values[label][name], 3) + _interval(values["intervals"][label][name], 3)


def _interval(interval: Sequence[float] | None, digits: int) -> str:
    if interval is None:
        return ""
    return f" (95 % {interval[0]:.{digits}f} to {interval[1]:.{digits}f})"


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            text.ljust(width) if n == 0 else text.rjust(width)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def require_csv_place(path: Path) -> None:
    """Check that a table may be written at `path`.

    Raises:
        SaveError: another ending, no folder, or another file is there.
    """
    require_place(path, ".csv", "name,liver_dice,")


def write_csv(path: Path, summary: Summary) -> None:
    """Write a row for each patient, beside `path` first and then renamed over it.

    Columns are the JSON's fields with _ between their levels; what is not defined is empty.

    Raises:
        SaveError: another ending, or the file cannot be written.
    """
    require_csv_place(path)
    rows = [dict(_flat(case.to_json())) for case in summary.cases]
    columns = dict.fromkeys(key for row in rows for key in row)
    write_text(path, csv_table(list(columns), rows))


def _flat(values: Json, above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}_")
        elif isinstance(value, list):
            yield f"{above}{key}", " ".join(map(str, value))
        elif value is None or isinstance(value, str | bool | int | float):
            yield f"{above}{key}", value
