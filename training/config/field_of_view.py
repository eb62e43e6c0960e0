"""Fields of view of the network: the whole trunk, or the liver closer up."""

from __future__ import annotations

from dataclasses import dataclass

TRUNK_MM = 380.0
"""Usual width of the trunk's box in an adult: what a pixel is in millimetres, roughly."""


@dataclass(frozen=True)
class FieldOfView:
    """The network's input: `size` (rows, columns) pixels cut from the trunk at `of_trunk` pixels.

    Where both are equal the whole trunk is seen.
    """

    size: tuple[int, int]
    of_trunk: tuple[int, int]

    @property
    def extent(self) -> tuple[float, float]:
        """The part of the trunk's height and width that is seen."""
        return self.size[0] / self.of_trunk[0], self.size[1] / self.of_trunk[1]

    @property
    def pixel_mm(self) -> float:
        """A pixel in millimetres, roughly."""
        return TRUNK_MM / self.of_trunk[1]


# Why two, and at these scales: docs/adr/0008-two-looks.md
TRUNK_VIEW = FieldOfView((128, 192), (128, 192))
LIVER_VIEW = FieldOfView((160, 192), (224, 336))
