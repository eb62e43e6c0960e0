"""Segmentation of one volume, alone or in a cohort: mask saved and measured."""

from __future__ import annotations

import time
from pathlib import Path

from liverseg_gui.core.errors import LiverSegError, SegmentationError
from liverseg_gui.core.geometry import Float3
from liverseg_gui.core.geometry_override import with_geometry
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.report.measurements import MadeFrom, Report
from liverseg_gui.segmentation.segmenter import Segmenter
from liverseg_gui.system.memory_usage import peak_memory_mb


def segment_volume(
    volume: Volume, segmenter: Segmenter, mask: Path, made_from: MadeFrom, progress: Progress
) -> tuple[Report, LabelMap]:
    """Segment `volume`, save its mask at `mask`, and measure it.

    Raises:
        LiverSegError: it is no CT, could not be segmented, or the mask could not be saved.
        Cancelled: `progress` was cancelled.
    """
    if volume.origin.modality != "CT":
        raise SegmentationError(
            f"{volume.origin.path} is {volume.origin.modality}, and the model knows only CT."
        )
    began = time.monotonic()
    segmentation = segmenter.segment(volume, progress.part(0.0, 0.9))
    progress.update(0.9, "Saving the mask")
    save_mask(segmentation.labels, volume.origin, mask, of_a_model=True)
    progress.update(0.95, "Measuring")
    measurements = measure(volume, segmentation.labels)
    progress.update(1.0, "Done")
    seconds = time.monotonic() - began
    report = Report(
        volume,
        measurements,
        segmentation.model,
        segmentation.device,
        seconds,
        peak_memory_mb(),
        segmentation.warnings,
        made_from=made_from,
    )
    return report, segmentation.labels


def override_geometry(volume: Volume, spacing_mm: Float3 | None, orientation: str | None) -> Volume:
    """`volume` with the geometry that the reader states, if any.

    Raises:
        LiverSegError: there is no such geometry.
    """
    if spacing_mm is None and orientation is None:
        return volume
    try:
        return with_geometry(volume, spacing_mm, orientation)
    except ValueError as problem:
        raise LiverSegError(
            f"{volume.origin.path} can't be given that geometry: {problem}. Give three numbers "
            "above 0 and a word like LPS or RAS."
        ) from problem


def geometry_text(spacing_mm: Float3 | None, orientation: str | None) -> str:
    """The geometry that the reader states, e.g. "0.7 0.7 5.0 mm LPS"; nothing where they don't."""
    spacing = "" if spacing_mm is None else " ".join(f"{mm:g}" for mm in spacing_mm) + " mm"
    return f"{spacing} {orientation or ''}".strip()
