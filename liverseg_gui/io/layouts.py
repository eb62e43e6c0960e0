"""Stand-in until the real layouts are here."""

from pathlib import Path


def mask_beside(scan: Path) -> Path | None:
    return None


def is_mask_of_pair(path: Path) -> bool:
    return False


def ircadb(folder: Path) -> tuple[Path, Path] | None:
    return None
