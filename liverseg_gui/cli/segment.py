"""`liverseg segment` and `liverseg measure`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from liverseg_gui.cli.console import console_progress, peak_memory_mb
from liverseg_gui.core.errors import LiverSegError, SegmentationError
from liverseg_gui.core.measure import Measurements, measure
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.stated import with_geometry
from liverseg_gui.core.volume import LabelMap, Volume
from liverseg_gui.io.mask_slices import require_slices, save_mask_slices
from liverseg_gui.io.masks import UnknownLabelsError, parse_labels, read_mask, signature
from liverseg_gui.io.nifti_write import require_mask_place, save_mask
from liverseg_gui.io.scans import choose, list_volumes
from liverseg_gui.report.write import Report, require_report_place, write_report
from liverseg_gui.state.settings import Settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register both subcommands."""
    segment = commands.add_parser("segment", help="segment liver and tumors in a CT")
    segment.add_argument("input", type=Path, help="scan file, DICOM folder or zip")
    segment.add_argument("-o", "--output", type=Path, required=True, help="mask (.nii, .nii.gz)")
    segment.add_argument(
        "--slices",
        type=Path,
        metavar="DIR",
        help="of a resampled scan: also the mask on each slice as it was made",
    )
    segment.add_argument("--report", type=Path, help="report (.json or .csv)")
    segment.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    segment.add_argument("--model", default="default", help="name or folder of a model")
    segment.add_argument(
        "--quality", default="fast", choices=("fast", "best"), help="best takes four times as long"
    )
    _add_scan_options(segment)
    segment.set_defaults(run=run_segment)

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


def _scan(arguments: argparse.Namespace, progress: Progress, output: Path | None = None) -> Volume:
    """The scan that is asked for, with the geometry that is stated.

    Raises:
        SaveError: `output` is one of the scans at the input.
    """
    entries = list_volumes(arguments.input, progress.part(0.0, 0.3))
    if output is not None:
        for entry in entries:
            require_mask_place(output, entry.path)
    entry = choose(entries, arguments.input, arguments.volume)
    volume = entry.read(progress.part(0.3, 1.0))
    if arguments.spacing is None and arguments.orientation is None:
        return volume
    try:
        return with_geometry(volume, arguments.spacing, arguments.orientation)
    except ValueError as problem:
        raise LiverSegError(
            f"{arguments.input} can't be given that geometry: {problem}. Give three numbers above "
            "0 and a word like LPS or RAS."
        ) from problem


def run_segment(arguments: argparse.Namespace) -> int:
    """Segment, save the mask, print and report the figures."""
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


def segment_file(arguments: argparse.Namespace, progress: Progress) -> Report:
    """Read, segment, save and measure; returns the report, written where it was asked for."""
    from liverseg_gui.segmentation.inference import NetworkSegmenter

    began = time.monotonic()
    segmenter = NetworkSegmenter(arguments.model, arguments.device, arguments.quality)
    volume = _scan(arguments, progress.part(0.0, 0.1), arguments.output)
    if volume.origin.modality != "CT":
        raise SegmentationError(
            f"{arguments.input} is {volume.origin.modality}, and the model knows only CT."
        )
    if arguments.slices:
        require_slices(volume.origin)
    found = segmenter.segment(volume, progress.part(0.1, 0.9))
    save_mask(found.labels, volume.origin, arguments.output)
    if arguments.slices:
        save_mask_slices(found.labels, volume.origin, arguments.slices)
    report = Report(
        volume,
        measure(volume, found.labels),
        found.model,
        found.device,
        time.monotonic() - began,
        peak_memory_mb(),
        found.warnings,
    )
    if arguments.report:
        write_report(report, arguments.report)
    return report


def run_measure(arguments: argparse.Namespace) -> int:
    """Measure a mask on its CT."""
    if arguments.report:
        require_report_place(arguments.report)
    with console_progress() as progress:
        volume = _scan(arguments, progress)
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
        mapping = given or settings.label_map(key)
        if mapping is None:
            raise
        mask = read_mask(path, volume, mapping)
        if given:
            settings.remember_label_map(key, given)
        else:
            print("Labels mean what --labels said of such a mask before.", file=sys.stderr)
        return mask
    return read_mask(path, volume, given) if given else mask


def print_measurements(found: Measurements, warnings: tuple[str, ...] = ()) -> None:
    """The figures on stdout, the doubts about them on stderr."""
    doubt = "" if found.mm_reliable else "  (mm and ml not reliable)"
    without = f"{found.liver_without_tumor_ml:.1f} ml without tumor"
    print(f"Liver {found.liver_ml:.1f} ml ({without}){doubt}")
    print(f"Tumor {found.tumor_ml:.1f} ml, burden {found.tumor_burden_percent:.2f} %{doubt}")
    for lesion in found.lesions:
        edge = ", touches the edge" if lesion.touches_edge else ""
        print(
            f"  lesion {lesion.number}: {lesion.volume_ml:.2f} ml, "
            f"{lesion.longest_axial_mm:.1f} x {lesion.perpendicular_mm:.1f} mm axial{edge}{doubt}"
        )
    for warning in dict.fromkeys((*found.warnings, *warnings)):
        print(f"Warning: {warning}", file=sys.stderr)
