"""`liverseg train --improve`, `--accept` and `--compare`: fine-tuning and comparison."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.cli.console import console_progress, say, say_json
from liverseg_gui.cli.models import kept_settings
from liverseg_gui.segmentation.models.registry import chosen_model, find_model
from liverseg_gui.state.settings import Settings

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
    from training.data.selection import DataSelection
    from training.evaluation.acceptance import AcceptanceDecision
    from training.runs.events import Tell

    MakeConfig = Callable[[argparse.Namespace, TrainConfig], TrainConfig]


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


def fine_tune_requested(arguments: argparse.Namespace) -> bool:
    """Whether one of the options is there."""
    return bool(arguments.improve or arguments.accept or arguments.compare)


def run_fine_tune(
    arguments: argparse.Namespace, make_config: MakeConfig, on_event: Tell, notes: Mapping[str, str]
) -> int:
    """Improve, accept or compare; whether a model is better is no matter of the exit code."""
    if not arguments.out:
        arguments.parser.error("name the folder of the training with --out")
    if arguments.improve and not (arguments.data or arguments.corrected):
        arguments.parser.error("name the labelled cases with --data (or --corrected)")
    if arguments.compare:
        return _compare(arguments)
    if arguments.improve:
        decision = _improve(arguments, make_config, on_event, notes)
        if not arguments.json:  # else it was printed as an event
            _print_decision(decision)
        if not decision.accepted:
            return 0
    return _accept(arguments) if arguments.accept else 0


def _improve(
    arguments: argparse.Namespace, make_config: MakeConfig, on_event: Tell, notes: Mapping[str, str]
) -> AcceptanceDecision:
    from training.pipeline.fine_tune import fine_tune
    from training.pipeline.supervise import supervised
    from training.planning.fine_tune_plan import fine_tune_config
    from training.runs.training_job import TrainingJob

    old = arguments.start_from or _named_in_config(arguments) or chosen_model(Settings())
    config = make_config(arguments, fine_tune_config(find_model(old), old))
    job = TrainingJob(
        out=arguments.out.absolute(),
        data=data_selection(arguments),
        config=replace(config, start_from=old, encoder_weights=None),
        name=_name(arguments, "improved"),
        phantoms=arguments.phantoms,
        notes=notes,
        fine_tune=True,
    )
    command, resume = shlex.join(["liverseg", *sys.argv[1:]]), arguments.resume
    with (
        console_progress(quiet=arguments.json) as progress,
        supervised(job, command, progress, on_event, resume) as run,
    ):
        decision = fine_tune(
            job, run.progress, command=command, resume=resume, observer=run.observer
        )
        run.emit("decision", **decision.to_json())
        return decision


def data_selection(arguments: argparse.Namespace) -> DataSelection:
    """Which cases are trained on, and which are held out."""
    from training.data.selection import DataSelection

    return DataSelection(
        folders=tuple(folder.absolute() for folder in arguments.data),
        corrected=arguments.corrected,
        excluded=tuple(arguments.exclude),
        folds=arguments.folds,
        fold=arguments.fold,
        seed=arguments.split_seed,
        split_file=arguments.split and arguments.split.absolute(),
        allow_errors=arguments.allow_errors,
    )


def _named_in_config(arguments: argparse.Namespace) -> str | None:
    """The model that a configuration file starts from: a training goes on with its own."""
    from training.config.config_file import read_config_file

    return read_config_file(arguments.recipe).start_from if arguments.recipe else None


def _print_decision(decision: AcceptanceDecision) -> None:
    from training.evaluation.comparison_text import comparison_table

    say(*comparison_table(decision.comparison), "", *decision.reasons)
    word = "accepted" if decision.accepted else "not accepted"
    say(f"The new model is {word}: a mean Dice may fall by {decision.tolerance:g}.")


def _accept(arguments: argparse.Namespace) -> int:
    from training.evaluation.acceptance import accept

    name = _name(arguments, "") or None
    with kept_settings() as settings, console_progress(quiet=arguments.json) as progress:
        before = chosen_model(settings)
        added = accept(arguments.out, settings, name, progress)
    if arguments.json:
        say_json({"event": "accepted", "model": added.name, "before": before}, indent=None)
        return 0
    say(f"{added.name} is used from now on. `liverseg models roll-back` goes back to {before}.")
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from training.data.dataset_layouts import find_all
    from training.evaluation.comparison_text import comparison_table
    from training.evaluation.model_comparison import compare_models, compare_run

    out: Path = arguments.out
    other, device = arguments.compare, arguments.device or "auto"
    with console_progress(quiet=arguments.json) as progress:
        if arguments.data or arguments.corrected:
            sources = find_all(arguments.data, arguments.corrected, arguments.exclude)
            compared = compare_models(out, other, sources, progress, device)
        else:
            compared = compare_run(out, other, progress, device)
    if arguments.json:
        say_json({"event": "comparison", **compared.to_json()}, indent=None)
        return 0
    say(*comparison_table(compared))
    return 0


def _name(arguments: argparse.Namespace, usual: str) -> str:
    """The name that was given, or the `usual` one."""
    asked: str = arguments.name
    return usual if asked == arguments.parser.get_default("name") else asked
