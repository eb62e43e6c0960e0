"""What files state of their geometry, odd or contradictory, and how they are read nevertheless."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataelem import DataElement
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from liverseg_gui.io.dicom.header_reader import read_header
from liverseg_gui.io.dicom.headers import ImageHeader
from liverseg_gui.io.entries import VolumeEntry
from liverseg_gui.io.scans import list_volumes, open_scan
from tests.io.dicom_files import ct_slice, frames, save

COUNT = 9


def codes(entry: VolumeEntry) -> set[str]:
    return {issue.code for issue in entry.issues}


def listed(folder: Path, places: list[float], **elements: object) -> VolumeEntry:
    (entry,) = list_volumes(save([ct_slice(z, **elements) for z in places], folder / "ct"))
    return entry


def rewritten(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of a file by as many."""
    assert len(old) == len(new)
    data = path.read_bytes()
    assert data.count(old) == 1
    path.write_bytes(data.replace(old, new))


@pytest.mark.parametrize(
    ("text", "mm", "code"),
    [
        (b"2.50\\2.50", (2.5, 2.5), ""),
        (b" 2.5\\2.5 ", (2.5, 2.5), ""),
        (b"2,50\\2,75", (2.75, 2.5), "pixel-spacing-misspelled"),
        (b"2.50,2.75", (2.75, 2.5), "pixel-spacing-misspelled"),
        (b"2.50 2.75", (2.75, 2.5), "pixel-spacing-misspelled"),
        (b"2.50/2.75", (2.75, 2.5), "pixel-spacing-misspelled"),
        (b"2.50x2.75", (2.75, 2.5), "pixel-spacing-misspelled"),
        (b"2,50,2,75", (2.75, 2.5), "pixel-spacing-misspelled"),
        (b"2.5      ", (2.5, 2.5), "pixel-spacing-assumed"),
        (b"2.50\\    ", (2.5, 2.5), "pixel-spacing-assumed"),
        (b"2,5      ", (2.5, 2.5), "pixel-spacing-assumed"),
        (b"2.5\\2.5\\4", (1, 1), "no-pixel-spacing"),
        (b"-2.5\\-2.5", (1, 1), "no-pixel-spacing"),
        (b"0\\0      ", (1, 1), "no-pixel-spacing"),
        (b"unknown  ", (1, 1), "no-pixel-spacing"),
        (b"2.5\\nan  ", (1, 1), "no-pixel-spacing"),
    ],
)
@pytest.mark.parametrize("way", ["quick", "thorough"])
def test_the_size_of_a_pixel_is_read_however_it_is_spelled(
    tmp_path: Path, text: bytes, mm: tuple[float, float], code: str, way: str
) -> None:
    folder = save([ct_slice(z, PixelSpacing=[1.234, 1.234]) for z in (0, 2, 4)], tmp_path / "ct")
    for file in folder.iterdir():
        if way == "thorough":
            file.write_bytes(with_value_table(file))
        rewritten(file, b"1.234\\1.234 ", text.ljust(12))
    (entry,) = list_volumes(folder)
    assert entry.spacing_mm == pytest.approx((*mm, 2))
    found = {c for c in codes(entry) if "pixel-spacing" in c}
    assert found == ({code} if code else set())
    if code in ("pixel-spacing-assumed", "no-pixel-spacing"):
        message = next(f.message for f in entry.issues if f.code == code)
        assert text.decode().strip() in message


def with_value_table(file: Path) -> bytes:
    """The file with what makes it be read thoroughly and means nothing."""
    image = pydicom.dcmread(file)
    image.SharedFunctionalGroupsSequence = []
    image.save_as(file)
    return file.read_bytes()


@pytest.mark.parametrize("vr", ["UT", "LO", "FD", "FL", "UN"])
def test_the_size_of_a_pixel_is_read_under_any_representation(tmp_path: Path, vr: str) -> None:
    value: object = [2.5, 2.75]
    if vr in ("UT", "LO"):
        value = "2.5\\2.75"
    elif vr == "UN":
        value = b"2.5\\2.75"
    images = [ct_slice(z) for z in (0, 2, 4)]
    for image in images:
        image[0x00280030] = DataElement(0x00280030, vr, value)
    (entry,) = list_volumes(save(images, tmp_path / "ct"))
    assert entry.spacing_mm == pytest.approx((2.75, 2.5, 2))


