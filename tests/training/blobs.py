"""Random masks for tests: blobs of noise, never quite alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

SHAPE = (22, 18, 14)


def blob(rng: np.random.Generator, share: float = 0.25) -> NDArray[np.bool_]:
    """Smooth noise above a threshold: several components, some touching the array's edge."""
    noise = ndimage.gaussian_filter(rng.normal(size=SHAPE), rng.uniform(0.8, 2.0))
    return noise > np.quantile(noise, 1.0 - share)


def labels(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A liver with tumors inside it."""
    liver = blob(rng, 0.5)
    return liver.astype(np.uint8) + (liver & blob(rng, 0.2))


def box(*sides: tuple[int, int], shape: tuple[int, int, int] = SHAPE) -> NDArray[np.bool_]:
    """A mask that is one box of (first, one past the last) along each axis."""
    out = np.zeros(shape, bool)
    out[tuple(slice(*side) for side in sides)] = True
    return out
