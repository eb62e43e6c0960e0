"""The comparison of two models on the same held-out patients."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.confidence_interval import LEVEL, mean_interval
from liverseg_gui.segmentation.models.card import ModelCard, read_card
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.child_process import call_in_child
from training.data.case import CaseSource
from training.data.leakage_free_split import patients_seen_by_model, trained_on
from training.export.model_card import Row
from training.runs.files import COMPARISON, HELD_OUT, MODEL
from training.runs.folder import read_run


@dataclass(frozen=True)
class CaseScores:
    """What a model scores on a patient. `tumor` is None where the patient has no tumor.

    `false_tumor_percent` is the tumor found in a patient without one, in percent of the liver.
    """

    liver: float
    tumor: float | None
    false_tumor_percent: float | None = None

    @classmethod
    def of(cls, row: Row) -> CaseScores:
        """The Dice of a row of `CaseMetrics.to_json()`."""
        has_tumor = bool(row["tumor_burden"]["true_percent"])
        false_tumor = row["false_positive"]["tumor_percent_of_liver"]
        return cls(row["liver"]["dice"], row["tumor"]["dice"] if has_tumor else None, false_tumor)


@dataclass(frozen=True)
class CaseComparison:
    """One patient with both models; `seen_by` are those that were trained on the patient."""

    name: str
    candidate: CaseScores
    baseline: CaseScores
    seen_by: tuple[str, ...] = ()

    @property
    def fair(self) -> bool:
        """Whether neither model was trained on the patient, as far as the cards' names tell."""
        return not self.seen_by


