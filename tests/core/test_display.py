from __future__ import annotations

import numpy as np
import pytest

from liverseg_gui.core.display import grey, overlay
from liverseg_gui.core.window_level import PRESETS, Window, stated_window


def test_presets_are_the_published_ones() -> None:
    assert {name: (w.width, w.center) for name, w in PRESETS.items()} == {
        "Abdomen": (400, 40),
        "Liver": (150, 90),
        "Liver unenhanced": (150, 30),
        "Lung": (1500, -600),
        "Bone": (2000, 400),
        "Brain": (80, 40),
    }


def test_a_window_maps_its_ends_to_black_and_white() -> None:
    hu = np.array([[-161, -160, 40, 240, 900]], np.int16)
    assert grey(hu, Window(400, 40)).tolist() == [[0, 0, 127, 255, 255]]


@pytest.mark.parametrize(
    ("width", "center"),
    [(0, 40), (-400, 40), (float("nan"), 40), (400, float("inf")), (1e5, 40), (400, 40_000)],
)
def test_a_stated_window_that_makes_no_sense_is_none(width: float, center: float) -> None:
    assert stated_window("SOFT", width, center) is None


def test_a_stated_window_below_one_hu_becomes_one_hu_wide() -> None:
    stated = stated_window("EDGE", 0.5, 40)
    assert stated is not None
    assert stated.window == Window(1, 40)


def test_an_overlay_colors_labels_only() -> None:
    labels = np.array([[0, 1, 2]], np.uint8)
    image = overlay(np.full((1, 3), 100, np.uint8), labels, 1.0)
    assert image.tolist() == [[[100, 100, 100], [0, 158, 115], [230, 159, 0]]]
