from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from liverseg_gui.core.errors import Cancelled, SegmentationError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_checks import value_issues
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.masks.read import read_mask
from liverseg_gui.io.scans import open_scan
from liverseg_gui.segmentation.inference import NetworkSegmenter
from liverseg_gui.segmentation.predictor import Predictor
from liverseg_gui.segmentation.preprocessing import TrunkBox
from liverseg_gui.segmentation.runtime.base import TorchRuntime, pick_device


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.slow
def test_the_default_model_finds_the_phantoms_liver_and_largest_tumor(phantom: Phantom) -> None:
    found = NetworkSegmenter("default", "cpu").segment(phantom.volume, Progress())
    assert dice(found.labels.labels > 0, phantom.truth.labels > 0) > 0.9
    tumor = phantom.tumors[0]
    i, j, k = phantom.volume.affine.to_ijk(tumor.center_mm).round().astype(int)
    assert found.labels.labels[i, j, k] == 2
    assert found.warnings == ()


@pytest.mark.slow
@pytest.mark.real_data
def test_the_default_model_segments_chaos_ct3(real_data: Path) -> None:
    volume = open_scan(real_data / "dicom" / "chaos_ct3")
    truth = read_mask(real_data / "nifti" / "chaos_ct3_liver.nii.gz", volume)
    found = NetworkSegmenter("default", "cpu").segment(volume, Progress())
    assert dice(found.labels.labels > 0, truth.labels > 0) >= 0.93
    assert measure(volume, found.labels).liver_ml == pytest.approx(1417.5, rel=0.1)


def test_progress_never_goes_back(phantom: Phantom, untrained_model: Path) -> None:
    seen: list[float] = []
    segmenter = NetworkSegmenter(str(untrained_model), "cpu")
    segmenter.segment(phantom.volume, Progress(lambda fraction, _: seen.append(fraction)))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize(
    ("shift", "what"), [(1024, "not Hounsfield units"), (-3000, "nothing to see")]
)
def test_values_that_are_no_hu_are_not_segmented_and_the_reason_is_told(
    phantom: Phantom, untrained_model: Path, shift: int, what: str
) -> None:
    hu = np.maximum(phantom.volume.hu + np.int16(shift), -1024).astype(np.int16)
    volume = Volume(hu, phantom.volume.grid, Origin(Path("scan.nii")), tuple(value_issues(hu)))
    with pytest.raises(SegmentationError, match=what):
        NetworkSegmenter(str(untrained_model), "cpu").segment(volume, Progress())


def test_cancelling_stops_between_two_batches(phantom: Phantom, untrained_model: Path) -> None:
    phases: list[str] = []
    progress = Progress(
        lambda _, phase: (phases.append(phase), "slice 5 " in phase and progress.cancel())
    )
    with pytest.raises(Cancelled):
        NetworkSegmenter(str(untrained_model), "cpu").segment(phantom.volume, progress)
    assert "slice 5 " in phases[-1]


def test_less_than_a_liver_is_not_marked_but_told(untrained_model: Path) -> None:
    grid = StoredGrid((32, 32, 4), Affine.from_spacing((2, 2, 5)))  # 82 ml in all
    air = Volume(np.full((32, 32, 4), -1000, np.int16), grid, Origin(Path("air")))
    found = NetworkSegmenter(str(untrained_model), "cpu").segment(air, Progress())
    assert not found.labels.labels.any()
    assert "No liver found (" in found.warnings[0]


def test_invalid_numbers_are_an_error_and_no_mask() -> None:
    class Broken(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.full((len(x), 3, *x.shape[2:]), float("nan"))

    predictor = Predictor(TorchRuntime(Broken(), "cpu"), (32, 48))
    with pytest.raises(SegmentationError, match="invalid numbers"):
        predictor.predict(
            np.zeros((1, 32, 48), np.uint8),
            np.zeros((1, 3), np.int64),
            TrunkBox(0, 0, 32, 48),
            Progress(),
        )


def test_a_device_that_is_not_there_is_named() -> None:
    absent = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(SegmentationError, match=absent):
        pick_device(absent)
