"""What was dropped on the window: scans, and perhaps a mask for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_FEW = 12
"""More files than this are slices of a series; none is asked whether it is a mask."""


def sort_dropped(paths: Sequence[Path]) -> tuple[list[Path], Path | None]:
    """The scans among `paths`, and the mask that was dropped with a scan.

    Of the DICOM files of a folder one stands for all: opening it opens its series.
    """
    mask = None
    if 1 < len(paths) <= _FEW:
        masks = [path for path in paths if _is_mask(path)]
        if masks and len(masks) < len(paths):
            mask = masks[0]
            paths = [path for path in paths if path not in masks]
    return _one_for_each_series(paths), mask


def _is_mask(path: Path) -> bool:
    """Whether `path` is plainly a mask, by its name or its first bytes."""
    from liverseg_gui.io.nifti import looks_like_mask
    from liverseg_gui.io.seg import is_seg

    if path.is_dir():
        return False
    return ".seg." in path.name.lower() or looks_like_mask(path) or is_seg(path)


def _one_for_each_series(paths: Sequence[Path]) -> list[Path]:
    from liverseg_gui.io.scans import SCAN_ENDINGS

    kept: dict[Path, Path] = {}
    for path in paths:
        whole = path.is_dir() or path.name.lower().endswith((*SCAN_ENDINGS, ".zip"))
        kept.setdefault(path if whole else path.parent, path)
    return list(kept.values())
