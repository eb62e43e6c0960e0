"""The table (Modality LUT) by which some files give the value of each stored number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnsupportedFileError

_SIGN = 1 << 15


def by_table(stored: NDArray[Any], path: Path) -> NDArray[np.int32]:
    """`stored` through the table in the header of `path`; beyond its ends stands its end.

    Raises:
        UnsupportedFileError: the table makes no sense.
        OSError: the file cannot be read.
    """
    dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
    try:
        item = dataset.ModalityLUTSequence[0]
        count, first, _ = (int(n) for n in item.LUTDescriptor)
        count = count or 1 << 16
        values = _values(item["LUTData"].value, count, _order(dataset))
        if not 0 < count <= len(values):
            raise ValueError("too few values")
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as problem:
        raise UnsupportedFileError(
            f"{path} gives its values by a table (Modality LUT) that makes no sense.",
            "Export the series again, with rescale slope and intercept.",
        ) from problem
    if first >= _SIGN and int(dataset.get("PixelRepresentation", 0)):
        first -= 2 * _SIGN
    index = np.clip(stored.astype(np.int64) - first, 0, count - 1)
    return values[index]


def _order(dataset: Any) -> str:
    return ">" if dataset.original_encoding[1] is False else "<"


def _values(data: Any, count: int, order: str) -> NDArray[np.int32]:
    """The table's values; those too large for HU are numbers below zero."""
    if isinstance(data, bytes):
        kind = f"{order}u2" if len(data) >= 2 * count else "u1"
        values = np.frombuffer(data, kind).astype(np.int32)
    else:
        values = np.array(data, np.int32).reshape(-1)
    values[values >= _SIGN] -= 2 * _SIGN
    return values
