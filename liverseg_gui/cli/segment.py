"""`liverseg segment` and `liverseg measure`."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from liverseg_gui.cli.console import console_progress
from liverseg_gui.cohort.segment_scan import geometry_text, override_geometry, segment_volume
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import Measurements, measure
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.entries import VolumeEntry, fingerprint
from liverseg_gui.io.file_endings import ARCHIVES, DICOM, IMAGES
from liverseg_gui.io.formats.nifti_write import require_mask_place
from liverseg_gui.io.masks.read import UnknownLabelsError, parse_labels, read_mask, signature
from liverseg_gui.io.masks.slice_images import require_slices, save_mask_slices
from liverseg_gui.io.scans import choose_volume, list_volumes
from liverseg_gui.report.measurements import MadeFrom, Report, require_report_place, write_report
from liverseg_gui.segmentation.models.registry import chosen_model, find_model
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.devices import DEVICES

_FILE_ENDINGS = (
    *(*IMAGES, *ARCHIVES, *DICOM, ".gz", ".raw"),
    *(".json", ".csv", ".html", ".pdf", ".txt", ".png", ".jpg", ".jpeg", ".tif", ".tiff"),
)
"""An output that ends so, and is no folder yet, is meant to be a file."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register both subcommands."""
    segment = commands.add_parser("segment", help="segment liver and tumors in a CT")
    segment.add_argument(
        "input",
        type=Path,
        metavar="INPUT",
        help="scan file, DICOM folder or zip; a folder of studies",
    )
    segment.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="mask (.nii, .nii.gz), or a folder for the masks of all scans in a folder",
    )
    segment.add_argument(
        "--slices",
        type=Path,
        metavar="DIR",
        help="of a resampled scan: also the mask on each slice as it was made",
    )
    segment.add_argument("--report", type=Path, help="report (.json or .csv)")
    segment.add_argument(
        "--device",
        default="auto",
        choices=tuple(DEVICES),
        help="processor or graphics card (auto)",
    )
    segment.add_argument("--model", help="name or folder of a model, in place of the chosen one")
    segment.add_argument(
        "--quality",
        default="fast",
        choices=("fast", "best"),
        help="best takes four times as long (fast)",
    )
    _add_scan_options(segment)
    segment.add_argument(
        "--again", action="store_true", help="into a folder: also what is done already"
    )
    segment.add_argument(
        "--scheduler", metavar="ADDRESS", help="into a folder: on the Dask cluster at ADDRESS"
    )
    segment.set_defaults(run=run_segment, parser=segment)

    measuring = commands.add_parser("measure", help="measure a mask that exists")
    measuring.add_argument("input", type=Path, metavar="CT", help="scan file, DICOM folder or zip")
    measuring.add_argument("mask", type=Path, metavar="MASK", help="NIfTI, NRRD or DICOM SEG")
    measuring.add_argument("--report", type=Path, help="report (.json or .csv)")
    measuring.add_argument(
        "--labels",
        metavar="N=NAME,...",
        help="what another program's label values mean, e.g. 5=liver,6=tumor",
    )
    _add_scan_options(measuring)
    measuring.set_defaults(run=run_measure)


def _add_scan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--volume", type=int, metavar="N", help="which volume, as in info")
    parser.add_argument(
        "--spacing",
        type=float,
        nargs=3,
        metavar=("I", "J", "K"),
        help="mm along the file's axes, where the file is wrong",
    )
    parser.add_argument(
        "--orientation", metavar="XYZ", help="what the file's axes run towards, e.g. LPS"
    )


def _entry(
    arguments: argparse.Namespace, progress: Progress, output: Path | None = None
) -> VolumeEntry:
    """The scan that the arguments name, not read yet.

    Raises:
        SaveError: `output` is one of the scans at the input.
    """
    entries = list_volumes(arguments.input, progress)
    if output is not None:
        for entry in entries:
            require_mask_place(output, entry.path)
    return choose_volume(entries, arguments.input, arguments.volume)


