"""Whom a model was trained on, as far as the names on its card tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from liverseg_gui.segmentation.models.card import ModelCard
from training.data.case import CaseSource

_LITS = re.compile(r"(?:volume-|liver_)?0*([0-9]+)", re.IGNORECASE)
"""What the layouts of LiTS call one patient: "007", "volume-7" and, in the Decathlon, "liver_7"."""


def trained_on(card: ModelCard) -> list[str]:
    """The names of the cases that a card says its model was trained on."""
    names = card.about.get("trained_on")
    return [str(name) for name in names] if isinstance(names, list) else []


def taught_patients(sources: Iterable[CaseSource], taught: Collection[str]) -> set[str]:
    """The patients of `sources` who are among the `taught` names, themselves or by one of their
    cases; the spellings of LiTS's layouts count as one."""
    names = {_spelled(name) for name in taught}
    return {s.patient for s in sources if names & {_spelled(s.name), _spelled(s.patient)}}


def _spelled(name: str) -> str:
    match = _LITS.fullmatch(name)
    return match[1] if match else name
