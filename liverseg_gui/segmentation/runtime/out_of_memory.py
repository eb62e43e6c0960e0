"""How torch and OpenVINO say that memory ran out, and how it is given back."""

from __future__ import annotations

import gc
from contextlib import suppress

import torch

_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` says that memory ran out, on a GPU or not."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in said for word in _WORDS)


def free_memory(device: str) -> None:
    """Give back what nothing refers to any more; call it outside of any `except`."""
    gc.collect()
    with suppress(RuntimeError, AttributeError):  # a lost device cannot give anything back
        if device != "cpu":
            getattr(torch, device).empty_cache()
