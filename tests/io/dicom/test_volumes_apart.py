"""Which images make a volume: what is split, what is joined, and what is said to be missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage, generate_uid

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.io.entries import Role, VolumeEntry
from liverseg_gui.io.scans import list_volumes, open_scan
from tests.io.dicom_files import ct_slice, frames, save

COUNT = 8
PLACES = [-100.0 + 2 * n for n in range(COUNT)]


def codes(entry: VolumeEntry) -> set[str]:
    return {issue.code for issue in entry.issues}


def content(**elements: object) -> Dataset:
    group = Dataset()
    group.FrameContentSequence = [Dataset()]
    for name, value in elements.items():
        setattr(group.FrameContentSequence[0], name, value)
    return group


def tissue(path: Path) -> list[set[int]]:
    """The HU of each volume, without the air in the corner."""
    volumes = [open_scan(path, number=n + 1) for n in range(len(list_volumes(path)))]
    return [set(np.unique(v.hu).tolist()) - {-1000} for v in volumes]


@pytest.mark.parametrize("count", ["1", None])
def test_an_enhanced_file_of_one_frame_is_placed_by_its_functional_groups(
    tmp_path: Path, count: str | None
) -> None:
    images = [frames([ct_slice(z)]) for z in PLACES]
    for image in images:
        image.NumberOfFrames = count
        if count is None:
            del image.NumberOfFrames
    volume = open_scan(save(images, tmp_path / "ct"))
    assert volume.affine.spacing_mm == pytest.approx((0.5, 0.75, 2))
    assert volume.shape == (6, 4, COUNT)
    assert set(np.unique(volume.hu)) == {-1000, 40}
    assert volume.origin.slice_thickness_mm == 2
    assert volume.mm_reliable


def test_groups_that_are_shared_alone_place_a_single_frame(tmp_path: Path) -> None:
    images = [frames([ct_slice(z)]) for z in PLACES]
    for image in images:
        shared = image.SharedFunctionalGroupsSequence[0]
        shared.update(image.PerFrameFunctionalGroupsSequence[0])
        del image.PerFrameFunctionalGroupsSequence
    assert open_scan(save(images, tmp_path / "ct")).affine.spacing_mm[2] == pytest.approx(2)


def cut(places: list[float], total: int | None = 2) -> list[pydicom.FileDataset]:
    half = len(places) // 2
    parts = [frames([ct_slice(z) for z in z_mm]) for z_mm in (places[:half], places[half:])]
    for n, part in enumerate(parts, 1):
        part.ConcatenationUID, part.InConcatenationNumber, part.InstanceNumber = "1.2.9", n, 1
        if total:
            part.InConcatenationTotalNumber = total
    return parts


def test_one_file_of_a_concatenation_opens_all_of_it(tmp_path: Path) -> None:
    folder = save(cut(PLACES), tmp_path / "ct")
    assert open_scan(folder / "002.dcm").shape[2] == COUNT
    assert "incomplete-series" not in codes(list_volumes(folder)[0])


@pytest.mark.parametrize("total", [2, None])
@pytest.mark.parametrize("kept", [0, 1])
def test_a_part_of_a_concatenation_that_is_not_there_is_said(
    tmp_path: Path, total: int | None, kept: int
) -> None:
    folder = save([cut(PLACES, total)[kept]], tmp_path / "ct")
    for path in (folder, folder / "001.dcm"):
        volume = open_scan(path)
        assert "incomplete-series" in {issue.code for issue in volume.issues}
        assert not volume.mm_reliable


@pytest.mark.parametrize(
    "told",
    [
        lambda n: content(TemporalPositionIndex=n),
        lambda n: content(FrameAcquisitionDateTime=f"2024010110{n:02}00"),
        lambda n: content(FrameAcquisitionNumber=n),
        lambda n: content(DimensionIndexValues=[1, n]),
        lambda n: content(StackID=str(n)),
        lambda n: in_group("CardiacSynchronizationSequence", NominalPercentageOfCardiacPhase=n),
        lambda n: in_group("ContrastBolusUsageSequence", ContrastBolusAgentNumber=n),
        lambda n: in_group("CTReconstructionSequence", ConvolutionKernel=f"B{n}"),
        lambda n: in_group("UnassignedPerFrameConvertedAttributesSequence", TriggerTime=n),
        lambda n: in_group("CTXRayDetailsSequence", KVP=80 + n),
    ],
)
def test_frames_at_one_place_are_told_apart_by_their_groups(tmp_path: Path, told: object) -> None:
    assert callable(told)
    images = [ct_slice(z, 40 + 10 * n) for z in PLACES for n in (1, 2)]
    image = frames(images, [told(n) for _ in PLACES for n in (1, 2)])
    folder = save([image], tmp_path / "ct")
    assert [e.size[2] for e in list_volumes(folder)] == [COUNT, COUNT]
    assert tissue(folder) == [{50}, {60}]


def in_group(sequence: str, **elements: object) -> Dataset:
    group = Dataset()
    setattr(group, sequence, [Dataset()])
    for name, value in elements.items():
        setattr(group[sequence].value[0], name, value)
    return group


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("SeriesNumber", (3, 4)),
        ("SeriesDescription", ("arterial", "portal venous")),
        ("AcquisitionNumber", (1, 2)),
        ("AcquisitionTime", ("100000", "100100")),
        ("AcquisitionDateTime", ("20240101100000", "20240101100100")),
        ("TemporalPositionIdentifier", (1, 2)),
        ("NominalPercentageOfCardiacPhase", (30, 70)),
        ("TriggerTime", (100, 700)),
        ("ContrastBolusAgent", ("none", "Omnipaque")),
        ("EchoTime", (2, 5)),
        ("ConvolutionKernel", ("B30f", "B60f")),
        ("KVP", (80, 140)),
        ("ImageType", (["DERIVED", "PRIMARY", "A"], ["DERIVED", "PRIMARY", "B"])),
        ("ProtocolName", ("a", "b")),
        ("SliceThickness", (2, 4)),
    ],
)
@pytest.mark.parametrize("uid", ["1.2.3", None])
def test_two_series_under_one_identifier_or_none_are_told_apart(
    tmp_path: Path, name: str, values: tuple[object, object], uid: str | None
) -> None:
    images = [
        ct_slice(z, hu, SeriesInstanceUID=uid, InstanceNumber=n, **{name: value})
        for hu, value in zip((50, 60), values, strict=True)
        for n, z in enumerate(PLACES, 1)
    ]
    folder = save(images, tmp_path / "ct")
    assert tissue(folder) == [{50}, {60}]
    assert open_scan(folder / "010.dcm").shape[2] == COUNT


def test_images_without_identifiers_of_their_own_are_no_copies(tmp_path: Path) -> None:
    images = [
        ct_slice(z, hu, SOPInstanceUID="1.2.3", ConvolutionKernel=kernel, InstanceNumber=n)
        for hu, kernel in ((50, "B30f"), (60, "B60f"))
        for n, z in enumerate(PLACES)
    ]
    assert tissue(save(images, tmp_path / "ct")) == [{50}, {60}]


def test_two_tags_together_tell_four_volumes_apart(tmp_path: Path) -> None:
    images = [
        ct_slice(z, 50 + 10 * n, AcquisitionNumber=n // 2, ConvolutionKernel=f"B{n % 2}")
        for n in range(4)
        for z in PLACES
    ]
    for image in images:
        image.InstanceNumber = 1
    assert sorted(map(sorted, tissue(save(images, tmp_path / "ct")))) == [[50], [60], [70], [80]]


def blocks(gap: int = 0, shared: int = 0, late: str = "100110") -> list[pydicom.FileDataset]:
    """A phase of one acquisition, and one of two table blocks."""
    images = [ct_slice(z, 50, AcquisitionNumber=1, AcquisitionTime="100000") for z in PLACES]
    lower = [
        ct_slice(z, 60, AcquisitionNumber=2, AcquisitionTime="100100") for z in PLACES[: 4 + shared]
    ]
    upper = [ct_slice(z, 60, AcquisitionNumber=3, AcquisitionTime=late) for z in PLACES[4 + gap :]]
    return [*images, *lower, *upper]


def test_table_blocks_of_a_phase_are_one_volume(tmp_path: Path) -> None:
    folder = save(blocks(), tmp_path / "ct")
    entries = list_volumes(folder)
    assert [e.size[2] for e in entries] == [COUNT, COUNT]
    assert tissue(folder) == [{50}, {60}]
    assert not any("separate-parts" in codes(e) for e in entries)


@pytest.mark.parametrize(
    "images", [blocks(shared=1), blocks(gap=1), blocks(late="101500"), blocks()[:12]]
)
def test_parts_that_cannot_be_put_together_say_that_they_are_parts(
    tmp_path: Path, images: list[pydicom.FileDataset]
) -> None:
    for entry in list_volumes(save(images, tmp_path / "ct")):
        assert ("separate-parts" in codes(entry)) == (entry.size[2] < COUNT)


def test_a_phase_that_lacks_its_last_slice_says_so(tmp_path: Path) -> None:
    images = [ct_slice(z, AcquisitionNumber=1) for z in PLACES]
    images += [ct_slice(z, AcquisitionNumber=2) for z in PLACES[:-1]]
    whole, lacking = list_volumes(save(images, tmp_path / "ct"))
    assert "separate-parts" not in codes(whole)
    assert "separate-parts" in codes(lacking)


@pytest.mark.parametrize(
    "identifiers",
    [
        ["SeriesInstanceUID"],
        ["SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"],
    ],
)
def test_images_that_each_call_themselves_a_series_are_joined(
    tmp_path: Path, identifiers: list[str]
) -> None:
    images = [ct_slice(z, **{name: generate_uid() for name in identifiers}) for z in PLACES]
    del images[3]
    folder = save(images, tmp_path / "ct")
    (entry,) = list_volumes(folder)
    assert entry.size[2] == COUNT - 1
    assert {"series-joined", "missing-slices"} <= codes(entry)
    assert open_scan(folder / "002.dcm").shape[2] == COUNT


@pytest.mark.parametrize(
    "difference",
    [
        lambda n: {"SeriesDescription": f"needle {n}"},
        lambda n: {"SeriesNumber": n},
        lambda n: {"PixelSpacing": [0.5 + n / 10, 0.5]},
        lambda n: {"ImagePositionPatient": [0, 0, 7.3 * n * n]},
        lambda n: {"ImagePositionPatient": [30 * (n % 2), 0, 2 * n]},
        lambda _: {"ImagePositionPatient": [0, 0, 5]},
        lambda n: {"FrameOfReferenceUID": f"1.2.{n // 4}"},
    ],
)
def test_single_images_that_differ_are_not_joined(tmp_path: Path, difference: object) -> None:
    assert callable(difference)
    images = [
        ct_slice(z, SeriesInstanceUID=generate_uid(), **difference(n)) for n, z in enumerate(PLACES)
    ]
    entries = list_volumes(save(images, tmp_path / "ct"))
    assert [e.size[2] for e in entries] == [1] * COUNT
    assert not any("series-joined" in codes(e) for e in entries)


@pytest.mark.parametrize(
    ("elements", "modality"),
    [
        ({"Modality": ""}, "CT"),
        ({"Modality": None}, "CT"),
        ({"Modality": "OT"}, "CT"),
        ({"Modality": "", "SOPClassUID": None}, "CT"),
        ({"Modality": "", "SOPClassUID": MRImageStorage}, "MR"),
        ({"Modality": "", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.20"}, "NM"),
        ({"Modality": "", "SOPClassUID": "1.2.3"}, "CT"),  # by its unit, HU
    ],
)
def test_a_modality_that_was_removed_is_known_by_the_kind_of_object(
    tmp_path: Path, elements: dict[str, object], modality: str
) -> None:
    images = [ct_slice(z, **elements) for z in PLACES]
    (entry,) = list_volumes(save(images, tmp_path / "ct"))
    assert (entry.modality, entry.about.role) == (modality, Role.VOLUME)
    assert "modality-assumed" in codes(entry)
    assert ("not-ct" in codes(entry)) == (modality != "CT")


def test_a_series_says_that_it_has_more_images_than_are_there(tmp_path: Path) -> None:
    images = [ct_slice(z, NumberOfSeriesRelatedInstances=COUNT) for z in PLACES]
    assert "incomplete-series" not in codes(list_volumes(save(images, tmp_path / "all"))[0])
    volume = open_scan(save(images[:-2], tmp_path / "some"))
    assert "incomplete-series" in {issue.code for issue in volume.issues}
    assert not volume.mm_reliable


def test_images_numbered_from_later_on_are_remarked(tmp_path: Path) -> None:
    images = [ct_slice(z, InstanceNumber=5 + n) for n, z in enumerate(PLACES)]
    assert "starts-late" in codes(list_volumes(save(images, tmp_path / "ct"))[0])


def test_images_of_another_size_in_a_series_are_remarked(tmp_path: Path) -> None:
    images = [ct_slice(z) for z in PLACES]
    for image in images[:3]:
        image.PixelSpacing = [0.8, 0.8]
    entries = list_volumes(save(images, tmp_path / "ct"))
    assert sorted(e.size[2] for e in entries) == [3, 5]
    assert all("mixed-series" in codes(e) for e in entries)


def test_a_file_that_describes_fewer_frames_than_it_has_says_so(tmp_path: Path) -> None:
    image = frames([ct_slice(z) for z in PLACES])
    image.PerFrameFunctionalGroupsSequence = image.PerFrameFunctionalGroupsSequence[:-2]
    volume = open_scan(save([image], tmp_path / "ct"))
    assert volume.shape[2] == COUNT - 2
    assert "frames-missing" in {issue.code for issue in volume.issues}


def test_a_file_that_holds_fewer_frames_than_it_says_is_not_shown(tmp_path: Path) -> None:
    image = frames([ct_slice(z) for z in PLACES])
    image.PixelData = image.PixelData[: len(image.PixelData) // 2]
    with pytest.raises(UnreadableFileError, match="cut short"):
        open_scan(save([image], tmp_path / "ct"))


def test_frames_that_are_all_given_one_place_are_unplaced(tmp_path: Path) -> None:
    image = ct_slice(0, NumberOfFrames=COUNT, SpacingBetweenSlices=3)
    image.PixelData = image.PixelData * COUNT
    (entry,) = list_volumes(save([image], tmp_path / "ct"))
    assert entry.spacing_mm == pytest.approx((0.5, 0.75, 3))
    assert "no-position" in codes(entry)
    assert not entry.problem
