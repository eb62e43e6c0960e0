from __future__ import annotations

import numpy as np
import pytest

from liverseg_gui.core.display import PRESETS, Window, auto_window, grey, overlay


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


def test_auto_ignores_air_and_padding() -> None:
    hu = np.full((50, 50, 4), -2000, np.int16)
    hu[20:40, 20:40] = np.arange(400, dtype=np.int16).reshape(20, 20, 1) % 100
    window = auto_window(hu)
    assert window.low == pytest.approx(0, abs=2)
    assert window.high == pytest.approx(99, abs=2)


def test_auto_of_pure_air_is_the_abdomen() -> None:
    assert auto_window(np.full((4, 4, 4), -1000, np.int16)) == PRESETS["Abdomen"]


def test_an_overlay_colors_labels_only() -> None:
    labels = np.array([[0, 1, 2]], np.uint8)
    image = overlay(np.full((1, 3), 100, np.uint8), labels, 1.0)
    assert image.tolist() == [[[100, 100, 100], [0, 158, 115], [230, 159, 0]]]
