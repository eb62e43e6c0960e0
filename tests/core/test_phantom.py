from __future__ import annotations

import numpy as np
import pytest

from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom

SMALL = PhantomSpec(5, (64, 64, 24), (6.0, 6.0, 9.0), (36.0,))


def test_the_same_seed_gives_the_same_phantom() -> None:
    a, b = make_phantom(SMALL), make_phantom(SMALL)
    np.testing.assert_array_equal(a.volume.hu, b.volume.hu)
    np.testing.assert_array_equal(a.truth.labels, b.truth.labels)


def test_another_seed_gives_another_liver() -> None:
    other = make_phantom(PhantomSpec(6, SMALL.shape, SMALL.spacing_mm, (36.0,)))
    assert other.liver_ml != pytest.approx(make_phantom(SMALL).liver_ml, rel=1e-3)


def test_the_true_tumor_volume_is_that_of_the_spheres(phantom: Phantom) -> None:
    spheres = sum(tumor.volume_ml for tumor in phantom.tumors)
    assert phantom.tumor_ml == pytest.approx(spheres, rel=0.01)


def test_a_phantom_without_tumors_has_none() -> None:
    plain = make_phantom(PhantomSpec(5, SMALL.shape, SMALL.spacing_mm, ()))
    assert plain.tumor_ml == 0
    assert not (plain.truth.labels == 2).any()


def test_the_liver_lies_on_the_patients_right_and_the_spine_behind(phantom: Phantom) -> None:
    liver = np.argwhere(phantom.truth.labels > 0).mean(axis=0)
    bone = np.argwhere(phantom.volume.hu[40:88] > 180).mean(axis=0)
    assert phantom.volume.affine.to_mm(liver)[0] > 20
    assert phantom.volume.affine.to_mm(bone)[1] < -20


def test_hu_are_those_of_an_enhanced_liver(phantom: Phantom) -> None:
    hu = phantom.volume.hu
    assert 85 < np.median(hu[phantom.truth.labels == 1]) < 140
    assert np.median(hu[phantom.truth.labels == 2]) < np.median(hu[phantom.truth.labels == 1]) - 25
    assert hu[0, 0, 0] < -900


def test_a_tumor_larger_than_the_liver_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        make_phantom(PhantomSpec(5, SMALL.shape, SMALL.spacing_mm, (200.0,)))
