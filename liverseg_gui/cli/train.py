"""`liverseg train`: train a model on labelled cases."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.cli.console import console_progress, say
from liverseg_gui.cli.train_check import run_check
from liverseg_gui.cli.train_fine_tune import (
    add_options,
    data_selection,
    fine_tune_requested,
    run_fine_tune,
)
from liverseg_gui.cli.train_output import (
    event_text,
    print_event,
    print_line,
    print_text,
    progress_events,
)
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.system.devices import DEVICES
from liverseg_gui.system.features import NO_TRAINING, has_training
from training.config.train_config import LOSSES, MULTI_SCALE, PRECISIONS
from training.runs.control import Stopped

if TYPE_CHECKING:
    from training.config.train_config import TrainConfig
    from training.runs.training_job import TrainingJob


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "train",
        help="train a model on labelled cases",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_listed("losses", LOSSES) + _listed("precisions", PRECISIONS),
    )
    _add_job(parser.add_argument_group("data and outcome"))
    add_options(parser.add_argument_group("old and new model"))
    _add_config(parser.add_argument_group("recipe"))
    _add_steps(parser.add_argument_group("steps and computer"))
    parser.set_defaults(run=run, parser=parser)


def _add_job(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--data",
        type=Path,
        action="extend",
        nargs="+",
        default=[],
        metavar="DIR",
        help="folders of labelled cases; may be given several times",
    )
    add("--corrected", action="store_true", help="also the studies reviewed in this program")
    add("--exclude", action="append", default=[], metavar="NAME", help="leave this case out")
    add("--out", type=Path, metavar="DIR", help="where model and log are written")
    add(
        "--check",
        type=Path,
        nargs="+",
        metavar="DIR",
        help="only look through the labelled cases there, as one data set",
    )
    add("--allow-errors", action="store_true", help="train on cases in which --check finds errors")
    add("--name", default="trained", help="name of the model (trained)")
    add("--phantoms", type=int, default=2, metavar="N", help="synthetic abdomens to mix in (2)")
    add("--folds", type=int, default=5, metavar="N", help="parts that patients are split into (5)")
    add("--fold", type=int, default=0, metavar="N", help="the part that is held out (0)")
    add(
        "--split-seed",
        type=int,
        default=5,
        metavar="N",
        help="seed of how patients are dealt out (5)",
    )
    add("--split", type=Path, metavar="FILE", help="who is held out, as split.json of another run")
    add(
        "--note",
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help="words for the model's card, such as data=... or known_failures=...",
    )
    add("--resume", action="store_true", help="go on from the checkpoint in --out")
    add("--json", action="store_true", help="print events as JSON lines (docs/json.md)")
    add("--lr-find", action="store_true", help="only look for a learning rate, in rates.json")


def _add_config(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--recipe", type=Path, metavar="FILE", help="a recipe; options go before it (.toml, .json)")
    add("--architecture", metavar="NAME", help="slim-resnet34, unet-resnet34, ... (slim-resnet18)")
    add("--multi-scale", choices=MULTI_SCALE, help=MULTI_SCALE["ppm"])
    add("--encoder-weights", metavar="FILE", help='ResNet weights, or "imagenet" to download them')
    add("--start-from", metavar="MODEL", help="model to go on from instead of random weights")
    add("--context", type=int, metavar="N", help="slices seen at once, an odd number (5)")
    add("--epochs", type=int, metavar="N", help="epochs of fit_one_cycle (5)")
    add("--fine-tune-epochs", type=int, metavar="N", help="epochs of fine_tune (8)")
    add("--learning-rate", type=float, metavar="X", help="highest rate of fit_one_cycle (0.002)")
    add("--fine-tune-rate", type=float, metavar="X", help="highest rate of fine_tune (0.001)")
    add("--loss", choices=LOSSES, help="see below (dice+ce)")
    add(
        "--focal-gamma",
        type=float,
        metavar="X",
        help="how little the focal loss counts what is right (2)",
    )
    add(
        "--tversky-beta",
        type=float,
        metavar="X",
        help="weight of missed pixels in Tversky's loss (0.7)",
    )
    add("--no-synthetic", action="store_true", help="paint no tumors")
    add(
        "--patience",
        type=int,
        metavar="N",
        help="epochs without a better Dice that end a stage, 0: never (0)",
    )


def _add_steps(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--batch-size", type=int, metavar="N", help="slices in a batch (8)")
    add("--accumulate", type=int, metavar="N", help="batches to a step (1)")
    add("--clip", type=float, metavar="X", help="longest gradient of a step, 0: any (1)")
    add("--weight-decay", type=float, metavar="X", help="how fast weights decay (0.01)")
    add(
        "--average",
        type=float,
        metavar="X",
        help="decay of the moving average of the weights, 0: none (0.998)",
    )
    add("--precision", choices=PRECISIONS, help="see below (auto)")
    add("--seed", type=int, metavar="N", help="seed of all random numbers (0)")
    add("--device", choices=tuple(DEVICES), help="processor or graphics card (auto)")


def _listed(title: str, choices: dict[str, str]) -> str:
    rows = "".join(f"  {name:<17}{about}\n" for name, about in choices.items())
    return f"{title}:\n{rows}\n"


def run(arguments: argparse.Namespace) -> int:
    """Train, print the metrics of each epoch and of each held-out patient."""
    if arguments.check:
        return run_check(arguments.check, arguments.exclude, arguments.json)
    if not has_training():
        raise LiverSegError(NO_TRAINING)
    try:
        return _fine_tune_or_train(arguments)
    except Stopped as stop:
        print_line(str(stop), sys.stderr)
        return 0


def _fine_tune_or_train(arguments: argparse.Namespace) -> int:
    if fine_tune_requested(arguments):
        on_event = print_event if arguments.json else print_text
        notes = dict(_note_of(text, arguments.parser) for text in arguments.note)
        return run_fine_tune(arguments, _config, on_event, notes)
    if not ((arguments.data or arguments.corrected) and arguments.out):
        arguments.parser.error(
            "name the labelled cases with --corrected or --data and a folder with --out"
        )
    job, command = _job(arguments), shlex.join(["liverseg", *sys.argv[1:]])
    if arguments.lr_find:
        return _find_rate(job, arguments.json)
    return _train(job, command, arguments.json, arguments.resume)


def _job(arguments: argparse.Namespace) -> TrainingJob:
    from training.runs.training_job import TrainingJob

    return TrainingJob(
        out=arguments.out.absolute(),
        data=data_selection(arguments),
        config=_config(arguments),
        name=arguments.name,
        phantoms=arguments.phantoms,
        notes=dict(_note_of(text, arguments.parser) for text in arguments.note),
    )


def _train(job: TrainingJob, command: str, as_json: bool, resume: bool) -> int:
    from training.learner.distributed import processes
    from training.pipeline.supervise import run_supervised

    on_event = print_event if as_json else print_text
    with console_progress(quiet=as_json or not processes().leads) as progress:
        results = run_supervised(job, command, progress, on_event, resume)
    for result in results if not as_json else ():
        print_line(event_text(result))
    return 0


def _find_rate(job: TrainingJob, as_json: bool) -> int:
    from training.pipeline.train import find_job_rate
    from training.runs.observer import NULL_OBSERVER

    with console_progress(quiet=as_json) as progress:
        reporting = progress_events(progress) if as_json else (progress, NULL_OBSERVER.works_on)
        curve = find_job_rate(job, *reporting)
    if as_json:
        print_event({"event": "rates", "valley": curve.valley, "slide": curve.slide})
        return 0
    say(
        f"valley {curve.valley:.2g}, slide {curve.slide:.2g}: "
        f"try --learning-rate {curve.valley:.2g}"
    )
    return 0


def _config(arguments: argparse.Namespace, usual: TrainConfig | None = None) -> TrainConfig:
    """The configuration: what the command names, else the file, else the `usual` or default."""
    from training.config.config_file import read_config_file
    from training.config.train_config import TrainConfig

    config = read_config_file(arguments.recipe) if arguments.recipe else usual or TrainConfig()

    named = {
        field.name: value
        for field in fields(TrainConfig)
        if (value := getattr(arguments, field.name, None)) is not None
    }
    if arguments.no_synthetic:
        named["synthetic"] = None
    if arguments.multi_scale:
        plain = named.get("architecture", config.architecture).removesuffix("-ppm")
        named["architecture"] = f"{plain}-{arguments.multi_scale}"
    return replace(config, **named)


def _note_of(text: str, parser: argparse.ArgumentParser) -> tuple[str, str]:
    name, equals, note = text.partition("=")
    if not (name.isidentifier() and equals and note):
        parser.error(f"--note takes NAME=TEXT, not {text!r}")
    return name, note
