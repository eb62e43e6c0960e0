"""`liverseg evaluate`: masks against reference masks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from liverseg_gui.cli.console import console_progress, say, say_json
from liverseg_gui.core.errors import GridMismatchError, LiverSegError, UnreadableFileError
from liverseg_gui.core.geometry_override import with_geometry
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.masks.grid import blank_scan
from liverseg_gui.io.masks.label_values import LabelMapping
from liverseg_gui.io.masks.pairs import MaskPair, MaskPairs, pair_masks
from liverseg_gui.io.masks.read import (
    UnknownLabelsError,
    parse_labels,
    read_as_before,
    read_mask,
    signature,
)
from liverseg_gui.io.scans import open_scan
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.regular_file import read_text

if TYPE_CHECKING:
    from liverseg_gui.evaluation.case_metrics import CaseMetrics
    from liverseg_gui.evaluation.worst_slices import WorstSlice

_WORST = 6


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("evaluate", help="judge masks by the true ones")
    parser.add_argument(
        "--pred", type=Path, required=True, metavar="MASK", help="mask, or folder of masks"
    )
    parser.add_argument(
        "--truth",
        type=Path,
        required=True,
        metavar="MASK",
        help="true mask, or folder of masks named alike",
    )
    parser.add_argument("--scan", type=Path, metavar="CT", help="their scan, or folder of scans")
    parser.add_argument(
        "--volume", type=int, metavar="N", help="which volume of the scan, as in info"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="a row for each patient")
    parser.add_argument("--report", type=Path, metavar="FILE", help="readable report (.html)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="log.jsonl of a training to show")
    parser.add_argument(
        "--labels",
        metavar="N=NAME,...",
        help="what another program's label values mean, e.g. 5=liver,6=tumor",
    )
    parser.add_argument(
        "--spacing",
        type=float,
        nargs=3,
        metavar=("I", "J", "K"),
        help="mm along the truth's axes, where the files are wrong",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate each mask, print the metrics, write the files that are named."""
    from liverseg_gui.evaluation.report.html import require_html_place, write_evaluation_report
    from liverseg_gui.evaluation.report.text import require_csv_place, table, write_csv
    from liverseg_gui.evaluation.summary import summarize

    if arguments.csv:
        require_csv_place(arguments.csv)
    if arguments.report:
        require_html_place(arguments.report)
    log = _log(arguments.log) if arguments.log else []
    pairs = pair_masks(arguments.pred, arguments.truth, arguments.scan)
    with console_progress(quiet=arguments.json) as progress:
        cases, worst = _evaluate(pairs.pairs, arguments, progress)
    summary = summarize(cases)
    unmatched = _unmatched(pairs)
    if arguments.csv:
        write_csv(arguments.csv, summary)
    if arguments.report:
        notes = [*unmatched, f"{arguments.pred} judged by {arguments.truth}."]
        write_evaluation_report(arguments.report, summary, log=log, worst=worst, notes=notes)
    if arguments.json:
        say_json(_json(summary.to_json(), cases, pairs), allow_nan=False)
    else:
        say(*table(summary).splitlines())
    warnings = [warning for case in cases for warning in case.warnings]
    for warning in dict.fromkeys((*unmatched, *warnings)):
        say(f"Warning: {warning}", stream=sys.stderr)
    return 0


def _json(mean: dict[str, Any], cases: list[CaseMetrics], pairs: MaskPairs) -> dict[str, Any]:
    return {
        "cases": [case.to_json() for case in cases],
        "mean": mean,
        "unmatched": {
            "pred": [path.name for path in pairs.only_found],
            "truth": [path.name for path in pairs.only_truth],
        },
    }


