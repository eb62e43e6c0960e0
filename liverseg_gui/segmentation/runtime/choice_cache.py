"""Cache of runtime choices: which runtime computes a model on a device, and why.

`runtimes.json` in the cache holds a decision for each model, computer, device and set of
libraries: where one of them changes it is made anew. torch is not needed to read it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.system import paths
from liverseg_gui.system.atomic_write import write_text

FILE = "runtimes.json"
_FORMAT = 1
_KEPT = 60
_CPU_LINES = ("model name", "flags", "Features", "CPU part")


@dataclass(frozen=True)
class RuntimeChoice:
    """The runtime that computes a model on a device, and why in words.

    `tried` has a sentence about each runtime that was measured; it is empty where the choice was
    not made by measuring.
    """

    runtime: str
    device: str
    reason: str
    tried: tuple[str, ...] = ()


def choice_text(runtime: str) -> str:
    """ "torch float32" for "torch-float32", "OpenVINO float32" for "openvino-float32"."""
    return runtime.replace("-", " ").replace("openvino", "OpenVINO")


def recall_choice(sha256: str, device: str, hardware: str) -> RuntimeChoice | None:
    """What was chosen for the model of weights `sha256` on `device`, if anything.

    `hardware` names the GPU; it is empty for the CPU.
    """
    key = _key(sha256, device, hardware)
    return next((_choice(row) for row in _read() if row["key"] == key), None)


def remembered_choices(sha256: str) -> tuple[RuntimeChoice, ...]:
    """What was chosen on this computer for the model of weights `sha256`, a choice a device.

    Nothing is measured, and torch is not loaded.
    """
    rows = [row for row in _read() if row["key"][:3] == _key(sha256, "", "")[:3]]
    latest = {row["key"][3]: _choice(row) for row in rows}
    return tuple(latest[device] for device in sorted(latest))


def known_gpus() -> tuple[str, ...]:
    """The GPUs of this computer that something was chosen for. torch is not loaded."""
    rows = [row for row in _read() if row["key"][1] == _machine()]
    return tuple(sorted({row["key"][4] for row in rows} - {""}))


def remember_choice(sha256: str, device: str, hardware: str, choice: RuntimeChoice) -> None:
    """Keep `choice` for the model of weights `sha256` where `device` is asked for.

    Where the file cannot be written it is decided anew next time.
    """
    key = _key(sha256, device, hardware)
    rows = [row for row in _read() if row["key"] != key][1 - _KEPT :]
    row = {
        "key": key,
        "runtime": choice.runtime,
        "device": choice.device,
        "reason": choice.reason,
        "tried": choice.tried,
    }
    with suppress(OSError, SaveError):
        _file().parent.mkdir(parents=True, exist_ok=True)
        write_text(_file(), json.dumps({"format": _FORMAT, "choices": [*rows, row]}, indent=1))


def _file() -> Path:
    return paths.cache_folder() / FILE


def _read() -> list[dict[str, Any]]:
    """The rows of the file; none where it is missing, damaged or of another program."""
    try:
        values = parse_json(_file().read_text(encoding="utf-8"))
        rows = values["choices"] if values["format"] == _FORMAT else []
        return [row for row in rows if _is_row(row)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _is_row(row: Any) -> bool:
    texts = [row["runtime"], row["device"], row["reason"], *row["key"], *row["tried"]]
    return all(isinstance(text, str) for text in texts) and len(row["key"]) == 5


def _choice(row: dict[str, Any]) -> RuntimeChoice:
    return RuntimeChoice(row["runtime"], row["device"], row["reason"], tuple(row["tried"]))


def _key(sha256: str, device: str, hardware: str) -> list[str]:
    return [sha256, _machine(), _libraries(), device, hardware]


def _machine() -> str:
    """This computer's processor and the threads that compute, as a checksum."""
    lines = [platform.system(), platform.machine(), platform.processor()]
    with suppress(OSError):
        known = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        lines += sorted({line for line in known if line.startswith(_CPU_LINES)})
    lines.append(os.environ.get("OMP_NUM_THREADS", ""))
    lines.append(str(_cpus()))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def _libraries() -> str:
    return ", ".join(f"{name} {_version(name)}" for name in ("torch", "openvino"))


def _version(name: str) -> str:
    if importlib.util.find_spec(name) is None:
        return "absent"
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # a frozen program may lack it
        module = __import__(name)
        return str(getattr(module, "__version__", "unknown"))
