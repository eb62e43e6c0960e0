"""Checks of `liverseg self-test`. A check returns its finding as a text, or raises."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from liverseg_gui import __version__
from liverseg_gui.cli.self_test.bench import Bench
from liverseg_gui.cli.self_test.exports import (
    write_masks,
    write_others,
    write_reports,
    write_slice_images,
)
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LIVER, TUMOR
from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.mask_comparison import measure_agreement
from liverseg_gui.system.features import NO_TRAINING, has_training
from liverseg_gui.system.relaunch import own_command

LEAST_LIVER_DICE, LEAST_TUMOR_DICE = 0.95, 0.80
"""The default model finds more in the phantom; less means that it does not run as it should."""
MOST_VOLUME_ERROR = 0.10
_LONGEST_TRAINING_S = 600
_LONGEST_START_S = 120


@dataclass(frozen=True)
class Check:
    """A check: its name in the list, and what carries it out."""

    name: str
    run: Callable[[Bench], str]


def _command(_: Bench) -> str:
    """This program starts itself, as the window starts a training."""
    done = subprocess.run(
        own_command("--version"), capture_output=True, text=True, timeout=_LONGEST_START_S
    )
    if done.stdout.strip() != f"liverseg {__version__}":
        raise LiverSegError(f"It does not start itself: {_last_line(done.stderr)}")
    return done.stdout.strip()


def _default_model(_: Bench) -> str:
    """Card and weights of the default model are there and whole."""
    from liverseg_gui.segmentation.models.registry import find_model, read_weights

    card = find_model()
    return f"{card.architecture}, {len(read_weights(card)) / 1e6:.0f} MB, checksum as on its card"


def _phantom(bench: Bench) -> str:
    """A phantom is written as NIfTI and as DICOM, and both read back as the same scan."""
    from liverseg_gui.io.dicom.write import write_dicom_series
    from liverseg_gui.io.scans import open_scan

    write_dicom_series(bench.phantom.volume, bench.folder / "dicom")
    for path in (bench.scan, bench.folder / "dicom"):
        if not np.array_equal(open_scan(path).hu, bench.phantom.volume.hu):
            raise LiverSegError(f"{path.name} does not read back as it was written.")
    size = " x ".join(map(str, bench.phantom.volume.shape))
    return f"{size} voxels, as NIfTI and as DICOM"


def _segmentation(bench: Bench) -> str:
    """The default model finds liver and tumors."""
    segmentation = bench.segmentation
    agreement = measure_agreement(bench.phantom.truth, segmentation.labels)
    liver, tumor = agreement[LIVER].dice, agreement[TUMOR].dice
    summary = f"Dice of the liver {liver:.3f}, of the tumors {tumor:.3f} on {segmentation.device}"
    if liver < LEAST_LIVER_DICE or tumor < LEAST_TUMOR_DICE:
        raise LiverSegError(f"{summary}; {LEAST_LIVER_DICE} and {LEAST_TUMOR_DICE} are the least.")
    return summary


def _measuring(bench: Bench) -> str:
    """The volumes are those of the phantom."""
    found, true = bench.measurements.liver_ml, bench.phantom.liver_ml
    summary = (
        f"liver {found:.0f} ml of true {true:.0f} ml, {len(bench.measurements.lesions)} lesions"
    )
    if abs(found - true) > MOST_VOLUME_ERROR * true or not bench.measurements.lesions:
        raise LiverSegError(f"Measured {summary}.")
    return summary


def _window(bench: Bench) -> str:
    """The window opens on scan and mask, and shows them and the same volume."""
    from liverseg_gui.ui.app.window_self_test import check_window

    shown = check_window(bench.scan, bench.mask, bench.folder / "window.png")
    if abs(shown.liver_ml - bench.measurements.liver_ml) > 0.1:
        raise LiverSegError(f"The window tells {shown.liver_ml:.1f} ml of liver.")
    in_3d = "3D pane drawn" if shown.in_3d else "3D pane not drawn: no OpenGL here"
    return f"opened and drawn, tells {shown.liver_ml:.0f} ml of liver; {in_3d}"


def _training(bench: Bench) -> str:
    """A process of its own trains one small epoch, and the model that it leaves segments.

    Where training is not in the package, the command says so.
    """
    if not has_training():
        return _no_training(bench.folder)
    from liverseg_gui.cli.self_test.training import train_tiny
    from liverseg_gui.segmentation.inference import NetworkSegmenter

    model = train_tiny(bench.folder, _LONGEST_TRAINING_S)
    segmented = NetworkSegmenter(str(model), "cpu").segment(bench.phantom.volume, Progress())
    card = parse_json((model / "card.json").read_text("utf-8"))
    return f"{card['architecture']} of torch {card['libraries']['torch']}, on {segmented.device}"


def _no_training(folder: Path) -> str:
    done = subprocess.run(
        own_command("train", "--data", str(folder), "--out", str(folder / "model")),
        capture_output=True,
        text=True,
        timeout=_LONGEST_START_S,
    )
    if done.returncode != 1 or NO_TRAINING not in done.stderr:
        raise LiverSegError(f"It does not say that it cannot train: {_last_line(done.stderr)}")
    return "not in this package, and it says so"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."


def _exports(write: Callable[[Bench], list[Path]], bench: Bench) -> str:
    """What `write` writes is there."""
    written = write(bench)
    for path in written:
        if not path.stat().st_size:
            raise LiverSegError(f"{path.name} is empty.")
    return ", ".join(path.name for path in written)


CHECKS = (
    Check("command line", _command),
    Check("default model", _default_model),
    Check("phantom", _phantom),
    Check("segmentation", _segmentation),
    Check("measurements", _measuring),
    Check("masks", partial(_exports, write_masks)),
    Check("reports", partial(_exports, write_reports)),
    Check("pictures", partial(_exports, write_slice_images)),
    Check("other exports", partial(_exports, write_others)),
    Check("window", _window),
    Check("training", _training),
)