@pytest.mark.parametrize(
    ("elements", "mm"),
    [
        ({"ImagerPixelSpacing": [0.7, 0.6]}, (0.6, 0.7)),
        ({"NominalScannedPixelSpacing": [0.7, 0.6]}, (0.6, 0.7)),
        ({"ReconstructionDiameter": 300}, (1, 1)),  # the picture is not square
        ({}, (1, 1)),
    ],
)
def test_what_stands_for_the_size_of_a_pixel_is_taken_and_doubted(
    tmp_path: Path, elements: dict[str, object], mm: tuple[float, float]
) -> None:
    entry = listed(tmp_path, [0, 2, 4], PixelSpacing=None, **elements)
    assert entry.spacing_mm == pytest.approx((*mm, 2))
    assert any(f.spoils_mm for f in entry.issues)


def test_decimal_commas_are_points_everywhere(tmp_path: Path) -> None:
    folder = save([ct_slice(z) for z in (10.25, 12.25, 14.25)], tmp_path / "ct")
    for file, z in zip(sorted(folder.iterdir()), (b"10.25", b"12.25", b"14.25"), strict=True):
        rewritten(file, b"\\" + z, b"\\" + z.replace(b".", b","))
    (entry,) = list_volumes(folder)
    assert entry.spacing_mm == pytest.approx((0.5, 0.75, 2))
    assert "no-position" not in codes(entry)


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_quick_and_thorough_reading_give_the_same_header(tmp_path: Path, syntax: str) -> None:
    image = ct_slice(
        12.5,
        TriggerTime=250,
        KVP=120,
        SpacingBetweenSlices=2,
        GantryDetectorTilt=0,
        AcquisitionNumber=3,
        InstanceNumber=7,
    )
    image.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    image.file_meta.TransferSyntaxUID = syntax
    pydicom.dcmwrite(
        tmp_path / "b.dcm",
        image,
        implicit_vr=syntax == ImplicitVRLittleEndian,
        little_endian=syntax != ExplicitVRBigEndian,
        force_encoding=True,
    )
    one, other = (read_header(tmp_path / name) for name in ("a.dcm", "b.dcm"))
    assert one is not None
    assert other is not None
    kept = [
        name
        for name in ImageHeader.__slots__
        if name not in ("path", "transfer_syntax", "data_offset", "checksum")
    ]
    assert [getattr(one, name) for name in kept] == [getattr(other, name) for name in kept]


def test_a_header_comes_back_from_json(tmp_path: Path) -> None:
    image = frames([ct_slice(z) for z in (0, 2, 4)])
    image.Modality = ""
    for group in image.PerFrameFunctionalGroupsSequence:
        group.FrameContentSequence = [pydicom.Dataset()]
        group.FrameContentSequence[0].TemporalPositionIndex = 1
    save([image], tmp_path)
    header = read_header(tmp_path / "001.dcm")
    assert header is not None
    assert header.remarks
    assert header.planes[0].traits
    assert ImageHeader.from_json(header.to_json("001.dcm"), tmp_path) == header


def test_slices_are_in_the_order_of_one_normal(tmp_path: Path) -> None:
    wobble = np.random.default_rng(6).uniform(-1e-3, 1e-3, (24, 2))
    images = [
        ct_slice(
            0,
            n,
            ImagePositionPatient=[-238.5, -238.5, round(0.6 * n, 1)],
            ImageOrientationPatient=["1", "0", f"{a:.6f}", "0", "1", f"{b:.6f}"],
        )
        for n, (a, b) in enumerate(wobble)
    ]
    own = [0.6 * n + 238.5 * (a + b) for n, (a, b) in enumerate(wobble)]
    assert sorted(own) != own
    folder = save(images, tmp_path / "ct")
    volume = open_scan(folder)
    assert volume.grid.to_stored(volume.hu)[-1, -1].tolist() == list(range(24))
    assert volume.affine.spacing_mm[2] == pytest.approx(0.6, abs=1e-3)
    assert "directions-vary" in codes(list_volumes(folder)[0])


