"""`liverseg train`: train a model on labelled cases."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path

from liverseg_gui.cli.console import console_progress
from liverseg_gui.cli.train_check import run_check


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("train", help="train a model on labelled cases")
    parser.add_argument("--data", type=Path, help="folder of labelled cases")
    parser.add_argument("--out", type=Path, help="where model and log are written")
    parser.add_argument(
        "--check", type=Path, metavar="DATA", help="only look through the labelled cases there"
    )
    parser.add_argument("--name", default="trained", help="name of the model")
    parser.add_argument("--architecture", default="slim-resnet18", help="e.g. unet-resnet34")
    parser.add_argument("--encoder-weights", type=Path, help="torchvision ResNet state dict")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of fit_one_cycle")
    parser.add_argument("--fine-tune-epochs", type=int, default=8, help="epochs of fine_tune")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--context", type=int, default=5, help="slices seen at once: 1, 3 or 5")
    parser.add_argument("--no-synthetic", action="store_true", help="paint no tumors")
    parser.add_argument("--start-from", help="model to go on from instead of random weights")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--loss", choices=("dice+ce", "ce", "dice"), default="dice+ce")
    parser.add_argument("--phantoms", type=int, default=2, help="synthetic abdomens to mix in")
    parser.add_argument("--folds", type=int, default=5, help="patients are split into so many")
    parser.add_argument("--fold", type=int, default=0, help="the part that is held out")
    parser.add_argument("--split-seed", type=int, default=5, help="how patients are dealt out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--json", action="store_true", help="print JSON, a line for each epoch")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Train, print the figures of each epoch and of each held-out patient."""
    if arguments.check:
        return run_check(arguments.check, arguments.json)
    if not (arguments.data and arguments.out):
        arguments.parser.error("name the labelled cases with --data and a folder with --out")
    from training.checkpoint import EpochResult
    from training.config import TrainConfig
    from training.run import TrainRun, run_training
    from training.synthetic import SyntheticTumors

    config = TrainConfig(
        architecture=arguments.architecture,
        context=arguments.context,
        epochs=arguments.epochs,
        fine_tune_epochs=arguments.fine_tune_epochs,
        learning_rate=arguments.learning_rate,
        batch_size=arguments.batch_size,
        loss=arguments.loss,
        seed=arguments.seed,
        device=arguments.device,
        encoder_weights=arguments.encoder_weights,
        start_from=arguments.start_from,
        synthetic=None if arguments.no_synthetic else SyntheticTumors(),
    )
    command = shlex.join(["liverseg", *sys.argv[1:]])
    job = TrainRun(
        arguments.data,
        arguments.out,
        arguments.name,
        arguments.folds,
        arguments.fold,
        arguments.split_seed,
        arguments.phantoms,
        command,
        config,
    )

    def show(epoch: EpochResult) -> None:
        if arguments.json:
            print(json.dumps(asdict(epoch)), flush=True)
            return
        print(
            f"{epoch.stage} {epoch.epoch}: loss {epoch.train_loss:.3f}, validation "
            f"{epoch.valid_loss:.3f}, liver Dice {epoch.liver_dice:.3f}, tumor Dice "
            f"{epoch.tumor_dice:.3f}, {epoch.seconds:.0f} s",
            flush=True,
        )

    with console_progress(quiet=arguments.json) as progress:
        results = run_training(job, progress, show, arguments.resume)
    for result in results:
        if arguments.json:
            print(json.dumps(result.to_json()))
        else:
            tumor = f"{result.tumor.voxels.dice:.3f}" if result.has_tumor else "none"
            print(f"held out {result.name}: liver Dice {result.liver.voxels.dice:.3f}, {tumor}")
    return 0
