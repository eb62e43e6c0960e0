"""Features of this installation: a package may have been made without training."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

NO_TRAINING = (
    "This LiverSeg was packaged without fastai and without training: take the full package, or "
    "install it from source."
)


@cache
def has_training() -> bool:
    """Whether fastai is there, which trains and builds the networks of its own; nothing loads."""
    return find_spec("fastai") is not None
