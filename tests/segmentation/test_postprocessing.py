from __future__ import annotations

import numpy as np

from liverseg_gui.segmentation.postprocessing import clean


def liver() -> np.ndarray:
    labels = np.zeros((30, 30, 12), np.uint8)
    labels[5:25, 5:25, 2:10] = 1
    return labels


def test_only_the_largest_organ_stays() -> None:
    labels = liver()
    labels[27:29, 27:29, 5] = 1
    assert (clean(labels, 0.01) == liver()).all()


def test_a_hole_becomes_liver() -> None:
    labels = liver()
    labels[10:13, 10:13, 5:7] = 0
    assert (clean(labels, 0.01) == liver()).all()


def test_a_tumor_stays_and_its_speck_goes() -> None:
    labels = liver()
    labels[10:14, 10:14, 4:8] = 2
    labels[20, 20, 5] = 2
    out = clean(labels, 0.01)
    assert (out[10:14, 10:14, 4:8] == 2).all()
    assert out[20, 20, 5] == 1


def test_tumor_away_from_the_liver_goes() -> None:
    labels = liver()
    labels[0:3, 0:3, 0:2] = 2
    assert not (clean(labels, 0.01) == 2).any()


def test_nothing_stays_nothing_and_the_input_is_untouched() -> None:
    empty = np.zeros((4, 4, 4), np.uint8)
    assert not clean(empty, 1.0).any()
    labels = liver()
    labels[27, 27, 5] = 1
    clean(labels, 0.01)
    assert labels[27, 27, 5] == 1
