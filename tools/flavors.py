"""The flavors of the package, for what installs them. docs/adr/0012-flavors.md"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Flavor:
    """What a package is called, which one it cannot stand beside, and what it tells is inside."""

    name: str
    other: str
    inside: str


FLAVORS = {
    "full": Flavor(
        "liverseg", "liverseg-inference", "Window, command line, inference and training"
    ),
    "inference": Flavor(
        "liverseg-inference", "liverseg", "Window, command line and inference, without training,"
    ),
}


def flavor() -> Flavor:
    """The one that LIVERSEG_FLAVOR names, as for pyinstaller.spec."""
    return FLAVORS[os.environ.get("LIVERSEG_FLAVOR", "full")]
