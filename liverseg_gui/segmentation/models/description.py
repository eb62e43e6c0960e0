"""Description of a model for people, from its card: figures for a table, and the card as text.

Cards are written by other people's programs too: what is not as expected is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from liverseg_gui.segmentation.models.card import ModelCard

_PHANTOM = re.compile(r"phantom-\d+")
_MOST_CHARACTERS = 1500


@dataclass(frozen=True)
class ModelFigures:
    """How many patients it learned from, and how it did on those held out; None: not said.

    The Dice are means over patients; that of tumors over those who have one. `crossed`: each was
    judged by another network of the same config, which had not seen them; this one has seen all.
    """

    patients: int | None
    held_out: int | None
    liver_dice: float | None
    tumor_dice: float | None
    crossed: bool = False


def model_figures(card: ModelCard) -> ModelFigures:
    """The figures on `card`."""
    names, folds = card.about.get("trained_on"), card.about.get("cross_validation")
    people = None
    if isinstance(names, list):
        people = sum(not _PHANTOM.fullmatch(str(name)) for name in names)
    patients = _rows(card.about.get("held_out"))
    of_folds = _rows(folds.get("cases")) if isinstance(folds, dict) else []
    rows = patients or of_folds
    return ModelFigures(
        people or None,
        len(rows) or None,
        _mean(row.get("liver_dice") for row in rows),
        _mean(row.get("tumor_dice") for row in rows),
        crossed=not patients and bool(of_folds),
    )


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _mean(values: Iterable[Any]) -> float | None:
    shares = [v for v in values if isinstance(v, int | float) and 0 <= v <= 1]
    return fmean(shares) if shares else None


def figure_text(value: float | None) -> str:
    """A Dice with three digits, or that there is none."""
    return "-" if value is None else f"{value:.3f}"


def card_facts(card: ModelCard) -> list[tuple[str, str]]:
    """The card as headings and texts. It names no patient: their names may be on it."""
    about, figures = card.about, model_figures(card)
    facts = [
        ("What it is for", _text(about, "intended_use")),
        ("Trained on", _trained_on(figures.patients, _text(about, "data"))),
        ("Held-out patients", _held_out(figures)),
        ("Improved from", _improved_from(about.get("improved_from"))),
        ("Known failures", _text(about, "known_failures")),
        ("License", _text(about, "license")),
        ("Network", _network(card)),
        ("Made by", _text(about, "command")),
        ("Checksum", card.sha256),
    ]
    return [(heading, text) for heading, text in facts if text]


def _text(about: Mapping[str, Any], key: str) -> str:
    value = about.get(key)
    if not isinstance(value, str):
        return ""
    text = " ".join(value.split())
    return "".join(letter for letter in text if letter.isprintable())[:_MOST_CHARACTERS]


def _trained_on(patients: int | None, data: str) -> str:
    count = f"{patients} patients." if patients and patients > 1 else ""
    return f"{count} {data}".strip()


def _held_out(figures: ModelFigures) -> str:
    if figures.held_out is None:
        return "The card says nothing about how good it is."
    liver, tumor = figure_text(figures.liver_dice), figure_text(figures.tumor_dice)
    seen = "it had never seen"
    if figures.crossed:
        seen = "in a cross-validation, each judged by a network that had never seen them"
    return f"{figures.held_out} patients {seen}: mean Dice of the liver {liver}, of tumors {tumor}."


def _improved_from(entry: Any) -> str:
    """What it was fine-tuned from, and how both did on the same held-out patients."""
    if not isinstance(entry, dict) or not (name := _text(entry, "name")):
        return ""
    changes = [
        f"mean Dice of {label} {figure_text(before)} before, {figure_text(after)} after"
        for label, key in (("the liver", "liver_dice"), ("tumors", "tumor_dice"))
        for before, after in [_before_and_after(entry.get(key))]
        if before is not None and after is not None
    ]
    return f"{name}; {'; '.join(changes) or 'nothing says how both did'}."


def _before_and_after(dice: Any) -> tuple[float | None, float | None]:
    if not isinstance(dice, dict):
        return None, None
    return _mean([dice.get("other")]), _mean([dice.get("ours")])


def _network(card: ModelCard) -> str:
    rows, columns = card.size
    low, high = card.window_hu
    inputs = f"{rows} x {columns}"
    if card.liver_view_size is not None:
        inputs += (
            f", then the liver closer up ({card.liver_view_size[0]} x {card.liver_view_size[1]})"
        )
    return (
        f"{card.architecture}, {card.context} slices at once, the trunk at {inputs}, "
        f"HU from {low:g} to {high:g}"
    )
