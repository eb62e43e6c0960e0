"""HTML report of an evaluation, one file with its pictures inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from liverseg_gui import __version__
from liverseg_gui.evaluation.report.plots import (
    dice_plot,
    recall_plot,
    slice_picture,
    training_plot,
)
from liverseg_gui.evaluation.report.tables import (
    lesions_table,
    means_table,
    patients_table,
    voxels_table,
    whole_set_table,
)
from liverseg_gui.evaluation.summary import Summary
from liverseg_gui.evaluation.worst_slices import WorstSlice
from liverseg_gui.system.atomic_write import require_place, write_text

_NOTICE = "Research use only. Not a medical device."
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 74em; padding: 0 1em;
       color: #1a1d21; background: #fff; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #dde1e6; }
th:first-child, td:first-child, .name { text-align: left; }
td.name { overflow-wrap: anywhere; min-width: 9em; max-width: 22em; }
.wide { overflow-x: auto; } img { max-width: 100%; display: block; }
figure { margin: 1em 0; } figcaption, .note, .interval { color: #4a525c; font-size: 0.92em; }
.interval { white-space: nowrap; }
.warning { border-left: 4px solid #d55e00; padding-left: 0.8em; }
"""


def require_html_place(path: Path) -> None:
    """Check that a report may be written at `path`.

    Raises:
        SaveError: another ending, no folder, or another file is there.
    """
    require_place(path, ".html", f"{_NOTICE} LiverSeg ")


def write_evaluation_report(
    path: Path,
    summary: Summary,
    *,
    title: str = "Evaluation",
    log: Sequence[Mapping[str, Any]] = (),
    worst: Sequence[WorstSlice] = (),
    notes: Sequence[str] = (),
) -> None:
    """Write the report of `summary` to `path` (.html), beside it first and then renamed over it.

    `log` are the rows of a training's log.jsonl, `worst` the slices to show, `notes` sentences for
    its head.

    Raises:
        SaveError: another ending, or the file cannot be written.
    """
    require_html_place(path)
    write_text(path, evaluation_html(summary, title=title, log=log, worst=worst, notes=notes))


def evaluation_html(
    summary: Summary,
    *,
    title: str = "Evaluation",
    log: Sequence[Mapping[str, Any]] = (),
    worst: Sequence[WorstSlice] = (),
    notes: Sequence[str] = (),
) -> str:
    """The report as one HTML page that needs no other file."""
    values = summary.to_json()
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="note">{len(summary.cases)} patients. {_NOTICE} LiverSeg {__version__}.</p>',
        *(f'<p class="note">{escape(note)}</p>' for note in notes),
        *_warnings(summary),
        _section("Means over patients", means_table(values)),
        _section("The whole set", whole_set_table(values)),
        _section("Patient by patient", patients_table(summary), _img(dice_plot(summary), "Dice")),
        _section("Lesions", lesions_table(values), _img(recall_plot(summary), "Recall by size")),
        _section("Voxels, as papers report them", voxels_table(values)),
    ]
    curves = training_plot(log)
    if curves is not None:
        parts.append(_section("Training", _img(curves, "Loss and Dice by epoch")))
    if worst:
        parts.append(_section("Worst slices", _ranking(worst), *map(_worst, worst)))
    return _page(title, parts)


def _page(title: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def _section(title: str, *parts: str) -> str:
    return f"<h2>{title}</h2>\n" + "\n".join(part for part in parts if part)


def _warnings(summary: Summary) -> list[str]:
    """The warnings of all patients, each once, with the number of patients it is about."""
    about: dict[str, list[int]] = {}
    for number, case in enumerate(summary.cases, 1):
        for warning in case.warnings:
            about.setdefault(warning, []).append(number)
    rows = [
        f'<p class="warning">{escape(warning)} (patient {", ".join(map(str, numbers))})</p>'
        for warning, numbers in about.items()
    ]
    return rows


def _ranking(worst: Sequence[WorstSlice]) -> str:
    by = "loss" if worst[0].is_loss else "mean Dice of the labels there"
    return (
        f'<p class="note">By {by}, slices with next to nothing left out. Liver green, tumor '
        "orange; patient's right on the left.</p>"
    )


def _worst(slice_: WorstSlice) -> str:
    kind = "loss" if slice_.is_loss else "Dice"
    caption = (
        f"{escape(slice_.name)}, slice {slice_.index}: {kind} {slice_.score:.3f}, "
        f"{slice_.wrong} wrong pixels"
    )
    return (
        f"<figure>{_img(slice_picture(slice_), caption)}<figcaption>{caption}</figcaption></figure>"
    )


def _img(png: bytes | None, alt: str) -> str:
    """`png` inside the page; `alt` is escaped already."""
    if png is None:
        return ""
    return f'<img alt="{alt}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'
