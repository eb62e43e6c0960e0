"""Protocol of segmenters, whether they compute here or in a process of their own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A label map and how it came about."""

    labels: LabelMap
    model: str
    device: str
    seconds: float
    warnings: tuple[str, ...] = field(default=())
    why: str = ""
    """Why it ran where it did, in a sentence for the reader; often there is nothing to say."""


class Segmenter(Protocol):
    """Finds liver and tumors in a volume."""

    def segment(self, volume: Volume, progress: Progress) -> Segmentation:
        """Segment `volume`.

        Raises:
            LiverSegError: it could not be done; the message says why.
            Cancelled: `progress` was cancelled.
        """
        ...
