"""`liverseg demo`: the main job on a phantom, with files to look at, then the window."""

from __future__ import annotations

import argparse
from pathlib import Path

from liverseg_gui.cli.console import console_progress, has_display, say
from liverseg_gui.cli.phantom import write_phantom
from liverseg_gui.cli.segment import print_measurements, segment_file
from liverseg_gui.core.phantom import make_phantom
from liverseg_gui.io.formats.mask_marks import Mark, require_as_made
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.report.measurements import require_report_place, write_report
from liverseg_gui.report.slice_images import require_slice_images_place, save_slice_images

_REPORT = "report.json"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("demo", help="segment a built-in phantom and show it")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("demo-output"),
        metavar="DIR",
        help="folder to write into (demo-output)",
    )
    parser.add_argument("--no-window", action="store_true", help="write the files only")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make, segment, measure, write; then open the window where there is a display."""
    folder: Path = arguments.output
    say("Making a phantom abdomen and segmenting it ...")
    with console_progress() as progress:
        mask = folder / "mask.nii.gz"
        _require_place(folder, mask)
        phantom = make_phantom()
        scan = write_phantom(phantom, folder)
        job = argparse.Namespace(
            input=scan,
            output=mask,
            report=folder / _REPORT,
            device="auto",
            model="default",
            quality="fast",
            volume=None,
            slices=None,
            spacing=None,
            orientation=None,
        )
        report = segment_file(job, progress)
        write_report(report, job.report)
    pictures = save_slice_images(report.volume, read_mask(mask, report.volume), folder)
    measured = report.measurements
    assert measured is not None  # segment_file has just measured the mask
    print_measurements(measured, report.warnings)
    say(f"True liver {phantom.liver_ml:.1f} ml, found {measured.liver_ml or 0.0:.1f} ml")
    say(f"True tumor {phantom.tumor_ml:.1f} ml, found {measured.tumor_ml:.1f} ml")
    names = ", ".join(path.name for path in (mask, job.report, *pictures))
    say(f"{folder}: {names} ({report.device}, {report.seconds:.1f} s)")
    if arguments.no_window or not has_display():
        return 0
    from liverseg_gui.ui.app.app import run_window

    return run_window(scan, mask)


def _require_place(folder: Path, mask: Path) -> None:
    """Check that no files of others are in the way, before any is written.

    Raises:
        SaveError: there are.
    """
    if folder.is_dir():
        require_as_made(mask, Mark.SEGMENTATION)
        require_report_place(folder / _REPORT)
        require_slice_images_place(folder)
