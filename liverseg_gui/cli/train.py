"""`liverseg train`: train a model on labelled cases."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from liverseg_gui.cli.console import console_progress
from liverseg_gui.cli.train_check import run_check
from liverseg_gui.cli.train_improve import add_options, run_improvement, wanted
from training.choices import LOSSES, MULTI_SCALE, PRECISIONS

if TYPE_CHECKING:
    from training.config import TrainConfig
    from training.evaluation import CaseFigures
    from training.log import EpochResult
    from training.run import TrainRun


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
    _add_recipe(parser.add_argument_group("recipe"))
    _add_steps(parser.add_argument_group("steps and computer"))
    parser.set_defaults(run=run, parser=parser)


def _add_job(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--data", type=Path, help="folder of labelled cases")
    add("--out", type=Path, help="where model and log are written")
    add("--check", type=Path, metavar="DATA", help="only look through the labelled cases there")
    add("--name", default="trained", help="name of the model")
    add("--phantoms", type=int, default=2, help="synthetic abdomens to mix in")
    add("--folds", type=int, default=5, help="patients are split into so many")
    add("--fold", type=int, default=0, help="the part that is held out")
    add("--split-seed", type=int, default=5, help="how patients are dealt out")
    add("--split", type=Path, metavar="FILE", help="who is held out, as split.json of another run")
    add(
        "--note",
        action="append",
        default=[],
        metavar="NAME=TEXT",
        help="words for the model's card, such as data=... or known_failures=...",
    )
    add("--resume", action="store_true", help="go on from the checkpoint in --out")
    add("--json", action="store_true", help="print a JSON line for each epoch")
    add("--lr-find", action="store_true", help="only look for a learning rate, in rates.json")


def _add_recipe(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--recipe", type=Path, metavar="FILE", help="a recipe; options go before it (.toml, .json)")
    add("--architecture", help="slim-resnet18 (default), unet-resnet34, ...")
    add("--multi-scale", choices=MULTI_SCALE, help=MULTI_SCALE["ppm"])
    add("--encoder-weights", metavar="FILE", help='ResNet weights, or "imagenet" to download them')
    add("--start-from", help="model to go on from instead of random weights")
    add("--context", type=int, help="slices seen at once: 1, 3, 5 (default), ...")
    add("--epochs", type=int, help="epochs of fit_one_cycle (5)")
    add("--fine-tune-epochs", type=int, help="epochs of fine_tune (8)")
    add("--learning-rate", type=float, help="highest rate of fit_one_cycle (0.002)")
    add("--fine-tune-rate", type=float, help="highest rate of fine_tune (0.001)")
    add("--loss", choices=LOSSES, help="see below (dice+ce)")
    add("--focal-gamma", type=float, help="how little the focal loss counts what is right (2)")
    add("--tversky-beta", type=float, help="weight of missed pixels in Tversky's loss (0.7)")
    add("--no-synthetic", action="store_true", help="paint no tumors")
    add("--patience", type=int, help="end a stage after so many epochs without a better Dice (0)")


def _add_steps(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--batch-size", type=int, help="slices in a batch (8)")
    add("--accumulate", type=int, help="batches to a step (1)")
    add("--clip", type=float, help="longest gradient of a step (1), 0: any")
    add("--weight-decay", type=float, help="how fast weights decay (0.01)")
    add("--average", type=float, help="decay of the moving average of the weights (0.998), 0: none")
    add("--precision", choices=PRECISIONS, help="see below (auto)")
    add("--seed", type=int, help="of all random numbers (0)")
    add("--device", choices=("auto", "cpu", "cuda", "mps"))


def _listed(title: str, choices: dict[str, str]) -> str:
    rows = "".join(f"  {name:<17}{about}\n" for name, about in choices.items())
    return f"{title}:\n{rows}\n"


def run(arguments: argparse.Namespace) -> int:
    """Train, print the figures of each epoch and of each held-out patient."""
    if arguments.check:
        return run_check(arguments.check, arguments.json)
    if wanted(arguments):
        show = _show_json if arguments.json else _show
        notes = dict(_note_of(text, arguments.parser) for text in arguments.note)
        return run_improvement(arguments, _recipe, show, notes)
    if not (arguments.data and arguments.out):
        arguments.parser.error("name the labelled cases with --data and a folder with --out")
    notes = dict(_note_of(text, arguments.parser) for text in arguments.note)
    from training.distributed import processes
    from training.run import TrainRun, run_training

    job = TrainRun(
        arguments.data,
        arguments.out,
        arguments.name,
        arguments.folds,
        arguments.fold,
        arguments.split_seed,
        arguments.split,
        arguments.phantoms,
        shlex.join(["liverseg", *sys.argv[1:]]),
        notes,
        _recipe(arguments),
    )
    if arguments.lr_find:
        return _find_rate(job, arguments.json)
    show = _show_json if arguments.json else _show
    with console_progress(quiet=arguments.json or not processes().leads) as progress:
        results = run_training(job, progress, show, arguments.resume, _note)
    for result in results:
        print(json.dumps(result.to_json()) if arguments.json else _in_words(result))
    return 0


def _find_rate(job: TrainRun, as_json: bool) -> int:
    from training.run import find_run_rate

    with console_progress(quiet=as_json) as progress:
        curve = find_run_rate(job, progress)
    if as_json:
        print(json.dumps({"valley": curve.valley, "slide": curve.slide}))
        return 0
    print(
        f"valley {curve.valley:.2g}, slide {curve.slide:.2g}: "
        f"try --learning-rate {curve.valley:.2g}"
    )
    return 0


def _recipe(arguments: argparse.Namespace, usual: TrainConfig | None = None) -> TrainConfig:
    """The recipe: what the command names, then what the file says, then the `usual` or default."""
    from training.config import TrainConfig
    from training.recipe_file import read_recipe

    recipe = read_recipe(arguments.recipe) if arguments.recipe else usual or TrainConfig()

    named = {
        field.name: value
        for field in fields(TrainConfig)
        if (value := getattr(arguments, field.name, None)) is not None
    }
    if arguments.no_synthetic:
        named["synthetic"] = None
    if arguments.multi_scale:
        plain = named.get("architecture", recipe.architecture).removesuffix("-ppm")
        named["architecture"] = f"{plain}-{arguments.multi_scale}"
    return replace(recipe, **named)


def _show(epoch: EpochResult) -> None:
    print(
        f"{epoch.stage} {epoch.epoch}: loss {epoch.train_loss:.3f}, validation "
        f"{epoch.valid_loss:.3f}, liver Dice {epoch.liver_dice:.3f}, tumor Dice "
        f"{epoch.tumor_dice:.3f}, {epoch.seconds:.0f} s",
        flush=True,
    )


def _show_json(epoch: EpochResult) -> None:
    print(json.dumps(asdict(epoch)), flush=True)


def _note(note: str) -> None:
    print(note, file=sys.stderr, flush=True)


def _note_of(text: str, parser: argparse.ArgumentParser) -> tuple[str, str]:
    name, equals, words = text.partition("=")
    if not (name.isidentifier() and equals and words):
        parser.error(f"--note takes NAME=TEXT, not {text!r}")
    return name, words


def _in_words(result: CaseFigures) -> str:
    liver, tumor = result.liver.voxels.dice, "none"
    if result.has_tumor:
        tumor = f"{result.tumor.voxels.dice:.3f}"
    elif result.tumor.voxels.found:
        tumor = f"none, {result.false_tumor_percent:.2f} % of the liver found"
    return f"held out {result.name}: liver Dice {liver:.3f}, tumor {tumor}"
