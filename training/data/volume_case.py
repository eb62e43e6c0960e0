"""Labelled scans in files of their own: a volume in any format the program opens, and its mask."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from liverseg_gui.core.errors import (
    AmbiguousInputError,
    GridMismatchError,
    LiverSegError,
    UnreadableFileError,
)
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.archives import unpack
from liverseg_gui.io.formats.mask_marks import is_untouched_segmentation
from liverseg_gui.io.masks.label_names import names_beside
from liverseg_gui.io.masks.read import UnknownLabelsError, read_mask
from liverseg_gui.io.scans import open_scan
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM, axial_slices
from liverseg_gui.system.temporary_files import temporary_folder
from training.data.case import Case, ForeignLabelsError
from training.data.fingerprints import files_fingerprint

_MM_STAND = ("missing-slices", "single-slice")
"""Findings that spoil volumes, not the distances of the voxels that are there."""


@dataclass(frozen=True)
class VolumeCase:
    """A scan with its mask: a `CaseSource`.

    `root` is the folder of the data set. `labels` says what the mask's values mean where it does
    not tell, as pairs (value, label); `volume` counts the volumes of `scan`, from 1, where there
    are several.
    """

    root: Path
    name: str
    patient: str
    scan: Path
    mask: Path
    labels: tuple[tuple[int, int], ...] = ()
    volume: int | None = None
    reviewed: bool = False

    def read(self) -> Case:
        """See `CaseSource.read`. A model's mask is no truth until a person has `reviewed` it.

        Uneven or tilted slices come as the even grid that the program resamples them onto, and
        their mask with them. `z` is slice number times slice distance in mm; where the file does
        not say how large voxels are, it is the slice number, the neighbours are the next slices
        and `pixel_mm` is None.
        """
        volume = self._read_scan()
        mask = self._read_mask(volume)
        if not self.reviewed and is_untouched_segmentation(self.mask):
            raise UnreadableFileError(
                f"{self.mask} is as a model drew it, and nobody has marked it as reviewed: a model "
                "would learn its own mistakes.",
                "Open scan and mask in the window, look at every slice, mark the mask as reviewed "
                "and save it, or leave the case out.",
            )
        slices = axial_slices(volume)
        labels = np.ascontiguousarray(mask.labels[::-1, ::-1].transpose(2, 1, 0))
        z = np.arange(len(slices), dtype=np.float64)
        gap, pixel_mm = 1.0, None
        if _spacing_known(volume):
            i_mm, j_mm, k_mm = volume.affine.spacing_mm
            z, gap, pixel_mm = z * k_mm, CONTEXT_MM, (j_mm, i_mm)
        issues, person = (*volume.issues, *mask.issues), volume.origin.patient
        return Case(self.name, slices, labels, z, gap, pixel_mm, self.patient, issues, person)

    def fingerprint(self) -> str:
        """See `CaseSource.fingerprint`."""
        named = sorted(names_beside(self.mask).items())
        return files_fingerprint(self.root, (self.scan, self.mask), self.labels, self.volume, named)

    def _read_scan(self) -> Volume:
        try:
            return open_scan(self.scan, number=self.volume)
        except AmbiguousInputError as error:
            raise UnreadableFileError(
                f"{self.scan} holds several volumes.",
                'Say which one is meant: list the case in cases.json with "volume", counted as '
                "`liverseg info` counts.",
            ) from error
        except OSError as error:
            raise UnreadableFileError(
                f"{self.scan} could not be read: {error.strerror or error}.",
                "Check that it may be opened.",
            ) from error

    def _read_mask(self, volume: Volume) -> LabelMap:
        mapping: Mapping[int, int] | None = dict(self.labels) or None
        try:
            return read_mask(self.mask, volume, mapping)
        except UnknownLabelsError as error:
            there = ", ".join(map(str, error.labels[:12]))
            raise ForeignLabelsError(
                f"{self.mask} holds the labels {there}, and nothing says which are liver and "
                "tumor.",
                "Name them in the data set's dataset.json, or list the case in cases.json with "
                'e.g. "labels": "5=liver,6=tumor".',
            ) from error
        except GridMismatchError as error:
            raise GridMismatchError(
                f"{self.mask} does not lie on {self.scan}.",
                f"{error.message} Pair the scan with the mask that was drawn on it.",
            ) from error


@dataclass(frozen=True)
class PackedCase:
    """A 3D-IRCADb-01 patient whose slices or masks are still in zip archives: a `CaseSource`.

    They are unpacked for as long as the case is read.
    """

    root: Path
    name: str
    scan: Path
    mask: Path

    @property
    def patient(self) -> str:
        """Every case is a patient."""
        return self.name

    def read(self) -> Case:
        """See `CaseSource.read`."""
        with temporary_folder() as folder:
            try:
                for path in (self.scan, self.mask):
                    _put(path, folder)
                return VolumeCase(folder, self.name, self.patient, folder, folder).read()
            except OSError as error:
                raise UnreadableFileError(
                    f"{self.scan.parent} could not be unpacked: {error.strerror or error}.",
                    "Free some space for temporary files, or unpack the archives yourself.",
                ) from error
            except LiverSegError as error:
                texts = (error.message, error.remedy)
                raise type(error)(
                    *(text.replace(str(folder), str(self.scan.parent)) for text in texts)
                ) from error

    def fingerprint(self) -> str:
        """See `CaseSource.fingerprint`."""
        return files_fingerprint(self.root, (self.scan, self.mask))


def _spacing_known(volume: Volume) -> bool:
    return not any(f.spoils_mm and f.code not in _MM_STAND for f in volume.issues)


def _put(path: Path, folder: Path) -> None:
    """Put a folder, or what its archive holds, into `folder` under the folder's name.

    Masks that do not say where they lie are placed by the slices in the folder beside theirs.
    """
    if path.is_dir():
        shutil.copytree(path, folder / path.name)
    else:
        unpack(path, folder / path.stem, Progress())
