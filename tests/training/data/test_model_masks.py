"""A mask as a model drew it is no truth, wherever it lies, until a person has reviewed it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.io.formats.mask_marks import Mark
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.state.corrected_studies import remember_corrected
from tests.training.layouts import small
from training.data.dataset_layouts import find_all, find_sources


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVERSEG_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scan with the mask of a model beside it, under the name that saving proposes."""
    place = tmp_path / "study"
    place.mkdir()
    write_scan(small(1).volume, place / "a.nii.gz")
    origin = small(1).volume.origin
    save_mask(small(1).truth, origin, place / "a_mask.nii.gz", Mark.SEGMENTATION)
    return place


def test_a_mask_of_a_model_beside_its_scan_is_no_truth(folder: Path) -> None:
    (case,) = find_sources(folder)
    with pytest.raises(UnreadableFileError, match=r"a_mask.*nobody has marked it as reviewed"):
        case.read()


def test_it_is_once_it_was_reviewed(folder: Path) -> None:
    remember_corrected(folder / "a.nii.gz", folder / "a_mask.nii.gz", None, "", "2026-01-31")
    for folders in ([folder], []):
        (case,) = find_all(folders, True, ())
        assert case.read().labels.max() == 2


def test_it_is_once_it_was_changed_in_a_program_that_keeps_the_header(folder: Path) -> None:
    path = folder / "a_mask.nii.gz"
    image = nib.load(path)
    labels = np.asarray(image.dataobj).copy()
    labels[labels == 2] = 1
    nib.save(nib.Nifti1Image(labels, None, image.header), path)
    (case,) = find_sources(folder)
    assert case.read().labels.max() == 1


def test_a_mask_that_no_model_made_is_truth_as_ever(folder: Path) -> None:
    save_mask(small(1).truth, small(1).volume.origin, folder / "a_mask.nii.gz")
    (case,) = find_sources(folder)
    assert case.read().labels.max() == 2
