"""Duplicate scans among cases: the same voxels, or pictures that hardly differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

_BLOCKS = 16
_LIMIT = 3.0
"""Mean difference in grey levels of 255. Different patients of the LiTS challenge are 14 or more
apart; a scan stored as JPEG, resampled or in another order of slices is less than 1."""

_DARK = 4.0


@dataclass(frozen=True, eq=False)
class ScanFingerprint:
    """What is kept of a case to know it again: a digest of its slices, and a tiny picture."""

    digest: bytes
    small: NDArray[np.float32]

    @classmethod
    def from_values(cls, digest: str, picture: Sequence[float]) -> ScanFingerprint:
        """The fingerprint of a hexadecimal `digest` and the values of the picture.

        Raises:
            TypeError, ValueError: they are none.
        """
        small = np.array(picture, np.float32).reshape((_BLOCKS,) * 3)
        return cls(bytes.fromhex(digest), small)


def scan_fingerprint(slices: NDArray[np.uint8]) -> ScanFingerprint:
    """The fingerprint of windowed `slices` (n, rows, columns)."""
    digest = hashlib.blake2b(repr(slices.shape).encode())
    for picture in slices:
        digest.update(picture.tobytes())
    return ScanFingerprint(digest.digest(), _small(slices))


def _small(slices: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of blocks of slices spread over the scan: float32 of 16 x 16 x 16."""
    k = np.linspace(0, len(slices) - 1, _BLOCKS).round().astype(int)
    edges = [np.linspace(0, n, _BLOCKS + 1).astype(int) for n in slices.shape[1:]]
    counts = [np.maximum(np.diff(e), 1) for e in edges]
    starts = [np.minimum(e[:-1], n - 1) for e, n in zip(edges, slices.shape[1:], strict=True)]
    sums = np.add.reduceat(slices[k].astype(np.float32), starts[0], axis=1)
    sums = np.add.reduceat(sums, starts[1], axis=2)
    return np.asarray(sums / counts[0][:, None] / counts[1], np.float32)


def is_same_scan(one: ScanFingerprint, other: ScanFingerprint) -> bool:
    """Whether they are of one scan, its slices in the same order or the other way round."""
    if one.digest == other.digest:
        return True
    return any(_difference(one.small, small) < _LIMIT for small in (other.small, other.small[::-1]))


def find_duplicates(
    fingerprints: Sequence[tuple[str, ScanFingerprint]],
) -> Iterator[tuple[str, str]]:
    """The names of all pairs that are one scan (`is_same_scan`)."""
    for (one, a), (other, b) in combinations(fingerprints, 2):
        if is_same_scan(a, b):
            yield one, other


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean difference in grey levels where there is something to see in either."""
    seen = np.maximum(one, other) > _DARK
    return float(np.abs(one - other)[seen].mean()) if seen.any() else np.inf
