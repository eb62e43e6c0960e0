"""`liverseg train --improve`, `--accept` and `--compare`: a trained model against another."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.cli.console import console_progress
from liverseg_gui.cli.models import kept_settings
from liverseg_gui.cli.train_words import say
from liverseg_gui.segmentation.registry import chosen_model, find_model
from liverseg_gui.state.settings import Settings

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.decision import Decision
    from training.events import Tell
    from training.job import TrainingJob

    JobOf = Callable[[argparse.Namespace, TrainConfig], TrainingJob]


def add_options(group: argparse._ArgumentGroup) -> None:
    """Register the options."""
    add = group.add_argument
    add(
        "--improve",
        action="store_true",
        help="fine-tune the model in use (or --start-from) on --data and judge old against new",
    )
    add(
        "--accept",
        action="store_true",
        help="use the improved model in --out from now on, if it was found to be no worse",
    )
    add(
        "--compare",
        metavar="MODEL",
        help="judge another model on the held-out patients of the training in --out",
    )


def wanted(arguments: argparse.Namespace) -> bool:
    """Whether one of the options is there."""
    return bool(arguments.improve or arguments.accept or arguments.compare)


def run_improvement(arguments: argparse.Namespace, job_of: JobOf, tell: Tell) -> int:
    """Improve, accept or compare; whether a model is better is no matter of the exit code."""
    if not arguments.out:
        arguments.parser.error("name the folder of the training with --out")
    if arguments.improve and not (arguments.data or arguments.corrected):
        arguments.parser.error("name the labelled cases with --data (or --corrected)")
    if arguments.compare:
        return _compare(arguments)
    if arguments.improve:
        accepted = _improve(arguments, job_of, tell)
        if not accepted:
            return 0
    return _accept(arguments) if arguments.accept else 0


def _improve(arguments: argparse.Namespace, job_of: JobOf, tell: Tell) -> bool:
    """Whether the new model may be used; it may not where the improvement was stopped."""
    from training.improve import improve
    from training.supervised import Stopped

    job, command = improvement_job(arguments, job_of), shlex.join(["liverseg", *sys.argv[1:]])
    try:
        with console_progress(quiet=arguments.json) as progress:
            decision = improve(job, command, progress, tell, arguments.resume)
    except Stopped as stop:
        say(str(stop), sys.stderr)
        return False
    if not arguments.json:
        _print_decision(decision)
    return decision.accepted


def improvement_job(arguments: argparse.Namespace, job_of: JobOf) -> TrainingJob:
    """The job: of the model that the command, the recipe's file or the settings name."""
    from training.improve import improvement_recipe
    from training.recipe_file import read_recipe

    written = read_recipe(arguments.recipe).start_from if arguments.recipe else None
    old = arguments.start_from or written or chosen_model(Settings())
    job = job_of(arguments, improvement_recipe(find_model(old), old))
    recipe = replace(job.recipe, start_from=old)
    return replace(job, name=_name(arguments, "improved"), recipe=recipe, improves=True)


def _print_decision(decision: Decision) -> None:
    from training.comparison_text import comparison_table

    for line in (*comparison_table(decision.comparison), "", *decision.reasons):
        say(line)
    word = "accepted" if decision.accepted else "not accepted"
    say(f"The new model is {word}: a mean Dice may fall by {decision.tolerance:.3f}.")


def _accept(arguments: argparse.Namespace) -> int:
    from training.improve import accept

    name = _name(arguments, "") or None
    with kept_settings() as settings, console_progress(quiet=arguments.json) as progress:
        before = chosen_model(settings)
        added = accept(arguments.out, settings, name, progress)
    print(
        json.dumps({"event": "accepted", "model": added.name, "before": before})
        if arguments.json
        else f"{added.name} is used from now on. `liverseg models roll-back` goes back to {before}."
    )
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from training.comparison import compare_models, compare_run
    from training.comparison_text import comparison_table
    from training.sources import find_all

    out: Path = arguments.out
    other, device = arguments.compare, arguments.device or "auto"
    with console_progress(quiet=arguments.json) as progress:
        if arguments.data or arguments.corrected:
            sources = find_all(arguments.data, arguments.corrected, arguments.exclude)
            compared = compare_models(out, other, sources, progress, device)
        else:
            compared = compare_run(out, other, progress, device)
    if arguments.json:
        print(json.dumps({"event": "comparison", **compared.to_json()}))
        return 0
    print("\n".join(comparison_table(compared)))
    return 0


def _name(arguments: argparse.Namespace, usual: str) -> str:
    """The name that was asked for, or the `usual` one."""
    asked: str = arguments.name
    return usual if asked == arguments.parser.get_default("name") else asked
