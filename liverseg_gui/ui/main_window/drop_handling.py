"""Files dropped on the window: scans, and perhaps a mask for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from liverseg_gui.io.file_endings import ARCHIVES, IMAGES

_FEW = 12
"""Of more files than this, those without an image's ending are taken for slices."""


def sort_dropped(paths: Sequence[Path]) -> tuple[list[Path], Path | None]:
    """The scans among `paths`, and the mask that was dropped with a scan.

    Of the DICOM files of a folder one stands for all: opening it opens its series.
    """
    mask = None
    if len(paths) > 1:
        few = len(paths) <= _FEW
        masks = [p for p in paths if (few or _ends(p, IMAGES)) and _is_mask(p)]
        if masks and len(masks) < len(paths):
            mask = masks[0]
            paths = [path for path in paths if path not in masks]
    return _one_for_each_series(paths), mask


def _is_mask(path: Path) -> bool:
    """Whether `path` is plainly a mask, by its name or its first bytes."""
    from liverseg_gui.io.formats.nifti import looks_like_mask
    from liverseg_gui.io.masks.dicom_seg import is_seg

    if path.is_dir():
        return False
    return ".seg." in path.name.lower() or looks_like_mask(path) or is_seg(path)


def _ends(path: Path, endings: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(endings)


def _one_for_each_series(paths: Sequence[Path]) -> list[Path]:
    """Folders, archives and image files as they are; of other files one that can be opened."""
    from liverseg_gui.io.dicom.header_reader import read_header

    kept: dict[Path, Path] = {}
    readable: set[Path] = set()
    for path in paths:
        if path.is_dir() or _ends(path, (*IMAGES, *ARCHIVES)):
            kept[path] = path
        elif path.parent not in readable:
            if read_header(path) is not None:
                kept[path.parent] = path
                readable.add(path.parent)
            kept.setdefault(path.parent, path)
    return list(kept.values())
