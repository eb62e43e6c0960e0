"""A small data set in the lits2d layout, made of phantoms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.segmentation.preprocessing import axial_slices


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small patients in the lits2d layout."""
    folder = tmp_path_factory.mktemp("lits2d")
    for case in (3, 7, 12):
        spec = PhantomSpec(case, (96, 96, 20), (4.0, 4.0, 10.0), (36.0,))
        phantom = make_phantom(spec)
        (folder / f"{case:03d}").mkdir()
        labels = phantom.truth.labels[::-1, ::-1].transpose(2, 1, 0)
        for k, grey in enumerate(axial_slices(phantom.volume)):
            stem = folder / f"{case:03d}" / f"{k * 2:04d}"
            Image.fromarray(grey).save(stem.with_suffix(".jpg"), quality=95)
            Image.fromarray(np.ascontiguousarray(labels[k])).save(stem.with_suffix(".png"))
    rows = [{"case": case, "stored_z_step": 2} for case in (3, 7, 12)]
    (folder / "manifest.json").write_text(json.dumps({"cases": rows}))
    return folder
