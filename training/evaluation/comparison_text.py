"""A comparison of two models in words and a table."""

from __future__ import annotations

from collections.abc import Iterator

from training.evaluation.model_comparison import CaseComparison, Comparison, Difference

_WIDTH = 20


def comparison_table(comparison: Comparison) -> list[str]:
    """A line for each patient, Dice of baseline and candidate, and what the means say."""
    return [
        f"{comparison.baseline} -> {comparison.candidate}",
        f"{'patient':<{_WIDTH}} {'liver Dice':>16}  {'tumor Dice':>16}",
        *(_row(pair) for pair in comparison.pairs),
        *_means(comparison),
        *_left_out(comparison),
        *_changed(comparison),
    ]


def _row(pair: CaseComparison) -> str:
    liver, tumor = _change(pair.baseline.liver, pair.candidate.liver), "no tumor"
    if pair.baseline.tumor is not None and pair.candidate.tumor is not None:
        tumor = _change(pair.baseline.tumor, pair.candidate.tumor)
    elif (
        pair.baseline.false_tumor_percent is not None
        and pair.candidate.false_tumor_percent is not None
    ):
        before, after = pair.baseline.false_tumor_percent, pair.candidate.false_tumor_percent
        tumor += f"; falsely found {before:.2f} -> {after:.2f} % of the liver"
    mark = "" if pair.fair else " *"
    return f"{pair.name + mark:<{_WIDTH}} {liver:>16}  {tumor:>16}"


def _change(before: float, after: float, digits: int = 3) -> str:
    return f"{before:.{digits}f} -> {after:.{digits}f}"


def _means(comparison: Comparison) -> Iterator[str]:
    for label, result in (("Liver", comparison.liver), ("Tumor", comparison.tumor)):
        yield f"{label}: {difference_text(result)}."


def difference_text(result: Difference | None) -> str:
    """A difference in one sentence, without its full stop."""
    if result is None:
        return "no patient to tell it from"
    if result.interval is None:
        interval = "one patient, so no interval"
    else:
        low, high = result.interval
        interval = f"95 % {low:+.4f} to {high:+.4f}, {result.patients} patients"
    # A decision may rest on the fourth digit.
    change = _change(result.baseline, result.candidate, 4)
    return f"mean Dice {change}, {result.difference:+.4f} ({interval})"


def _left_out(comparison: Comparison) -> Iterator[str]:
    for pair in comparison.pairs:
        if not pair.fair:
            yield (
                f"* {pair.name}: {' and '.join(pair.seen_by)} was trained on a patient of this "
                "name, as far as names tell. That is no fair comparison; the means leave the "
                "patient out."
            )


def _changed(comparison: Comparison) -> Iterator[str]:
    if comparison.changed:
        yield (
            f"{', '.join(comparison.changed)}: scan or mask has changed since the training, or it "
            f"is too old to tell. {comparison.candidate} was judged anew there, so that both are "
            "judged on what the mask says today."
        )
