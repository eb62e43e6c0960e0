"""Ranges of the augmentation, and chances of synthetic tumors.

What moves (rotation, scale, shift, elastic) moves slices and labels alike, in one resampling that
also cuts out what the network looks at. What changes intensity does so in terms of the window, as
contrast phases, scanners and reconstruction kernels do. Left-right flips are offered but off: the
liver's side is anatomy, and a network that is shown mirrored patients loses it.

`training.augmentation` does all this and needs torch; whoever shows or stores a configuration does
not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random changes. Intensities are in units of the whole window.

    `shift` and `elastic` are parts of the trunk's size; `degrade` is the chance of each of blur,
    low resolution and JPEG, `tone_chance` that of the liver alone being darker or brighter, by up
    to `tone`.
    """

    rotation_degrees: float = 15.0
    scale: float = 0.2
    shift: float = 0.08
    elastic: float = 0.02
    flip_probability: float = 0.0
    brightness: float = 0.12
    contrast: float = 0.3
    gamma: float = 0.3
    noise: float = 0.06
    degrade: float = 0.1
    tone_chance: float = 0.35
    tone: tuple[float, float] = (-0.3, 0.2)


@dataclass(frozen=True)
class SyntheticTumors:
    """How often and what is painted. Chances are per image, radii in millimetres (roughly).

    Images that hold a real tumor get one with half the chance.
    """

    chance: float = 0.4
    mass_chance: float = 0.15
    radius_mm: tuple[float, float] = (2.0, 30.0)
    bright_chance: float = 0.12
