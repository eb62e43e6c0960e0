"""A tiny training in a process of its own: `python -m tests.training.resumable OUT [--resume]`.

It prints a line before each batch and one after each epoch, and in the end writes the weights.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY, Calls, tiny_slices
from training.learner.fit import fit

WEIGHTS = "weights.pt"


def main(out: Path, resume: bool) -> None:
    """Train with all that has a state of its own, and write the weights of the network."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    slices = tiny_slices()
    config = replace(
        TINY,
        accumulate=2,
        patience=9,
        encoder_weights=str(out.parent / "encoder.pth"),
    )
    network = fit(
        config,
        slices,
        slices,
        out,
        Progress(lambda fraction, phase: print(f"{phase} ({fraction:.3f})", flush=True)),
        resume=resume,
        observer=Calls(lambda epoch: print(f"done: {epoch.stage} {epoch.epoch}", flush=True)),
    )
    torch.save(network.state_dict(), out / WEIGHTS)
    torch.set_num_threads(threads)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--resume" in sys.argv)
