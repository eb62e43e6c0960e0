"""The icons for Windows and macOS are what the tool draws now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import icons
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import IcnsImagePlugin, IcoImagePlugin, Image

SAME = 8
"""Gray values of 255 by which two versions of Qt may draw an edge differently."""


def pictures(path: Path) -> dict[int, NDArray[np.int16]]:
    """The pictures in an .ico or .icns file, as RGBA, by their width in pixels."""
    with Image.open(path) as file:
        if isinstance(file, IcoImagePlugin.IcoImageFile):
            found = [file.ico.getimage(size) for size in file.ico.sizes()]
        else:
            assert isinstance(file, IcnsImagePlugin.IcnsImageFile)
            found = [file.icns.getimage(size) for size in file.icns.itersizes()]
        return {image.width: np.asarray(image.convert("RGBA"), np.int16) for image in found}


@pytest.mark.parametrize(
    ("kept", "write", "sizes"),
    [
        (icons.ICO, icons.write_ico, icons.ICO_SIZES),
        (icons.ICNS, icons.write_icns, icons.ICNS_SIZES),
    ],
    ids=["ico", "icns"],
)
def test_the_file_in_the_sources_is_what_the_drawing_gives(
    kept: Path, write: Callable[[Path], None], sizes: tuple[int, ...], tmp_path: Path, qapp: object
) -> None:
    write(tmp_path / kept.name)
    before, now = pictures(kept), pictures(tmp_path / kept.name)
    assert sorted(before) == sorted(now) == list(sizes)
    for size in sizes:
        assert np.abs(before[size] - now[size]).mean() < SAME, size
        middle = now[size][size // 2, size // 2]
        assert tuple(middle) == (0x00, 0x9E, 0x73, 255), "the liver is in the middle"
        assert now[size][0, 0, 3] == 0, "the corner is empty"
