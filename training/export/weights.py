"""The folder of a trained model: weights as safetensors and a JSON card."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import nn

from liverseg_gui.core.errors import SaveError
from liverseg_gui.segmentation.models.registry import CARD, WEIGHTS
from liverseg_gui.system.atomic_write import atomic_write, save_errors
from training.runs.events import disk_full_error


def export_model(network: nn.Module, folder: Path, card: dict[str, Any]) -> Path:
    """Write `network` (float16 weights) and `card` into `folder` and return it.

    `card` needs name, architecture, size and window_hu; the checksum is added. float16 halves the
    file; weights are read back into float32.

    Raises:
        SaveError: the folder cannot be written.
    """
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
    }
    if any(not torch.isfinite(v).all() for v in weights.values() if v.is_floating_point()):
        raise SaveError(
            "The trained weights hold invalid numbers; the model was not written. Train again at a "
            "lower rate, or with --precision float32."
        )
    data = save(weights)
    about = {**card, "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps(about, indent=1) + "\n"
    problem = disk_full_error(f"The model could not be written to {folder}")
    with save_errors(problem):
        folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((WEIGHTS, data), (CARD, text.encode())):  # the card last: then it is one
        with atomic_write(folder / name, problem) as beside:
            beside.write_bytes(content)
    return folder