def run_segment(arguments: argparse.Namespace) -> int:
    """Segment one scan, save the mask, print and report the measurements; or a cohort of scans."""
    arguments.model = chosen_model(Settings(), arguments.model)
    if is_folder(arguments.output):
        from liverseg_gui.cli.cohort import run_cohort

        return run_cohort(arguments)
    if arguments.again or arguments.scheduler:
        arguments.parser.error("--again and --scheduler go with a folder: -o OUT_DIR")
    require_mask_place(arguments.output, arguments.input)
    if arguments.report:
        require_report_place(arguments.report)
    with console_progress() as progress:
        began = time.monotonic()
        report = segment_file(arguments, progress)
        seconds = time.monotonic() - began
    assert report.measurements is not None  # segment_file has just measured the mask
    print_measurements(report.measurements, report.warnings)
    print(f"{report.device}, model {report.model}, {seconds:.1f} s. Mask: {arguments.output}")
    return 0


def is_folder(output: Path) -> bool:
    """Whether masks go into a folder at `output`: its name does not end like a file's."""
    return output.is_dir() or not output.name.lower().endswith(_FILE_ENDINGS)


def segment_file(arguments: argparse.Namespace, progress: Progress) -> Report:
    """Read, segment, save and measure; returns the report, written where it was asked for."""
    from liverseg_gui.segmentation.inference import NetworkSegmenter

    began = time.monotonic()
    segmenter = NetworkSegmenter(arguments.model, arguments.device, arguments.quality)
    entry = _entry(arguments, progress.part(0.0, 0.03), arguments.output)
    volume = entry.read(progress.part(0.03, 0.1))
    volume = override_geometry(volume, arguments.spacing, arguments.orientation)
    if arguments.slices:
        require_slices(volume.origin)
    made_from = MadeFrom(
        fingerprint(entry),
        geometry_text(arguments.spacing, arguments.orientation),
        find_model(arguments.model).sha256,
        arguments.quality,
    )
    measured, labels = segment_volume(
        volume, segmenter, arguments.output, made_from, progress.part(0.1, 1.0)
    )
    if arguments.slices:
        save_mask_slices(labels, volume.origin, arguments.slices)
    report = replace(measured, seconds=time.monotonic() - began)
    if arguments.report:
        write_report(report, arguments.report)
    return report


def run_measure(arguments: argparse.Namespace) -> int:
    """Measure a mask on its CT."""
    if arguments.report:
        require_report_place(arguments.report)
    with console_progress() as progress:
        entry = _entry(arguments, progress.part(0.0, 0.3))
        volume = entry.read(progress.part(0.3, 1.0))
        volume = override_geometry(volume, arguments.spacing, arguments.orientation)
        measurements = measure(volume, _mask(arguments.mask, arguments.labels, volume))
    if arguments.report:
        write_report(Report(volume, measurements), arguments.report)
    print_measurements(measurements)
    return 0


def _mask(path: Path, labels: str | None, volume: Volume) -> LabelMap:
    """The mask at `path`; what its labels mean is as given now, as given once before, or plain."""
    given = parse_labels(labels) if labels else None
    settings = Settings()
    try:
        mask = read_mask(path, volume)
    except UnknownLabelsError as unknown:
        key = signature(unknown.labels)
        mapping = given or settings.values.label_maps.get(key)
        if mapping is None:
            raise
        mask = read_mask(path, volume, mapping)
        if given:
            settings.remember_label_map(key, given)
        else:
            print("Labels mean what --labels said of such a mask before.", file=sys.stderr)
        return mask
    return read_mask(path, volume, given) if given else mask


def print_measurements(measured: Measurements, warnings: tuple[str, ...] = ()) -> None:
    """The measurements on stdout, the warnings about them on stderr."""
    doubt = "" if measured.mm_reliable else "  (mm and ml not reliable)"
    if measured.tumor_burden_percent is None:
        print("No liver in the mask: there is nothing to measure.")
    else:
        without = f"{measured.liver_without_tumor_ml:.1f} ml without tumor"
        burden = f"burden {measured.tumor_burden_percent:.2f} %"
        print(f"Liver {measured.liver_ml:.1f} ml ({without}){doubt}")
        print(f"Tumor {measured.tumor_ml:.1f} ml, {burden}{doubt}")
    for lesion in measured.lesions:
        edge = ", touches the edge" if lesion.touches_edge else ""
        print(
            f"  lesion {lesion.number}: {lesion.volume_ml:.2f} ml, "
            f"{lesion.longest_axial_mm:.1f} x {lesion.perpendicular_mm:.1f} mm axial{edge}{doubt}"
        )
    for warning in dict.fromkeys((*measured.warnings, *warnings)):
        print(f"Warning: {warning}", file=sys.stderr)
