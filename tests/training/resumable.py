"""A tiny training in a process of its own: `python -m tests.training.resumable OUT [--resume]`.

It prints a line before each batch and one after each epoch, goes on when it gets a line for it, and
in the end writes the weights.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY, Calls, tiny_slices
from training.learner.fit import fit

WEIGHTS = "weights.pt"


def main(out: Path, resume: bool, say: Callable[[str], None] = print) -> None:
    """Train with all that has a state of its own, and write the weights of the network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    slices = tiny_slices(10)
    config = replace(
        TINY,
        batch_size=2,
        accumulate=2,
        patience=9,
        encoder_weights=str(out.parent / "encoder.pth"),
    )
    network = fit(
        config,
        slices,
        slices,
        out,
        Progress(lambda fraction, phase: say(f"{phase} ({fraction:.3f})")),
        resume=resume,
        observer=Calls(lambda epoch: say(f"done: {epoch.stage} {epoch.epoch}")),
    )
    torch.save(network.state_dict(), out / WEIGHTS)
    torch.set_num_threads(threads)


def say_and_wait(line: str) -> None:
    """Print `line`, and wait until whoever reads it lets this process go on."""
    print(line, flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--resume" in sys.argv, say_and_wait)