def _evaluate(
    pairs: tuple[MaskPair, ...], arguments: argparse.Namespace, progress: Progress
) -> tuple[list[CaseMetrics], list[WorstSlice]]:
    """The metrics of every pair, and the worst slices where a report will show them."""
    from liverseg_gui.evaluation.evaluate import evaluate_case
    from liverseg_gui.evaluation.worst_slices import worst_of, worst_slices

    mapping = parse_labels(arguments.labels) if arguments.labels else None
    cases, worst = [], []
    for n, pair in enumerate(pairs):
        part = progress.part(n / len(pairs), (n + 1) / len(pairs))
        scan = _scan(pair, arguments, part.part(0.0, 0.2))
        part.update(0.2, f"Reading {pair.name}")
        true = _mask(pair.truth, scan, mapping)
        found = _prediction(pair, scan, mapping)
        reference, prediction = true.labels, found.labels
        doubts = [f"{pair.truth.name}: {text}" for text in true.warnings]
        doubts += [f"{pair.found.name}: {text}" for text in found.warnings]
        case = evaluate_case(
            pair.name,
            prediction,
            reference,
            scan.affine.spacing_mm,
            mm_reliable=scan.mm_reliable,
            warnings=[*(str(issue) for issue in scan.issues if issue.spoils_mm), *doubts],
            progress=part.part(0.4, 1.0),
        )
        cases.append(case)
        if arguments.report:
            hu = scan.hu if pair.scan else None
            worst += worst_slices(pair.name, prediction, reference, hu, spacing_mm=case.spacing_mm)
            worst = worst_of(worst, _WORST)
    return cases, worst


def _scan(pair: MaskPair, arguments: argparse.Namespace, progress: Progress) -> Volume:
    """The scan of a pair, or where none was given an empty one on the grid of its reference."""
    if pair.scan is None:
        scan = blank_scan(pair.truth)
    else:
        scan = open_scan(pair.scan, progress, arguments.volume)
    if arguments.spacing is None:
        return scan
    try:
        return with_geometry(scan, arguments.spacing)
    except ValueError as problem:
        raise LiverSegError(
            f"{pair.truth} can't be given that spacing: {problem}. Give three numbers above 0."
        ) from problem


def _prediction(pair: MaskPair, scan: Volume, mapping: LabelMapping | None) -> LabelMap:
    try:
        return _mask(pair.found, scan, mapping)
    except GridMismatchError as problem:
        other = pair.scan or pair.truth
        raise GridMismatchError(
            f"{pair.found} does not lie on the voxels of {other}. {problem.message}",
            "Compare masks of the same scan, saved on its own grid.",
        ) from problem


def _mask(path: Path, scan: Volume, mapping: LabelMapping | None) -> LabelMap:
    """The mask at `path`; what its labels mean is as given, plain, or as it was given before.

    What is given is meant for the mask that holds such values: the other may be plain.
    """
    if mapping is not None:
        try:
            return read_mask(path, scan, mapping)
        except UnreadableFileError as problem:
            try:
                return read_mask(path, scan)
            except UnreadableFileError:
                raise problem from None
    try:
        return read_mask(path, scan)
    except UnknownLabelsError as unknown:
        before = Settings().values.label_maps.get(signature(unknown.labels))
        if before is None:
            raise
        return read_as_before(unknown, scan, before)


def _unmatched(pairs: MaskPairs) -> list[str]:
    """A sentence for the masks of each folder that were not evaluated."""
    sides = (("prediction", pairs.only_truth), ("truth", pairs.only_found))
    return [
        f"There is no {missing} for {', '.join(path.name for path in paths)}: left out."
        for missing, paths in sides
        if paths
    ]


def _log(path: Path) -> list[dict[str, Any]]:
    """The rows of a training's log."""
    try:
        rows = [parse_json(line) for line in read_text(path).splitlines() if line]
    except (OSError, ValueError) as problem:
        raise UnreadableFileError(
            f"{path} is no log of a training. Name the log.jsonl beside its checkpoint."
        ) from problem
    if not all(isinstance(row, dict) for row in rows):
        raise UnreadableFileError(
            f"{path} is no log of a training. Name the log.jsonl beside its checkpoint."
        )
    return rows