@pytest.mark.parametrize(("step", "digits"), [(0.625, 1), (1.25, 1), (0.7, 1), (3.75, 0)])
def test_even_positions_that_were_rounded_stay_even(
    tmp_path: Path, step: float, digits: int
) -> None:
    places = [round(-76 + step * n, digits) for n in range(33)]
    entry = listed(tmp_path, places)
    assert entry.spacing_mm is not None
    assert entry.spacing_mm[2] == pytest.approx((places[-1] - places[0]) / 32)
    assert not codes(entry) & {"uneven-slices", "missing-slices"}


@pytest.mark.parametrize("stated", ["SliceThickness", "SpacingBetweenSlices"])
@pytest.mark.parametrize("step", [1.25, 2.5])
def test_coarsely_rounded_positions_are_even_where_numbers_and_steps_say_so(
    tmp_path: Path, step: float, stated: str
) -> None:
    places = [float(round(-76 + step * n)) for n in range(33)]
    images = [ct_slice(z, **{"SliceThickness": 5, stated: step}) for z in places]
    for n, image in enumerate(images):
        image.InstanceNumber = n + 1
    (entry,) = list_volumes(save(images, tmp_path / "ct"))
    assert entry.spacing_mm is not None
    assert entry.spacing_mm[2] == pytest.approx(step)
    for n, image in enumerate(images):
        image.InstanceNumber = 2 * n
    (entry,) = list_volumes(save(images, tmp_path / "gaps"))
    assert codes(entry) & {"uneven-slices", "missing-slices"}


def test_a_missing_slice_is_found_among_rounded_positions(tmp_path: Path) -> None:
    places = [round(-76 + 0.625 * n, 1) for n in range(33) if n != 12]
    assert "missing-slices" in codes(listed(tmp_path, places, SliceThickness=0.625))


@pytest.mark.parametrize(
    "places",
    [
        [0, 0.6, 1.2, 1.8, 2.5, 3.2, 3.9, 4.6],  # the distance changes half way
        [0, 2, 4, 6, 7, 8, 10, 12],
        [0, 1, 3, 4, 6, 7, 9],  # too coarse to tell
    ],
)
def test_uneven_positions_of_few_digits_stay_uneven(tmp_path: Path, places: list[float]) -> None:
    entry = listed(tmp_path, places)
    assert entry.spacing_mm is not None
    assert entry.spacing_mm[2] is None


@pytest.mark.parametrize(
    ("elements", "code", "severity"),
    [
        ({"SpacingBetweenSlices": 2}, "", ""),
        ({"SpacingBetweenSlices": 1}, "stated-step-differs", "warning"),
        ({"SpacingBetweenSlices": 1.7}, "stated-step-differs", "info"),
        ({"GantryDetectorTilt": 15}, "stated-tilt-differs", "warning"),
    ],
)
def test_what_is_stated_and_not_obeyed_is_said(
    tmp_path: Path, elements: dict[str, object], code: str, severity: str
) -> None:
    entry = listed(tmp_path, [0, 2, 4, 6], **elements)
    found = {f.code: f.severity.value for f in entry.issues if f.code.startswith("stated")}
    assert found == ({code: severity} if code else {})


def test_a_stated_prone_position_is_quoted_where_directions_are_missing(tmp_path: Path) -> None:
    entry = listed(tmp_path, [0, 2, 4], ImageOrientationPatient=None, PatientPosition="HFP")
    assert any(f.code == "no-orientation" and "HFP" in f.message for f in entry.issues)


def test_pixels_that_are_not_square_by_another_element_are_doubted(tmp_path: Path) -> None:
    entry = listed(tmp_path, [0, 2, 4], PixelSpacing=[0.5, 0.5], PixelAspectRatio=["2", "1"])
    assert any(f.spoils_mm for f in entry.issues)
