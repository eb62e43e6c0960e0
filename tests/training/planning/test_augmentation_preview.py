from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.preprocessing import CONTEXT_MM
from tests.training.tiny import TINY, tiny_slices
from training.config.augmentation_config import Augmentation
from training.data.dataset_layouts import find_sources
from training.data.phantom_case import PhantomCase
from training.data.slice_dataset import prepare
from training.planning.augmentation_preview import PreviewSlices, augmented, preview_slices

STILL = Augmentation(*(0.0 for _ in range(11)), tone=(0.0, 0.0))


@pytest.fixture
def slices() -> PreviewSlices:
    drawn = [tiny_slices()[n] for n in (8, 9, 10, 11)]
    images, centers, labels = (torch.stack(part).numpy() for part in zip(*drawn, strict=True))
    return PreviewSlices("phantom", images, labels, tuple(centers[0]))


def test_a_preview_is_as_large_as_the_networks_look(slices: PreviewSlices) -> None:
    far, near = (augmented(TINY, slices, 1, liver_view) for liver_view in (False, True))
    assert far.images.shape == far.labels.shape == (4, *TINY.trunk.size)
    assert TINY.liver is not None
    assert near.images.shape == near.labels.shape == (4, *TINY.liver.size)
    assert near.pixel_mm == TINY.liver.pixel_mm < far.pixel_mm
    assert far.images.dtype == far.labels.dtype == np.uint8
    assert {0, 1} <= set(np.unique(far.labels)) <= {0, 1, 2}


def test_the_same_seed_draws_the_same_changes_and_another_one_others(
    slices: PreviewSlices,
) -> None:
    one, again, other = (augmented(TINY, slices, seed, False).images for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_without_augmentation_every_draw_shows_the_slices_as_they_are(
    slices: PreviewSlices,
) -> None:
    still = replace(TINY, augmentation=STILL, synthetic=None)
    one, other = (augmented(still, slices, seed, False) for seed in (1, 2))
    np.testing.assert_array_equal(one.images, other.images)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_a_preview_draws_none_of_the_programs_random_numbers(slices: PreviewSlices) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    augmented(TINY, slices, 1, True)
    assert torch.equal(torch.rand(3), expected)


def test_the_slices_shown_are_the_users_own_and_hold_liver(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    sources = find_sources(data)
    shown = preview_slices(sources, 3, 6, Progress())
    assert shown.name == sources[0].name
    assert shown.images.shape[:2] == (6, 3)
    assert all(labels.any() for labels in shown.labels)
    assert sum((labels == 2).any() for labels in shown.labels) >= 2
    case = prepare(sources[0].read())
    assert all((case.images == image[1]).all(axis=(1, 2)).any() for image in shown.images)
    assert case.gap in (CONTEXT_MM, 2, 1)


def test_without_cases_a_phantom_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path))
    assert preview_slices([], 3, 2, Progress()).name == PhantomCase(0).name
