"""The lits2d layout: LiTS patients as grey pictures, `CASE/ZZZZ.jpg` with `CASE/ZZZZ.png`.

`manifest.json` lists the cases with `stored_z_step`, how many slices of the scan lie between two
stored ones, and `spacing_mm_512`, in-plane pixel and slice distance at 512 pixels, where known.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from liverseg_gui.core.errors import GridMismatchError, UnreadableFileError
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM
from training.data.case import Case, ForeignLabelsError
from training.data.fingerprints import files_fingerprint

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class SliceCase:
    """One case of the layout: a `CaseSource`."""

    folder: Path
    name: str
    z_step: int
    spacing_mm_512: tuple[float, float] | None = None

    @property
    def patient(self) -> str:
        """Every case is a patient."""
        return self.name

    def read(self) -> Case:
        """See `CaseSource.read`."""
        files = [f for f in sorted(self._place.glob("*.jpg")) if f.stem.isdecimal()]
        if not files:
            raise UnreadableFileError(
                f"{self._place} holds no slices.",
                "Put ZZZZ.jpg with ZZZZ.png there, or take the case off the manifest.",
            )
        slices = _stacked([_grey(f) for f in files], self._place)
        labels = _stacked([_labels(f.with_suffix(".png")) for f in files], self._place)
        if slices.shape != labels.shape:
            raise GridMismatchError(
                f"{self._place} holds masks of {labels.shape[2]} x {labels.shape[1]} pixels for "
                f"slices of {slices.shape[2]} x {slices.shape[1]}.",
                "Put the masks of these slices there.",
            )
        z = np.array([int(f.stem) for f in files], np.float64)
        if self.spacing_mm_512 is None:
            return Case(self.name, slices, labels, z, self.z_step, None, self.name)
        pixel_mm = self.spacing_mm_512[0] * 512 / slices.shape[2]
        z = z * self.spacing_mm_512[1]
        return Case(self.name, slices, labels, z, CONTEXT_MM, (pixel_mm, pixel_mm), self.name)

    def fingerprint(self) -> str:
        """See `CaseSource.fingerprint`."""
        return files_fingerprint(self.folder, [self._place], self.z_step, self.spacing_mm_512)

    @property
    def _place(self) -> Path:
        return self.folder / self.name


def lits2d_sources(folder: Path) -> list[SliceCase]:
    """The cases of a folder in this layout, sorted by name.

    Raises:
        UnreadableFileError: there is no readable manifest.
    """
    try:
        rows = parse_json((folder / MANIFEST).read_text(encoding="utf-8"))["cases"]
        return sorted((_source(folder, row) for row in rows), key=lambda case: case.name)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableFileError(
            f"{folder} has no readable manifest.json.", "Name a folder in the lits2d layout."
        ) from error


def _source(folder: Path, row: dict[str, Any]) -> SliceCase:
    spacing = row.get("spacing_mm_512")
    return SliceCase(
        folder,
        f"{row['case']:03d}",
        int(row.get("stored_z_step", 1)),
        None if spacing is None else (float(spacing[0]), float(spacing[1])),
    )


def _labels(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            labels = np.array(image if image.mode == "P" else image.convert("L"))
    except OSError as error:
        raise UnreadableFileError(f"{path} is missing or no readable picture.") from error
    if labels.max(initial=0) > 2:
        raise ForeignLabelsError(
            f"{path} holds the label {labels.max()}.", "Use 0 background, 1 liver and 2 tumor."
        )
    return labels


def _stacked(pictures: list[NDArray[np.uint8]], folder: Path) -> NDArray[np.uint8]:
    if len({picture.shape for picture in pictures}) > 1:
        raise UnreadableFileError(
            f"{folder} holds pictures of several sizes.", "Store all slices of a case at one size."
        )
    return np.stack(pictures)


def _grey(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.array(image.convert("L"))
    except OSError as error:
        raise UnreadableFileError(f"{path} is missing or no readable picture.") from error
