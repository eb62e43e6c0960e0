"""`liverseg segment` into a folder: many scans, one model, a table."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from liverseg_gui.cli.console import console_progress, print_beside_bar
from liverseg_gui.cohort.find_scans import Cohort, find_cases
from liverseg_gui.cohort.result import ALREADY, CaseResult, Status
from liverseg_gui.cohort.run_case import CaseOptions
from liverseg_gui.cohort.run_cluster import run_on_cluster
from liverseg_gui.cohort.run_local import run_here
from liverseg_gui.cohort.summary import NAME, CohortSummary
from liverseg_gui.core.errors import SaveError, SegmentationError, cannot_read
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.models.registry import ModelCard, find_model


def run_cohort(arguments: argparse.Namespace) -> int:
    """Segment every CT at the input into the folder at the output."""
    if arguments.report or arguments.slices:
        arguments.parser.error(
            "--report and --slices go with one mask: -o FILE.nii.gz. Into a folder, each case has "
            f"its report beside its mask, and {NAME} has them all"
        )
    options = _options(arguments, find_model(arguments.model))
    try:
        os.stat(arguments.input)
    except OSError as problem:
        raise cannot_read(arguments.input, problem) from problem
    _require_folder(options.output, arguments.input)
    summary = CohortSummary(options.output, arguments.input)
    failures: list[CaseResult] = []
    without_liver = 0
    with console_progress(at_once=True) as progress:
        part = progress.part(0.0, 0.02)
        cohort = find_cases(arguments.input, options.output, part, arguments.volume)
        _require_cases(cohort, arguments.input)
        rest = progress.part(0.02, 1.0)
        for n, results in enumerate(_results(cohort, options, arguments.scheduler, rest)):
            failures += [result for result in results if result.status is Status.FAILED]
            without_liver += sum(result.status is Status.NO_LIVER for result in results)
            _write(summary, results)
            for result in results:
                print_beside_bar(_line(result, n, len(cohort.cases)))
    summary.add(())
    unopened = sum(result.status is Status.FAILED for result in cohort.settled)
    return _closing(failures, len(cohort.cases) + unopened, without_liver, summary.path)


def _options(arguments: argparse.Namespace, card: ModelCard) -> CaseOptions:
    return CaseOptions(
        arguments.output.absolute(),
        str(card.folder.absolute()) if Path(arguments.model).is_dir() else arguments.model,
        card.sha256,
        arguments.device,
        arguments.quality,
        tuple(arguments.spacing) if arguments.spacing else None,
        arguments.orientation,
        arguments.again,
    )


def _require_folder(output: Path, source: Path) -> None:
    """Make the folder for the masks, where they can lie without being taken for scans.

    Raises:
        SaveError: it cannot be made, or there is more in it than masks of this program.
    """
    inside = output.resolve().is_relative_to(source.resolve())
    ours = (output / NAME).is_file() or not output.is_dir() or not any(output.iterdir())
    if inside and (output.resolve() == source.resolve() or not ours):
        raise SaveError(
            f"{output} holds what is to be segmented, or other files of {source}. Choose an empty "
            "folder for the masks."
        )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(
            f"The folder {output} could not be made: {error.strerror or error}. Choose another."
        ) from error


def _require_cases(cohort: Cohort, source: Path) -> None:
    if cohort.cases or any(result.status is Status.FAILED for result in cohort.settled):
        return
    why = "; ".join(f"{result.path.name}: {result.reason}" for result in cohort.settled[:3])
    raise SegmentationError(
        f"{source} holds no CT to segment ({why}). `liverseg info` lists all that is there."
    )


def _results(
    cohort: Cohort, options: CaseOptions, scheduler: str | None, progress: Progress
) -> Iterator[Sequence[CaseResult]]:
    """First the results that need no segmentation, then the result of each case."""
    yield cohort.settled
    finished = (
        run_on_cluster(cohort.cases, options, scheduler, progress)
        if scheduler
        else run_here(cohort, options, progress)
    )
    for result in finished:
        yield (result,)


def _write(summary: CohortSummary, results: Sequence[CaseResult]) -> None:
    """Write the table; where it cannot be now (another program has it open), go on."""
    try:
        summary.add(results)
    except SaveError as problem:
        print_beside_bar(f"Warning: {problem} The cases go on.", sys.stderr)


def _line(result: CaseResult, n: int, total: int) -> str:
    """What is printed about `result`, the `n`th of `total`; 0 is what is no case."""
    count = f"{n} of {total}  " if n else ""
    how = ALREADY if result.reason == ALREADY else f"{result.seconds or 0:.1f} s, {result.device}"
    if result.status is Status.NO_LIVER:
        return f"{count}{result.name}: no liver found; {how}"
    if result.status is not Status.DONE:
        return f"{count}{result.name or result.path}: {result.status}, {result.reason}"
    assert result.liver_ml is not None  # it is done
    doubt = "" if result.mm_reliable else "  (mm and ml not reliable)"
    return (
        f"{count}{result.name}: liver {result.liver_ml:.1f} ml, tumor {result.tumor_ml:.1f} ml, "
        f"lesions {result.lesions}{doubt}; {how}"
    )


def _closing(failures: Sequence[CaseResult], total: int, without_liver: int, table: Path) -> int:
    if not failures:
        empty = f", no liver found in {without_liver}" if without_liver else ""
        print(f"{total} cases{empty}. Table: {table}")
        return 0
    print(
        f"liverseg: {len(failures)} of {total} cases failed. {table} says why; start again to try "
        "these alone.",
        file=sys.stderr,
    )
    return 1
