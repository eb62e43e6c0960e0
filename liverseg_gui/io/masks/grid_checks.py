"""Masks that are images: whole numbers on a grid, in one layer or several that may overlap."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.io.masks.label_values import FileLabel, LabelMapping

_HIGHEST = 65535
_MOST_LABELS = 500
_NEARLY_WHOLE = 1e-3
_SLAB_VOXELS = 4 << 20
_SEGMENT = re.compile(r"Segment(\d+)_Name")


@dataclass(frozen=True)
class Segment:
    """A segment that a file names: its layer and its value there."""

    layer: int
    value: int
    name: str


@dataclass(frozen=True)
class Layers:
    """Layers of stored values, uint16, and what each value in each layer is called outside.

    `labels` are the file's; `numbers` give the label's value for (layer, stored value). In a file
    of one layer they are the same; where layers repeat values, the segments are counted.
    """

    arrays: tuple[NDArray[np.uint16], ...]
    labels: tuple[FileLabel, ...]
    numbers: Mapping[tuple[int, int], int]

    def tables(self, mapping: LabelMapping) -> list[NDArray[np.uint8]]:
        """For each layer, the program's label for each stored value."""
        tables = [np.zeros(_HIGHEST + 1, np.uint8) for _ in self.arrays]
        for (layer, value), number in self.numbers.items():
            if layer < len(tables):
                tables[layer][value] = mapping.get(number, 0)
        return tables

    def cut(self, tables: list[NDArray[np.uint8]], k: int) -> NDArray[np.uint8]:
        """The program's labels in stored slice `k`; where layers overlap, tumor wins over liver."""
        out = tables[0][self.arrays[0][:, :, k]]
        for table, array in zip(tables[1:], self.arrays[1:], strict=True):
            np.maximum(out, table[array[:, :, k]], out=out)
        return out


def layers_of(path: Path, stored: tuple[NDArray[Any], ...], segments: list[Segment]) -> Layers:
    """The layers of the mask file `path` from its `stored` values and the segments it names.

    Raises:
        UnreadableFileError: the values are no labels.
    """
    arrays = []
    counts: dict[tuple[int, int], int] = {}
    for layer, values in enumerate(stored):
        whole, seen = _whole(path, values)
        arrays.append(whole)
        counts |= {(layer, int(value)): int(seen[value]) for value in np.flatnonzero(seen)}
    counts = {key: count for key, count in counts.items() if key[1]}
    if len(counts) > _MOST_LABELS:
        raise no_labels(path, f"{len(counts)} different values")
    names = {(s.layer, s.value): s.name for s in segments if 0 < s.value <= _HIGHEST}
    keys = [*names, *sorted(key for key in counts if key not in names)]
    if len(stored) == 1:
        keys.sort()
    numbers = {key: key[1] if len(stored) == 1 else n for n, key in enumerate(keys, 1)}
    labels = tuple(FileLabel(numbers[k], names.get(k, ""), counts.get(k, 0)) for k in keys)
    return Layers(tuple(arrays), labels, numbers)


def no_labels(path: Path, what: str) -> UnreadableFileError:
    """The error for a file of numbers that are no labels."""
    return UnreadableFileError(
        f"{path} holds {what}, which no mask does: it may be a scan or a probability map.",
        "Choose the mask file, with whole numbers such as 1 for liver and 2 for tumor.",
    )


def _whole(path: Path, values: NDArray[Any]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """`values` (i, j, k) as uint16 in Fortran order, and how often each number occurs."""
    whole = np.empty(values.shape, np.uint16, order="F")
    seen = np.zeros(_HIGHEST + 1, np.int64)
    step = max(1, _SLAB_VOXELS // (values.shape[0] * values.shape[1]))
    for k in range(0, values.shape[2], step):
        slab = values[:, :, k : k + step]
        low, high = slab.min(), slab.max()
        if not (low >= -_NEARLY_WHOLE and high <= _HIGHEST):  # also where one is no number
            raise no_labels(path, f"values from {low:g} to {high:g}")
        if slab.dtype.kind == "f":
            near = np.rint(slab)
            off = np.abs(slab - near)
            if off.max() > _NEARLY_WHOLE:
                raise no_labels(path, f"the value {slab[off > _NEARLY_WHOLE][0]:g}")
            slab = near
        whole[:, :, k : k + step] = slab
        seen += np.bincount(slab.astype(np.intp).ravel(), minlength=_HIGHEST + 1)
    return whole, seen


def slicer_segments(notes: Mapping[str, str], layered: bool) -> list[Segment]:
    """The segments that a .seg.nrrd of 3D Slicer names, in one layer or `layered`.

    Slicer before 4.11 gave neither layers nor values: each segment was a layer of 0 and 1.

    Raises:
        ValueError: a number is none.
    """
    numbers = sorted(int(match[1]) for key in notes if (match := _SEGMENT.fullmatch(key)))
    return [
        Segment(
            int(notes.get(f"Segment{n}_Layer", n if layered else 0)),
            int(notes.get(f"Segment{n}_LabelValue", 1 if layered else n + 1)),
            notes[f"Segment{n}_Name"],
        )
        for n in numbers
    ]


def dataset_segments(mask: Path) -> list[Segment]:
    """The labels that the dataset.json of a Decathlon or nnU-Net data set names for `mask`.

    Nothing where there is none, or none that can be understood: the mask is whole without it.
    """
    if not mask.parent.name.startswith("labels"):
        return []
    try:
        named = parse_json((mask.parent.parent / "dataset.json").read_text("utf-8"))["labels"]
        pairs = [_pair(key, value) for key, value in named.items()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
    names: dict[int, str] = {}
    for name, values in sorted(pairs, key=lambda pair: -len(pair[1])):  # the narrowest name last
        names |= dict.fromkeys(values, name)
    return [Segment(0, value, name) for value, name in names.items() if 0 < value <= _HIGHEST]


def _pair(key: str, value: Any) -> tuple[str, list[int]]:
    """A name and its values: {"1": "liver"} (Decathlon) or {"liver": 1} or [1, 2] (nnU-Net)."""
    if isinstance(value, str):
        return value, [int(key)]
    return key, [int(v) for v in (value if isinstance(value, list) else [value])]
