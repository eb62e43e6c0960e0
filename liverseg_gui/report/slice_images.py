"""PNG pictures of a scan beside the same scan with its overlay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from liverseg_gui.core.display import grey, overlay
from liverseg_gui.core.labels import LIVER, TUMOR, LabelMap
from liverseg_gui.core.planes import Plane
from liverseg_gui.core.volume import Volume
from liverseg_gui.core.window_level import PRESETS
from liverseg_gui.report.measurements import NOTICE
from liverseg_gui.system.atomic_write import atomic_write, not_written, require_place, save_errors

_WIDTH = 512
_OPACITY = 0.45
_SOFTWARE = "LiverSeg"


def save_slice_images(volume: Volume, mask: LabelMap, folder: Path) -> list[Path]:
    """Write one PNG a plane into `folder`, through the largest tumor area (else the most liver).

    Raises:
        SaveError: the folder cannot be written, or there are pictures of others.
    """
    with save_errors(not_written(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    require_slice_images_place(folder)
    about = PngInfo()
    about.add_text("Software", _SOFTWARE)
    paths = [folder / name for name in _names()]
    for plane, path in zip(Plane, paths, strict=True):
        with atomic_write(path, ending=".png") as beside:
            slice_image(volume, mask, plane).save(beside, pnginfo=about)
    return paths


def require_slice_images_place(folder: Path) -> None:
    """Check that pictures may be written into `folder`, where they replace only others like them.

    Versions before did not sign them, and wrote them beside a phantom.

    Raises:
        SaveError: there are pictures of others.
    """
    beside_phantom = (folder / "truth.json").is_file()
    for name in _names():
        require_place(folder / name, ".png", "" if beside_phantom else _SOFTWARE)


def _names() -> list[str]:
    return [f"{plane.title.lower()}.png" for plane in Plane]


def slice_image(volume: Volume, mask: LabelMap, plane: Plane) -> Image.Image:
    """Scan and overlay side by side in the true aspect ratio, with orientation letters."""
    index = best_slice(mask.labels, plane)
    shade = grey(plane.cut(volume.hu, index), PRESETS["Abdomen"])
    labels = plane.cut(mask.labels, index)
    plain = np.repeat(shade[..., None], 3, axis=2)
    both = [_framed(image, volume, plane) for image in (plain, overlay(shade, labels, _OPACITY))]
    sheet = Image.new("RGB", (2 * _WIDTH, both[0].height + 20))
    sheet.paste(both[0], (0, 0))
    sheet.paste(both[1], (_WIDTH, 0))
    text = f"{plane.title} slice {index + 1} of {volume.shape[plane.normal]}.  {NOTICE}"
    ImageDraw.Draw(sheet).text((6, both[0].height + 4), text, fill=(200, 200, 200))
    return sheet


def best_slice(labels: NDArray[np.uint8], plane: Plane) -> int:
    """The slice with the most tumor, else with the most liver, else the middle one."""
    others = tuple(axis for axis in range(3) if axis != plane.normal)
    for label in (TUMOR, LIVER):
        area = (labels == label).sum(axis=others)
        if area.any():
            return int(area.argmax())
    return labels.shape[plane.normal] // 2


def _framed(rgb: NDArray[np.uint8], volume: Volume, plane: Plane) -> Image.Image:
    width_mm, height_mm = plane.pixel_mm(volume.affine)
    ratio = (rgb.shape[0] * height_mm) / (rgb.shape[1] * width_mm)
    size = (_WIDTH, max(1, round(_WIDTH * ratio)))
    image = Image.fromarray(rgb).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    left, right, top, bottom = plane.edge_letters(volume.affine)
    middle_x, middle_y = size[0] / 2, size[1] / 2
    for at, anchor, text in (
        ((6, middle_y), "lm", left),
        ((size[0] - 6, middle_y), "rm", right),
        ((middle_x, 6), "ma", top),
        ((middle_x, size[1] - 6), "md", bottom),
    ):
        draw.text(at, text, anchor=anchor, fill=(255, 220, 120))
    return image
