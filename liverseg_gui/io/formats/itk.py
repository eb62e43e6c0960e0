"""NRRD (.nrrd, .nhdr) and MetaImage (.mha, .mhd) scans: what ITK's programs save."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core import scan_checks as checks
from liverseg_gui.core.errors import UnreadableFileError, cannot_read
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_checks import needs_upright
from liverseg_gui.core.scan_issues import ScanIssue, by_severity
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.entries import ShowPreview, VolumeEntry
from liverseg_gui.io.formats.hu import Tally, slices_together, to_hu
from liverseg_gui.io.formats.itk_checks import color, itk_header_issues
from liverseg_gui.io.formats.metaimage import read_metaimage
from liverseg_gui.io.formats.nrrd import MAGIC, read_nrrd
from liverseg_gui.io.formats.raw_image import RawImage, damaged
from liverseg_gui.io.formats.tilt_correction import upright_volume
from liverseg_gui.io.preview import one_slice, thumbnail
from liverseg_gui.system.regular_file import open_regular


def itk_entries(path: Path) -> list[VolumeEntry]:
    """The volume of an NRRD or MetaImage file, or one for each of a 4D file's.

    Raises:
        UnreadableFileError: it is neither, is damaged, or is not three-dimensional.
    """
    image = open_image(path)
    issues = by_severity(tuple(itk_header_issues(image)))
    modality, stated = image.modality or "CT", bool(image.modality)
    names = [path.name]
    if image.count > 1:
        names = [f"{path.name} volume {n + 1} of {image.count}" for n in range(image.count)]
    return [
        VolumeEntry(
            path,
            name,
            modality,
            image.grid.shape,
            image.grid.affine.spacing_mm,
            partial(
                _read,
                image,
                n,
                Origin(path, name, modality=modality, modality_stated=stated),
                issues,
            ),
            issues,
            thumbnail=partial(_thumbnail, image, n),
            files=tuple(dict.fromkeys((path, image.file))),
            key=str(n),
            modality_stated=stated,
        )
        for n, name in enumerate(names)
    ]


def open_image(path: Path) -> RawImage:
    """Read the header of the NRRD or MetaImage file `path`.

    Raises:
        UnreadableFileError: it is neither, makes no sense, or promises more than it can hold.
    """
    try:
        with open_regular(path) as stream:
            is_nrrd = stream.read(len(MAGIC)) == MAGIC
        return read_nrrd(path) if is_nrrd else read_metaimage(path)
    except OSError as problem:
        raise cannot_read(path, problem) from problem
    except (LookupError, ValueError, OverflowError, StopIteration) as problem:
        raise damaged(path) from problem


def _read(
    image: RawImage,
    index: int,
    origin: Origin,
    issues: tuple[ScanIssue, ...],
    progress: Progress,
    preview: ShowPreview | None = None,
) -> Volume:
    if image.color:
        issue = color(image)
        raise UnreadableFileError(issue.message, issue.remedy)
    progress.update(0.0, f"Reading {image.path.name}")
    if preview is not None and not image.deflated:
        preview(_slice(image, index, origin))
    hu, seen = _read_hu(image, index, progress.part(0.0, 0.9))
    issues = by_severity((*issues, *seen, *checks.value_issues(hu)))
    if needs_upright(image.grid):
        upright = upright_volume(hu, image.grid, image.path, issues, progress.part(0.9, 1.0))
        stated = origin.modality_stated
        own = replace(upright.origin, modality=origin.modality, modality_stated=stated)
        return replace(upright, origin=own)
    ordered = slices_together(image.grid.to_ras(hu))
    progress.update(1.0, f"Reading {image.path.name}")
    return Volume(ordered, image.grid, origin, issues)


def _read_hu(
    image: RawImage, index: int, progress: Progress
) -> tuple[NDArray[np.int16], tuple[ScanIssue, ...]]:
    """The HU in stored order (Fortran), and what was remarkable about the numbers."""
    hu = np.empty(image.grid.shape, np.int16, order="F")
    tally = Tally()
    for k, slab in image.slabs(index):
        progress.update(k / hu.shape[2], f"Reading {image.path.name}")
        part = hu[:, :, k : k + slab.shape[2]]
        part[:] = slab if slab.dtype.newbyteorder("=") == np.int16 else to_hu(slab, 1, 0, tally)
    return hu, tally.issues()


def _slice(image: RawImage, index: int, origin: Origin) -> Volume:
    """The middle slice of volume `index` as a volume of its own."""
    middle = image.grid.shape[2] // 2
    _, slab = next(image.slabs(index, middle))
    hu = to_hu(slab[:, :, :1], 1, 0, Tally())
    return one_slice(hu, image.grid, middle, origin)


def _thumbnail(image: RawImage, index: int) -> NDArray[np.uint8]:
    return thumbnail(_slice(image, index, Origin(image.path)))
