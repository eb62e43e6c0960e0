"""Plots of an evaluation report, as PNG.

Matplotlib is loaded when the first one is drawn. Names of files stay out of them: a font may lack
their letters, and $ would start a formula.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from liverseg_gui.core.display import LABEL_COLORS
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.evaluation.lesion_detection import SIZES
from liverseg_gui.evaluation.summary import Summary
from liverseg_gui.evaluation.worst_slices import WorstSlice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 90
_MARGIN = 0.08
_BLUE, _VERMILION = "#0072b2", "#d55e00"
_DARK = "#20242a"


def _color(label: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*LABEL_COLORS[label])


def dice_plot(summary: Summary) -> bytes:
    """The Dice of liver and tumor of each patient, numbered as in the table, with the means."""
    figure, axes = _figure(max(5.0, min(14.0, 2.0 + 0.35 * len(summary.cases))), 3.2)
    numbers = np.arange(1, len(summary.cases) + 1)
    rows = {
        LIVER: ("Liver", [case.liver.voxels.dice for case in summary.cases], "o"),
        TUMOR: ("Tumor", [case.tumor.voxels.dice for case in summary.cases], "D"),
    }
    for label, (name, values, marker) in rows.items():
        mean = float(np.mean(values))
        color = _color(label)
        axes.axhline(mean, color=color, linewidth=1, linestyle="--")
        axes.plot(numbers, values, marker, color=color, label=f"{name}, mean {mean:.3f}")
    axes.set(xlabel="Patient (number in the table)", ylabel="Dice", ylim=(-0.03, 1.03))
    axes.set_xlim(0.4, len(numbers) + 0.6)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(loc="lower left", fontsize=8)
    return _png(figure)


def recall_plot(summary: Summary) -> bytes | None:
    """The share of true lesions found, by size, over all patients; None where sizes are unknown."""
    lesions = summary.lesions
    if lesions.over_half.by_size is None or lesions.any_overlap.by_size is None:
        return None
    figure, axes = _figure(5.0, 3.2)
    places = np.arange(len(SIZES))
    for shift, title, counts, color in (
        (-0.2, "any overlap", lesions.any_overlap.by_size, _BLUE),
        (0.2, "IoU > 0.5", lesions.over_half.by_size, _VERMILION),
    ):
        heights = [size.recall or 0.0 for size in counts]
        bars = axes.bar(places + shift, heights, 0.38, color=color, label=title)
        texts = [f"{c.true_matched}/{c.true}" if c.true else "none" for c in counts]
        axes.bar_label(bars, texts, fontsize=8)
    axes.set_xticks(places, [f"{size} mm" for size in SIZES])
    axes.set(xlabel="Longest axial diameter of the true lesion", ylabel="Recall", ylim=(0, 1.3))
    axes.legend(fontsize=8, loc="upper left", ncols=2)
    return _png(figure)


def training_plot(log: Sequence[Mapping[str, Any]]) -> bytes | None:
    """Loss and Dice by epoch, with a line where a new stage begins; None for an empty `log`.

    Each row of `log` has stage, epoch, train_loss, valid_loss, liver_dice and tumor_dice.
    """
    if not log:
        return None
    figure, axes = _figure(9.0, 3.2, 2)
    epochs = np.arange(1, len(log) + 1)
    lines = (
        (axes[0], "train_loss", "training", _BLUE),
        (axes[0], "valid_loss", "validation", _VERMILION),
        (axes[1], "liver_dice", "liver", _color(LIVER)),
        (axes[1], "tumor_dice", "tumor", _color(TUMOR)),
    )
    for at, key, title, color in lines:
        values = [np.nan if row.get(key) is None else float(row[key]) for row in log]
        at.plot(epochs, values, ".-", color=color, label=title)
    stages = [str(row.get("stage", "")) for row in log]
    for at, title in zip(axes, ("Loss", "Dice of the validation slices"), strict=True):
        for n in range(1, len(stages)):
            if stages[n] != stages[n - 1]:
                at.axvline(n + 0.5, color="grey", linewidth=0.8, linestyle=":")
        at.set(xlabel="Epoch", ylabel=title)
        at.xaxis.get_major_locator().set_params(integer=True)
        at.legend(fontsize=8)
    axes[1].set_ylim(-0.03, 1.03)
    return _png(figure)


def slice_picture(slice_: WorstSlice) -> bytes:
    """Scan, truth and prediction of a slice side by side; without a scan the two masks alone."""
    rows, columns = _around(slice_)
    down, across = slice_.pixel_mm
    aspect = down / across
    panels = [("Truth", slice_.truth), ("Prediction", slice_.found)]
    if slice_.shade is not None:
        panels.insert(0, ("Scan", np.zeros_like(slice_.truth)))
    height = 3.0
    width = height * (columns.stop - columns.start) / ((rows.stop - rows.start) * aspect)
    figure, axes = _figure(
        (min(width, 2.2 * height) + 0.1) * len(panels), height + 0.3, len(panels)
    )
    for at, (title, labels) in zip(axes, panels, strict=True):
        _draw(at, slice_, labels, (rows, columns), aspect)
        at.set_title(title, fontsize=9)
    return _png(figure)


def _draw(
    axes: Axes,
    slice_: WorstSlice,
    labels: NDArray[np.uint8],
    part: tuple[slice, slice],
    aspect: float,
) -> None:
    """Labels as contours over the scan, or filled where there is none."""
    labels = labels[part]
    axes.set_axis_off()
    if slice_.shade is None:
        from matplotlib.colors import ListedColormap

        colors = ListedColormap([_DARK, _color(LIVER), _color(TUMOR)])
        axes.imshow(labels, cmap=colors, vmin=0, vmax=2, aspect=aspect, interpolation="nearest")
        return
    axes.imshow(slice_.shade[part], cmap="gray", vmin=0, vmax=255, aspect=aspect)
    for label in (LIVER, TUMOR):
        inside = labels >= label
        if inside.any() and not inside.all():
            axes.contour(inside, levels=[0.5], colors=[_color(label)], linewidths=1.2)


def _around(slice_: WorstSlice) -> tuple[slice, slice]:
    """The rows and columns around all labels, with a margin."""
    held = (slice_.found > 0) | (slice_.truth > 0)
    parts = []
    for axis in (1, 0):
        used = np.flatnonzero(held.any(axis=axis))
        margin = max(8, int(_MARGIN * held.shape[1 - axis]))
        stop = min(int(used[-1]) + 1 + margin, held.shape[1 - axis])
        parts.append(slice(max(int(used[0]) - margin, 0), stop))
    return parts[0], parts[1]


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, Any]:
    """A figure of its own, in inches, that no window knows about, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    axes: Any = figure.subplots(1, columns)
    return figure, axes


def _png(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()
