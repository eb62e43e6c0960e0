from __future__ import annotations

import pytest

from liverseg_gui.io.file_endings import IMAGES, without_ending


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("scan.nii.gz", "scan"),
        ("SCAN.NII", "SCAN"),
        ("p.1.img.gz", "p.1"),
        ("a.seg.nrrd", "a.seg"),
        ("scan.gz", "scan.gz"),
        ("IM0001", "IM0001"),
    ],
)
def test_a_name_loses_the_whole_ending_of_an_image_and_no_other(name: str, stem: str) -> None:
    assert without_ending(name, IMAGES) == stem


def test_the_longest_of_several_endings_goes_whatever_their_order() -> None:
    for endings in ((".nrrd", ".seg.nrrd"), (".seg.nrrd", ".nrrd")):
        assert without_ending("a.seg.nrrd", endings) == "a"
