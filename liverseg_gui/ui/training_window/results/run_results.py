"""Results of a training, read from its folder. Free of Qt and torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.evaluation.confidence_interval import mean_interval
from liverseg_gui.segmentation.models.card import ModelCard, read_card
from training.evaluation.acceptance import AcceptanceDecision, read_decision
from training.evaluation.model_comparison import Comparison, read_comparison
from training.evaluation.worst_slices_file import SavedSlice, load_worst
from training.export.model_card import Row
from training.runs.events import read_events
from training.runs.files import COMPARISON, DECISION, EVENTS, HELD_OUT, WORST
from training.runs.folder import RunRecord, RunState, read_run


@dataclass(frozen=True)
class RunResults:
    """A training and its results. `rows` are the metrics of held-out patients
    (`CaseMetrics.to_json`), the worst first; `card` is that of its model where there is one.

    `problems` name the files that cannot be read.
    """

    record: RunRecord
    rows: tuple[Row, ...] = ()
    worst: tuple[SavedSlice, ...] = ()
    card: ModelCard | None = None
    comparison: Comparison | None = None
    decision: AcceptanceDecision | None = None
    problems: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the training came to its end."""
        return self.record.state is RunState.FINISHED

    @property
    def held_out_nobody(self) -> bool:
        """Whether it was trained on all patients."""
        return self.finished and not self.rows and not self.problems


@dataclass(frozen=True)
class Mean:
    """The mean of a metric over `patients`, and its 95 % interval; None below two of them."""

    value: float
    patients: int
    interval: tuple[float, float] | None


def read_results(out: Path) -> RunResults:
    """The results of the training in `out`.

    Raises:
        UnreadableFileError: there is no training.
    """
    problems: list[str] = []

    def read_if_present(name: str, read: Any) -> Any:
        """What `read` finds, where there is the file `name` and it is whole."""
        try:
            return read() if (out / name).exists() else None
        except LiverSegError as problem:
            problems.append(str(problem))
            return None

    return RunResults(
        read_run(out),
        tuple(_rows(out, problems)),
        tuple(read_if_present(WORST, lambda: load_worst(out / WORST)) or ()),
        read_if_present("model", lambda: read_card(out / "model")),
        read_if_present(COMPARISON, lambda: read_comparison(out)),
        read_if_present(DECISION, lambda: read_decision(out)),
        tuple(problems),
    )


def badness(row: Row) -> float:
    """What patients are ranked by, the least first: the mean Dice of liver, and tumor if any."""
    tumor = tumor_dice(row)
    return fmean([row["liver"]["dice"], *([] if tumor is None else [tumor])])


def tumor_dice(row: Row) -> float | None:
    """The Dice of tumors; None in a patient without any."""
    has_tumor = bool(row["tumor_burden"]["true_percent"])
    return float(row["tumor"]["dice"]) if has_tumor else None


def mean_of(values: Sequence[float | None]) -> Mean | None:
    """The mean over the patients who have the value; None without any."""
    known = [value for value in values if value is not None]
    return Mean(fmean(known), len(known), mean_interval(known)) if known else None


def _rows(out: Path, problems: list[str]) -> list[Row]:
    """All held-out patients, or those that were evaluated before the training ended early."""
    path = out / HELD_OUT if (out / HELD_OUT).exists() else out / EVENTS
    try:
        return sorted(map(_validated, _load_rows(path)), key=badness)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        problems.append(
            f"{path}, with the figures of the held-out patients, is damaged or of another version "
            "of this program. Train again."
        )
        return []


def _load_rows(path: Path) -> list[Row]:
    if path.name == EVENTS:
        return [event for event in read_events(path) if event["event"] == "patient"]
    return list(parse_json(path.read_text("utf-8"))["cases"])


def _validated(row: Row) -> Row:
    """`row`, where all is there that is shown of a patient.

    Raises:
        LookupError, TypeError: it is not.
    """
    texts = [row["name"], *row.get("warnings", ())]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    values = [tumor_dice(row), row["liver"]["assd_mm"], row["tumor"]["assd_mm"]]
    values.append(row["false_positive"]["tumor_percent_of_liver"])
    lesions = row["lesions"]
    values.append(lesions["found"] - lesions["found_matched"])
    for counts in (lesions, lesions["from_10_mm"]):
        values += [] if counts is None else [counts["true"], counts["true_matched"]]
    if not all(value is None or isinstance(value, float | int) for value in values):
        raise TypeError
    return row
