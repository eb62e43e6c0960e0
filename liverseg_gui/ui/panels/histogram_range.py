"""Which HU a histogram shows: the window and as much again on either side of it."""

from __future__ import annotations

import math

from liverseg_gui.core.histogram import HIGHEST_HU, LOWEST_HU
from liverseg_gui.core.window_level import Window

_WIDTHS, _LEAST_HU = 3.0, 240.0
_SMALLEST, _LARGEST = 0.12, 0.8
_LABEL_PX = 48


def fitting_range(window: Window, now: tuple[float, float] | None) -> tuple[float, float]:
    """The lowest and highest HU to show: `now`, while the window is easily seen and held there.

    Otherwise three times the width, at least 240 HU, shifted so that HU no CT has take no room.
    """
    if now is not None:
        low, high = now
        share = window.width / (high - low)
        inside = low < window.low and window.high < high
        wide_enough = share > _SMALLEST or high - low <= _LEAST_HU
        if inside and wide_enough and share < _LARGEST:
            return now
    span = max(_WIDTHS * window.width, _LEAST_HU)
    low = window.center - span / 2
    spare = window.width / 8
    low = max(low, min(LOWEST_HU, window.low - spare))
    high = min(low + span, max(HIGHEST_HU, window.high + spare))
    return low, high


def ticks(low_hu: float, high_hu: float, width_px: int) -> list[int]:
    """Round HU to write below an axis of `width_px`, so that their figures do not touch."""
    least = (high_hu - low_hu) * _LABEL_PX / max(width_px, 1)
    power = 10 ** math.floor(math.log10(max(least, 1)))
    step = next(int(power * n) for n in (1, 2, 5, 10) if power * n >= least or n == 10)
    first = math.ceil(low_hu / step) * step
    return list(range(first, math.floor(high_hu) + 1, step))
