"""OpenVINO runtime on the CPU, where the extra `openvino` is installed.

OpenVINO (Apache-2.0) is imported by the functions that need it, and only then. The network is
converted here, by OpenVINO's reader of traced networks: its command `convert_model` does the same
and reports its use to the makers. What was converted is kept in the cache.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import json
import os
import shutil
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from liverseg_gui.core.parsing import parse_json
from liverseg_gui.segmentation.runtime.base import require_finite
from liverseg_gui.system import paths

PRECISIONS = {"openvino-float32": "f32", "openvino-bfloat16": "bf16"}
_KEPT = 4
"""Converted models in the cache; each is as large as the model's weights."""
_FILES = ("model.xml", "model.bin")
_SUMS = "sums.json"


def has_openvino() -> bool:
    """Whether OpenVINO is installed; it is not imported."""
    return importlib.util.find_spec("openvino") is not None


def openvino_runtimes() -> tuple[str, ...]:
    """The names of the runtimes that OpenVINO offers on this CPU: none where it is missing."""
    if not has_openvino():
        return ()
    import openvino

    able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(PRECISIONS) if "BF16" in able else ("openvino-float32",)


class OpenVinoRuntime:
    """A network compiled by OpenVINO for this CPU, for batches and slices of any size."""

    device = "cpu"
    notices: tuple[str, ...] = ()
    reason = ""

    def __init__(self, network: torch.nn.Module, channels: int, sha256: str, name: str) -> None:
        """Convert `network`, which takes `channels` slices and whose weights have `sha256`.

        `network` itself stays as it is. `name` is one of `PRECISIONS`.
        """
        import openvino

        self.name = name
        self._compiled = openvino.Core().compile_model(
            _converted(network, channels, sha256),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": PRECISIONS[name],
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": 1,
                "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            },
        )

    def scores(self, images: Tensor) -> Tensor:
        """See `Runtime.scores`."""
        output = self._compiled(images.float().div_(255).numpy())[0]
        return require_finite(torch.from_numpy(output), self.device)


def _converted(network: torch.nn.Module, channels: int, sha256: str) -> Any:
    """OpenVINO's form of `network`, from the cache if it is there and whole."""
    import openvino

    version = openvino.get_version().split("-")[0]
    folder = paths.cache_folder() / "openvino" / f"{sha256[:32]}-{version}"
    with suppress(OSError, ValueError, RuntimeError):
        if _sums(folder) == parse_json((folder / _SUMS).read_text(encoding="utf-8")):
            return openvino.Core().read_model(folder / _FILES[0])
    model = _convert(network, channels)
    with suppress(OSError, RuntimeError):  # it is made anew each time, then
        _keep(model, folder)
    return model


def _convert(network: torch.nn.Module, channels: int) -> Any:
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    plain = copy.deepcopy(network).cpu().eval().to(memory_format=torch.contiguous_format)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing tells of branches; the labels are compared after
        traced = TorchScriptPythonDecoder(plain, example_input=torch.zeros(1, channels, 128, 192))
    reader = FrontEndManager().load_by_framework("pytorch")
    return reader.convert(reader.load(traced))


def _keep(model: Any, folder: Path) -> None:
    """Write `model` beside `folder` and rename it, so that a folder is whole or not there."""
    import openvino

    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        # compressed, which is the default, float32 would not be what was measured
        openvino.save_model(model, partial / _FILES[0], compress_to_fp16=False)
        (partial / _SUMS).write_text(json.dumps(_sums(partial)), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    there = sorted(folder.parent.glob("[!.]*"), key=lambda path: path.stat().st_mtime)
    for old in there[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def _sums(folder: Path) -> dict[str, str]:
    """The checksums of a converted model's files: damaged weights would give other labels."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in _FILES}
