"""What the drill of a loss of power saves, in another process."""

from __future__ import annotations

import sys
from pathlib import Path

from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.report.measurements import Report, write_report
from liverseg_gui.report.slice_images import save_slice_images
from liverseg_gui.segmentation.models.store import add_model, export_as_zip
from liverseg_gui.segmentation.models.weights_file import read_shapes
from liverseg_gui.state.settings import Settings
from liverseg_gui.system.atomic_write import write_text
from training.runs.files import LOG

SAVED = ("mask.nii.gz", "report.json", "scan.nii.gz", "model.zip", "axial.png", LOG)


def save_all(out: Path, model: Path, seed: int) -> None:
    """Save one of each kind; with another `seed`, another content under the same names."""
    phantom = make_phantom(PhantomSpec(seed, (64, 64, 16), (6.0, 6.0, 12.0), (40.0,)))
    save_mask(phantom.truth, phantom.volume.origin, out / "mask.nii.gz")
    write_report(
        Report(phantom.volume, measure(phantom.volume, phantom.truth), f"model {seed}"),
        out / "report.json",
    )
    write_scan(phantom.volume, out / "scan.nii.gz")
    save_slice_images(phantom.volume, phantom.truth, out)
    write_text(out / LOG, f"{seed}\n" * 1000)
    name = f"model-{seed}"
    add_model(model, name, shapes_of=lambda card, _: read_shapes(card.weights))
    export_as_zip(name, out / "model.zip")
    Settings().change(theme=("Dark", "Light")[seed % 2])


if __name__ == "__main__":
    save_all(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
