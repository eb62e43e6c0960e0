"""The mouse gestures of the panes in one table: the first-run card and the help show it."""

from __future__ import annotations

from dataclasses import dataclass

from liverseg_gui.state.preferences import MouseProfile


@dataclass(frozen=True)
class Gesture:
    """How it is made and what it does; `profile` is the one it belongs to, None both.

    `picture` names an icon of the resources; those of `first` are on the first-run card.
    """

    how: str
    does: str
    picture: str
    profile: MouseProfile | None = None
    first: bool = False


_DEFAULT, _PACS = MouseProfile.DEFAULT, MouseProfile.PACS
GESTURES: tuple[Gesture, ...] = (
    Gesture("Wheel", "Scroll through the slices", "mouse-wheel", first=True),
    Gesture(
        "Left-drag", "Move the crosshair: all planes follow", "mouse-left", _DEFAULT, first=True
    ),
    Gesture("Left-drag", "Change window/level", "mouse-left", _PACS, first=True),
    Gesture("Right-drag", "Zoom", "mouse-right", first=True),
    Gesture("W, then left-drag", "Change window/level", "window", _DEFAULT, first=True),
    Gesture("Click", "Move the crosshair: all planes follow", "navigate", _PACS, first=True),
    Gesture("F5", "Segment liver and tumors", "segment", first=True),
    Gesture("Click", "Move the crosshair: all planes follow", "navigate", _DEFAULT),
    Gesture("Ctrl + wheel", "Zoom at the cursor", "mouse-wheel"),
    Gesture("Middle-drag", "Move the picture", "mouse-wheel"),
    Gesture("Shift + left-drag", "Move the picture", "mouse-left"),
    Gesture("Shift + move", "The crosshair follows the cursor", "navigate"),
    Gesture("Left-drag on a reading", "Move it; a handle changes its shape", "ruler"),
    Gesture("Click on a reading", "Choose it; Del deletes it", "ruler"),
    Gesture("Double click on a reading", "Type its text", "text"),
    Gesture("Double click", "Show the pane alone, or all panes again", "mouse-left"),
)


def gestures_of(profile: MouseProfile) -> tuple[Gesture, ...]:
    """What the mouse does in `profile`."""
    return tuple(gesture for gesture in GESTURES if gesture.profile in (None, profile))


def first_gestures(profile: MouseProfile) -> tuple[Gesture, ...]:
    """The five that are enough to begin with."""
    return tuple(gesture for gesture in gestures_of(profile) if gesture.first)