@dataclass(frozen=True)
class Difference:
    """Means over `patients`, and of their differences, candidate minus baseline, the 95 % interval.

    The interval is the bootstrap's over patients, None below two of them.
    """

    patients: int
    candidate: float
    baseline: float
    difference: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Comparison:
    """The model `candidate` and the `baseline` on the held-out patients of a training.

    `changed` are the patients whose scan or mask is not known to be what it was after the
    training: there `candidate` was judged anew too.
    """

    candidate: str
    baseline: str
    pairs: tuple[CaseComparison, ...]
    changed: tuple[str, ...] = ()

    @property
    def fair(self) -> tuple[CaseComparison, ...]:
        """The patients whom neither model was trained on: those the means are taken over."""
        return tuple(pair for pair in self.pairs if pair.fair)

    @property
    def liver(self) -> Difference | None:
        """The Dice of the liver; None without a patient who can be compared."""
        return _difference([(pair.candidate.liver, pair.baseline.liver) for pair in self.fair])

    @property
    def tumor(self) -> Difference | None:
        """The Dice of tumors over the patients who have one; None without any."""
        return _difference(
            [
                (pair.candidate.tumor, pair.baseline.tumor)
                for pair in self.fair
                if pair.candidate.tumor is not None and pair.baseline.tumor is not None
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """All figures as plain values; `from_json` reads them back."""
        values = asdict(self)
        for label in ("liver", "tumor"):
            difference: Difference | None = getattr(self, label)
            values[label] = None if difference is None else asdict(difference)
        values |= {"level": LEVEL, "left_out": [p.name for p in self.pairs if not p.fair]}
        return _stored(values)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Comparison:
        """The comparison that `to_json` wrote down."""
        pairs = tuple(
            CaseComparison(
                row["name"],
                CaseScores(**row["ours"]),
                CaseScores(**row["other"]),
                tuple(row["taught"]),
            )
            for row in values["pairs"]
        )
        return cls(values["ours"], values["other"], pairs, tuple(values.get("changed", ())))


_STORED = {"candidate": "ours", "baseline": "other", "seen_by": "taught"}
"""What the fields are called in files."""


def _stored(value: Any) -> Any:
    if isinstance(value, dict):
        return {_STORED.get(name, name): _stored(each) for name, each in value.items()}
    return [_stored(each) for each in value] if isinstance(value, list | tuple) else value


def compare_models(
    out: Path,
    baseline_model: str,
    sources: Sequence[CaseSource],
    progress: Progress,
    device: str = "auto",
) -> Comparison:
    """Judge another model on the held-out patients of the training in `out`, and write it there.

    `baseline_model` is an installed one or a folder; `sources` hold the held-out patients. The
    figures of the training's own model are those in `out/held_out.json`, made by the same code; it
    is judged anew where a scan or mask has changed since, or nothing tells whether it has.

    Raises:
        LiverSegError: `out` holds no finished training with held-out patients, a patient is not in
            `sources`, or the other model cannot be judged on them.
        Cancelled: `progress` was cancelled.
    """
    rows, fingerprints = _held_out(out)
    candidate, baseline = read_card(out / MODEL), find_model(baseline_model)
    unseen = _chosen(sources, list(rows), out)
    changed = [s for s in unseen if fingerprints.get(s.name) != s.fingerprint()]
    share = len(unseen) / max(1, len(unseen) + len(changed))
    of_baseline = _score(baseline, unseen, device, progress.part(0.0, share))
    anew = _score(candidate, changed, device, progress.part(share, 1.0))
    own = {name: CaseScores.of(row) for name, row in rows.items()} | anew
    seen_by = [
        (card.name, patients_seen_by_model(sources, trained_on(card)))
        for card in (candidate, baseline)
    ]
    pairs = tuple(
        CaseComparison(
            source.name,
            own[source.name],
            of_baseline[source.name],
            tuple(name for name, patients in seen_by if source.patient in patients),
        )
        for source in unseen
    )
    comparison = Comparison(candidate.name, baseline.name, pairs, tuple(anew))
    write_text(out / COMPARISON, json.dumps(comparison.to_json(), indent=1) + "\n")
    return comparison


def compare_run(
    out: Path, baseline_model: str, progress: Progress, device: str = "auto"
) -> Comparison:
    """`compare_models` with the cases that the training in `out` was made with.

    Raises:
        LiverSegError: as `compare_models`, or it is not recorded in `out` which cases those are.
        Cancelled: `progress` was cancelled.
    """
    job = read_run(out).job
    from training.data.dataset_layouts import find_all  # late: it loads what reads scans

    sources = find_all(
        job.data.folders, job.data.corrected, ()
    )  # a name that was left out may be gone
    return compare_models(out, baseline_model, sources, progress, device)


def read_comparison(out: Path) -> Comparison:
    """The comparison that was made last in `out`.

    Raises:
        UnreadableFileError: there is none, or it is damaged.
    """
    path = out / COMPARISON
    try:
        return Comparison.from_json(parse_json(path.read_text("utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableFileError(f"{path} is missing or damaged. Compare again.") from error


def _score(
    card: ModelCard, sources: Sequence[CaseSource], device: str, progress: Progress
) -> dict[str, CaseScores]:
    """What the model scores on each case, by its name."""
    from training.evaluation.evaluate_model import evaluate_model  # torch

    if not sources:
        return {}
    evaluated = evaluate_model(card, sources, device, progress)
    return {metrics.name: CaseScores.of(metrics.to_json()) for metrics in evaluated}


def _held_out(out: Path) -> tuple[dict[str, Row], dict[str, str]]:
    """The rows of the held-out patients, and the fingerprints that they had then, if known."""
    try:
        values = parse_json((out / HELD_OUT).read_text("utf-8"))
        rows = {row["name"]: row for row in values["cases"]}
        return rows, dict(values.get("fingerprints", {}))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnreadableFileError(
            f"{out} holds no figures of held-out patients ({HELD_OUT}). Models are compared on "
            "them: train to the end, with patients held out."
        ) from error


def _chosen(sources: Sequence[CaseSource], names: Sequence[str], out: Path) -> list[CaseSource]:
    there = {source.name: source for source in sources}
    if missing := [name for name in names if name not in there]:
        raise LiverSegError(
            f"The patients {', '.join(missing)}, held out by the training in {out}, are not in the "
            "data any more. Name the data it was trained on."
        )
    return [there[name] for name in names]


def _difference(pairs: Sequence[tuple[float, float]]) -> Difference | None:
    if not pairs:
        return None
    candidate, baseline = zip(*pairs, strict=True)
    differences = [a - b for a, b in pairs]
    return Difference(
        *(len(pairs), fmean(candidate), fmean(baseline), fmean(differences)),
        mean_interval(differences),
    )


def compare_run_apart(out: Path, baseline_model: str, progress: Progress) -> Comparison:
    """As `compare_run`, in a process that is ended when `progress` is cancelled.

    Raises:
        LiverSegError: as `compare_run`, or that process came to nothing.
        Cancelled: `progress` was cancelled; nothing was written.
    """
    died = LiverSegError(
        "The comparison ended unexpectedly, often for lack of memory. Close other programs "
        "and compare again."
    )
    work = partial(compare_run, out, baseline_model)
    return call_in_child(work, progress, "Reading the held-out patients", died)
