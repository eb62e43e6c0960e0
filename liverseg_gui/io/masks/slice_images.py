"""Mask of a resampled scan, brought back to each slice that the scanner made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from liverseg_gui.core.errors import SaveError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.slices import SourceSlices
from liverseg_gui.core.volume import Origin
from liverseg_gui.io.file_endings import DICOM, without_ending
from liverseg_gui.io.formats.mask_marks import Mark, require_as_made, require_mask_or_nothing
from liverseg_gui.io.formats.nifti_write import write_slice
from liverseg_gui.system.atomic_write import (
    flush_folder,
    flush_to_disk,
    not_written,
    save_errors,
)
from liverseg_gui.system.partial_files import partial_folder
from liverseg_gui.system.regular_file import read_json

LIST_NAME = "slices.json"

_UNUSUAL = re.compile(r"[^\w.,+-]+")


def save_mask_slices(
    mask: LabelMap, origin: Origin, folder: Path, mark: Mark = Mark.MASK, *, asked: bool = True
) -> list[Path]:
    """Write `mask` on each slice that its scan was resampled from, into `folder`.

    A slice is a NIfTI of uint8 (0 background, 1 liver, 2 tumor), shape (columns, rows, 1), named
    after the file it came from. Its affine is that slice's, exact to NIfTI's float32; its third
    axis, which a single slice does not have, is the unit normal times the distance to the
    neighboring slice (the nearer of the two), so that other programs show a plausible thickness.
    `slices.json` lists the files in the order of their depth, with the name of the source slice and
    the center of its first pixel in RAS+ mm. Everything is written beside `folder` and read back
    before anything in `folder` is replaced. As in `save_mask`, `mark` says what they are and
    `asked` what may be replaced.

    Returns the NIfTI files in the order of their depth.

    Raises:
        SaveError: the scan was not resampled, or the files could not be written.
    """
    slices = require_slices_place(origin, folder, mark, asked=asked)
    with save_errors(not_written(folder)), partial_folder(folder) as half:
        names = _write_all(mask, slices, half, mark)
        folder.mkdir(exist_ok=True)
        for name in (*names, LIST_NAME):
            flush_to_disk(half / name)
            (half / name).replace(folder / name)
        flush_folder(folder)
    return [folder / name for name in names]


def require_slices_place(
    origin: Origin, folder: Path, mark: Mark = Mark.MASK, *, asked: bool = True
) -> SourceSlices:
    """The slices that a scan was resampled from, where their masks may be saved in `folder`.

    Raises:
        SaveError: it was not resampled, or files of others would be replaced.
    """
    slices = require_slices(origin)
    for n, name in enumerate(slice_file_names(slices)):
        require_mask_or_nothing(folder / name)
        if not asked:
            grid = StoredGrid((*slices.shape, 1), _with_thickness(slices, n))
            require_as_made(folder / name, mark, grid)
    if not _is_list_or_nothing(folder / LIST_NAME):
        raise SaveError(
            f"{folder / LIST_NAME} is another program's, and is not replaced.",
            "Choose another folder.",
        )
    return slices


def _is_list_or_nothing(path: Path) -> bool:
    try:
        values = read_json(path)
        return isinstance(values, dict) and "slices" in values
    except FileNotFoundError:
        return True
    except (OSError, ValueError, RecursionError):
        return False


def require_slices(origin: Origin) -> SourceSlices:
    """The slices that a scan was resampled from.

    Raises:
        SaveError: it was not resampled.
    """
    if origin.source_slices is None:
        raise SaveError(
            f"{origin.path} was not resampled, so its mask needs no single slices. Save the mask "
            "as one file."
        )
    return origin.source_slices


def slice_file_names(slices: SourceSlices) -> list[str]:
    """A file name for each slice, after its own; counted where two would be the same."""
    stems = []
    for name in slices.names:
        own = without_ending(Path(name).name, DICOM)
        stems.append(_UNUSUAL.sub("_", own).strip("._") or "slice")
    seen = [stem.lower() for stem in stems]
    return [
        f"{stem}.nii.gz" if seen.count(stem.lower()) == 1 else f"{stem}_{n}.nii.gz"
        for n, stem in enumerate(stems, 1)
    ]


def _write_all(mask: LabelMap, slices: SourceSlices, folder: Path, mark: Mark) -> list[str]:
    names = slice_file_names(slices)
    listed = []
    for n, name in enumerate(names):
        affine = _with_thickness(slices, n)
        write_slice(slices.labels(mask, n)[:, :, np.newaxis], affine, folder / name, mark)
        position = [round(float(mm), 4) for mm in affine.to_mm((0, 0, 0))]
        listed.append({"file": name, "slice": slices.names[n], "position_mm": position})
    text = json.dumps({"space": "RAS+", "slices": listed}, indent=1)
    (folder / LIST_NAME).write_text(text + "\n", "utf-8")
    return names


def _with_thickness(slices: SourceSlices, n: int) -> Affine:
    """The affine of slice `n`, its third axis as long as the way to the nearer neighbor."""
    matrix = slices.affines[n].matrix.copy()
    normal = np.cross(matrix[:3, 0], matrix[:3, 1])
    normal /= np.linalg.norm(normal)
    depths = np.array([a.matrix[:3, 3] @ normal for a in slices.affines])
    ways = np.abs(depths[max(n - 1, 0) : n + 2] - depths[n])
    ways = ways[ways > 0]
    upward = 1.0 if depths[-1] >= depths[0] else -1.0
    matrix[:3, 2] = upward * normal * (ways.min() if len(ways) else 1.0)
    return Affine(matrix)
