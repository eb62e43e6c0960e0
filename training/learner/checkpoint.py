"""A training on disk: all that is needed to go on exactly from the end of an epoch."""

from __future__ import annotations

import errno
import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastai.callback.schedule import Learner

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.system.atomic_write import atomic_write
from liverseg_gui.system.regular_file import require_regular
from training.learner.distributed import gather, processes
from training.runs.events import disk_full_error

VERSION = 3
"""Raised when a checkpoint can no longer be gone on with by what was written before."""

State = dict[str, Any]
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RuntimeError)


@dataclass(frozen=True)
class Identity:
    """What a checkpoint belongs to: the `request`, and the `content` of scans and masks.

    A checkpoint of an earlier program does not know its content, and any is taken for it.
    """

    request: str = ""
    content: str = ""

    def require(self, state: State, path: Path) -> None:
        """Raise a LiverSegError where `state`, which was read from `path`, is of another one."""
        if state["identity"] != self.request:
            raise LiverSegError(
                f"{path} belongs to a training with other settings, patients or fold. "
                "Resume it with the same ones, or train into another folder."
            )
        if state.get("content", self.content) != self.content:
            raise LiverSegError(
                f"Scans or masks that {path} was trained on have changed since, as when a mask is "
                "saved again. Put them back as they were to resume it, or train on what they are "
                "now into another folder."
            )


def read_checkpoint(path: Path, identity: Identity) -> State | None:
    """The state in `path`; None where there is none. Only tensors and plain values are read.

    Raises:
        LiverSegError: it is damaged, of another version, or of a training of another `identity`.
    """
    if not path.exists():
        return None
    try:
        require_regular(path)
        state: State = torch.load(path, map_location="cpu", weights_only=True)
    except (*_MALFORMED, OSError, EOFError, pickle.UnpicklingError) as error:
        raise _damaged(path) from error
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise LiverSegError(
            f"{path} was written by another version of this program. Finish it with that one, or "
            "train into another folder."
        )
    with read_as_written(path):
        identity.require(state, path)
    return state


@contextmanager
def read_as_written(path: Path) -> Iterator[None]:
    """While the state that `path` holds is put to use: what is missing or misshapen is damage.

    Raises:
        LiverSegError: it is damaged.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except _MALFORMED as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> LiverSegError:
    return LiverSegError(f"{path} is damaged.", "Train again into another folder.")


def write_checkpoint(path: Path, state: State, kept: str) -> None:
    """Write `state` to `path`, whole or not at all; `kept` says what is there if this fails.

    Raises:
        SaveError: there is no room, or no permission.
    """
    problem = disk_full_error(f"The checkpoint could not be written to {path.parent}", kept)
    with atomic_write(path, problem) as beside:
        try:
            with beside.open("wb") as file:
                torch.save(state, file)
        except RuntimeError as error:
            raise OSError(errno.ENOSPC, "the disk is full, it seems") from error


def capture(learner: Learner) -> State:
    """The state of `learner` between two epochs. All processes have to call it together."""
    optimizer = learner.opt.state_dict()
    average = learner.ema
    smooth = learner.recorder.smooth_loss
    scaler = getattr(learner, "scaler", None)
    return {
        "version": VERSION,
        "model": learner.model.state_dict(),
        "optimizer": {
            "state": optimizer["state"],
            "param_groups": [
                {name: _plain(value) for name, value in group.items()}
                for group in optimizer["param_groups"]
            ],
        },
        "average": average.average,
        "average_steps": average.steps,
        "stopping": learner.early_stopping.state(),
        "smooth_loss": [float(smooth.val), smooth.count],
        "scaler": scaler.state_dict() if scaler is not None else None,
        "recipe": {name: getattr(learner.config, name) for name in _FITTED},
        "random": gather(_random_state()),
    }


_FITTED = ("batch_size", "accumulate", "precision")
"""Settings that a run fits to the computer it started on; it goes on with the same."""


def restore(learner: Learner, state: State) -> None:
    """Put into a new `learner` what holds across stages: weights, averages, random numbers."""
    learner.model.load_state_dict(state["model"])
    learner.ema.average = _to(learner.dls.device, state["average"])
    learner.ema.steps = state["average_steps"]
    stopping = dict(state["stopping"])
    stopping["weights"] = _to(learner.dls.device, stopping["weights"])
    learner.early_stopping.restore(stopping)
    here = processes().rank
    if here < len(state["random"]):
        _set_random_state(state["random"][here])


def restore_stage(learner: Learner, state: State) -> None:
    """Put the optimizer's state into `learner`: freezing and unfreezing cleared it."""
    learner.opt.load_state_dict(state["optimizer"])
    for parameter, held in learner.opt.opt.state.items():
        for name, value in held.items():
            if isinstance(value, torch.Tensor) and value.dim() and value.shape != parameter.shape:
                raise ValueError(f"{name} has another shape than its parameter")


def restore_fit(learner: Learner, state: State) -> None:
    """Put into `learner`, whose fit has begun, what every fit starts with anew."""
    value, count = state["smooth_loss"]
    learner.recorder.smooth_loss.val = torch.tensor(value)
    learner.recorder.smooth_loss.count = count
    if state["scaler"]:
        learner.scaler.load_state_dict(state["scaler"])


def _random_state() -> State:
    name, keys, *numbers = np.random.get_state()
    state: State = {
        "torch": torch.get_rng_state(),
        "numpy": [name, [int(key) for key in keys], *numbers],
        "python": random.getstate(),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def _set_random_state(state: State) -> None:
    torch.set_rng_state(state["torch"])
    name, keys, *numbers = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), *numbers))
    random.setstate(state["python"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def _to(device: torch.device, values: State) -> State:
    """`values`, tensors on `device`."""
    return {
        name: value.to(device) if isinstance(value, torch.Tensor) else value
        for name, value in values.items()
    }


def _plain(value: Any) -> Any:
    """A hyperparameter without NumPy, so that `weights_only` reads it back."""
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(v) for v in value)
    return float(value) if isinstance(value, np.floating) else value
