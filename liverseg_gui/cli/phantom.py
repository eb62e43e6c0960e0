"""`liverseg phantom`: write a synthetic abdomen with its true mask and volumes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from liverseg_gui.cli.console import say
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.formats.mask_marks import Mark, require_as_made
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.system.atomic_write import not_written, require_place, save_errors, write_text


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("phantom", help="make a synthetic abdomen with known volumes")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write into"
    )
    parser.add_argument("--dicom", action="store_true", help="write a DICOM series, not NIfTI")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="another seed, another abdomen (0)"
    )
    parser.add_argument(
        "--size",
        type=int,
        nargs=3,
        default=PhantomSpec.shape,
        metavar=("I", "J", "K"),
        help="voxels (256 256 72)",
    )
    parser.add_argument(
        "--spacing",
        type=float,
        nargs=3,
        default=PhantomSpec.spacing_mm,
        metavar=("I", "J", "K"),
        help="mm (1.5 1.5 3)",
    )
    parser.add_argument(
        "--tumors",
        type=float,
        nargs="*",
        metavar="MM",
        help="diameters of the tumors in mm, or nothing for none; else the seed draws them",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Make the phantom and write it."""
    try:
        spec = PhantomSpec(
            arguments.seed,
            tuple(arguments.size),
            tuple(arguments.spacing),
            None if arguments.tumors is None else tuple(arguments.tumors),
        )
        phantom = make_phantom(spec)
    except ValueError as error:
        raise LiverSegError(f"The phantom cannot be made: {error}.") from error
    scan = write_phantom(phantom, arguments.output, arguments.dicom)
    say(f"{scan}: liver {phantom.liver_ml:.1f} ml, tumor {phantom.tumor_ml:.1f} ml")
    return 0


def write_phantom(phantom: Phantom, folder: Path, dicom: bool = False) -> Path:
    """Write scan, true mask (`truth.nii.gz`) and true volumes (`truth.json`) into `folder`.

    Another phantom there is replaced, and nothing else. Returns the path of the scan.

    Raises:
        SaveError: the folder cannot be written, or files of others are in the way.
    """
    scan = folder / ("dicom" if dicom else "scan.nii.gz")
    truth, volumes = folder / "truth.nii.gz", folder / "truth.json"
    with save_errors(not_written(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    require_place(volumes, ".json", '"tumors": [')
    require_as_made(truth, Mark.PHANTOM)
    if dicom:
        write_dicom_series(phantom.volume, scan)
    else:
        write_scan(phantom.volume, scan, Mark.PHANTOM)
    save_mask(phantom.truth, phantom.volume.origin, truth, Mark.PHANTOM, asked=False)
    write_text(volumes, json.dumps(true_values(phantom), indent=2) + "\n")
    return scan


def true_values(phantom: Phantom) -> dict[str, object]:
    """The true volumes and tumors as plain values."""
    tumors = [{**asdict(tumor), "volume_ml": tumor.volume_ml} for tumor in phantom.tumors]
    return {"liver_ml": phantom.liver_ml, "tumor_ml": phantom.tumor_ml, "tumors": tumors}
