"""Choices in the preferences: mouse profiles, themes, qualities."""

from __future__ import annotations

from enum import Enum


class MouseProfile(Enum):
    """DEFAULT drags with the chosen tool; PACS changes window/level unless a tool draws."""

    DEFAULT = "Default"
    PACS = "PACS"


class Theme(Enum):
    """The colors of the window; the slices are on black in both."""

    DARK = "Dark"
    LIGHT = "Light"


QUALITIES = ("fast", "best")
