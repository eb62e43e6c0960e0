from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.scan_checks import mm_per_unit, value_issues

Change = Callable[[np.ndarray], np.ndarray]


def codes(values: np.ndarray) -> list[str]:
    rounded = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    return [issue.code for issue in value_issues(rounded)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda hu: hu + 1000, id="+1000"),
        pytest.param(lambda hu: hu + 1024, id="+1024"),
        pytest.param(lambda hu: hu + 500, id="+500"),
        pytest.param(lambda hu: hu + 32768, id="+32768"),
        pytest.param(lambda hu: hu - 1024, id="-1024 twice"),
        pytest.param(lambda hu: -hu, id="inverted"),
        pytest.param(lambda hu: 3071 - hu, id="inverted codes"),
        pytest.param(lambda hu: -hu - 1024, id="inverted, air where tissue should be"),
        pytest.param(lambda hu: 20 * (1 + hu / 1000), id="attenuation, 1/m"),
        pytest.param(lambda hu: 2000 * (1 + hu / 1000), id="attenuation, scaled"),
        pytest.param(lambda hu: np.clip((hu + 1000) / 2000, 0, 1), id="0 to 1"),
        pytest.param(lambda hu: (hu - hu.mean()) / hu.std(), id="z-scores"),
        pytest.param(lambda hu: hu * 10, id="times ten"),
        pytest.param(lambda hu: np.abs(hu), id="without signs"),
        pytest.param(lambda hu: hu.astype(np.int16).byteswap(), id="swapped bytes"),
        pytest.param(lambda hu: (hu + 1024) / 4096 * 255, id="grey of all codes"),
    ],
)
def test_values_that_are_no_hu_are_known(phantom: Phantom, change: Change) -> None:
    changed = change(phantom.volume.hu.astype(np.float64))
    assert codes(changed) == ["not-hu"]
    assert codes(changed.transpose(2, 0, 1)[::-1]) == ["not-hu"]


def test_attenuation_in_1_a_cm_leaves_nothing_to_see(phantom: Phantom) -> None:
    assert codes(0.2 * (1 + phantom.volume.hu / 1000)) == ["no-contrast"]


@pytest.mark.parametrize("ends", [(-200, 250), (0, 255), (-40, 160), (-100, 400), (-160, 240)])
def test_hu_that_were_cut_off_at_both_ends_are_doubted_but_not_refused(
    phantom: Phantom, ends: tuple[int, int]
) -> None:
    assert codes(np.clip(phantom.volume.hu, *ends)) == ["doubtful-hu"]


@pytest.mark.parametrize("ends", [(-1024, 3071), (-1000, 1000), (-3024, 3071)])
def test_hu_are_not_doubted(phantom: Phantom, ends: tuple[int, int]) -> None:
    assert codes(np.clip(phantom.volume.hu, *ends)) == []


def test_a_small_body_in_a_large_field_is_in_hu(phantom: Phantom) -> None:
    assert codes(np.pad(phantom.volume.hu, ((120, 120), (120, 120), (0, 0)), "edge")) == []


@pytest.mark.parametrize(
    ("unit", "step", "mm"),
    [
        ("mm", 0.8, 1.0),
        ("", 0.8, 1.0),
        ("m", 0.0008, 1000.0),
        ("Metres", 0.0008, 1000.0),
        ("cm", 0.08, 10.0),
        ("um", 800.0, 0.001),
        ("micron", 800.0, 0.001),
        ("m", 0.8, 1.0),
        ("furlong", 0.8, 1.0),
    ],
)
def test_lengths_become_mm_where_that_makes_sense(unit: str, step: float, mm: float) -> None:
    assert mm_per_unit(unit, (step, step, step)) == mm


def test_values_below_air_alone_are_no_hu() -> None:
    below = np.full((8, 8, 8), -3024, np.int16)
    below[2:5] = -2048
    assert codes(below) == ["not-hu"]
