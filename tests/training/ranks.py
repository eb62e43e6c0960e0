"""A training of several processes: `torchrun -m tests.training.ranks OUT`.

Each writes down what it drew, the weights it ended with and what it gave its caller.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch

from liverseg_gui.core.progress import Progress
from tests.training.tiny import TINY, Calls, tiny_network, tiny_slices
from training.learner import build
from training.learner.distributed import ShardedDL, processes
from training.learner.fit import fit

CONFIG = replace(TINY, epochs=2, fine_tune_epochs=1, batch_size=2, accumulate=2, average=0.9)


def main(out: Path) -> None:
    """Train with a network of two layers."""
    torch.set_num_threads(1)
    build.build_network = tiny_network  # type: ignore[assignment]
    drawn: list[list[int]] = []
    get = ShardedDL.get_idxs

    def noted(loader: ShardedDL) -> list[int]:
        drawn.append(get(loader))
        return drawn[-1]

    ShardedDL.get_idxs = noted  # type: ignore[method-assign]
    slices = tiny_slices(14)  # 14 validation slices: 7 for each process, an odd number of batches
    epochs: list[str] = []
    network = fit(
        CONFIG,
        slices,
        slices,
        out,
        Progress(),
        resume="--resume" in sys.argv,
        observer=Calls(lambda e: epochs.append(e.stage)),
    )
    weights = {name: value.tolist() for name, value in network.state_dict().items()}
    threads = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    here = {"drawn": drawn, "weights": weights, "epochs": epochs, "threads": threads}
    (out / f"rank{processes().rank}.json").write_text(json.dumps(here))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
