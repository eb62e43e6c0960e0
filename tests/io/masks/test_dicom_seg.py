from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid

from liverseg_gui.core.errors import GridMismatchError, UnreadableFileError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.masks.dicom_seg import is_seg, read_seg
from liverseg_gui.io.masks.read import UnknownLabelsError, read_mask
from liverseg_gui.io.scans import open_scan

KINDS = {"Liver": codes.SCT.Liver, "Tumor": codes.SCT.Neoplasm, "Spleen": codes.SCT.Spleen}


@pytest.fixture(scope="module")
def series(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("series")
    write_dicom_series(phantom.volume, folder)
    return folder


@pytest.fixture(scope="module")
def scan(series: Path) -> Volume:
    return open_scan(series)


def slices_of(series: Path) -> list[pydicom.Dataset]:
    slices = [pydicom.dcmread(file) for file in sorted(series.iterdir())]
    for one in slices:
        one.PatientName = "Phantom^"  # highdicom warns of names of one part
    return slices


def segment(number: int, label: str, kind: object = None) -> hd.seg.SegmentDescription:
    return hd.seg.SegmentDescription(
        number,
        label,
        codes.SCT.Organ,
        kind or KINDS.get(label, codes.SCT.Organ),
        hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )


def write_seg(
    path: Path,
    sources: Sequence[pydicom.Dataset],
    pixels: np.ndarray,
    names: Sequence[str],
    kind: str = "BINARY",
    syntax: str = ExplicitVRLittleEndian,
) -> Path:
    """A SEG by highdicom; `pixels` have shape (slices, rows, columns[, segments])."""
    hd.seg.Segmentation(
        source_images=sources,
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[segment(n, name) for n, name in enumerate(names, 1)],
        series_instance_uid=generate_uid(),
        series_number=9,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="made for a test",
        manufacturer_model_name="made for a test",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=syntax,
    ).save_as(path)
    return path


def stack(phantom: Phantom) -> np.ndarray:
    """The true labels in the order of the series' slices: (slices, rows, columns)."""
    return phantom.volume.grid.to_stored(phantom.truth.labels).transpose(2, 1, 0)


def channels(labels: np.ndarray) -> np.ndarray:
    """Liver with tumor, and tumor: segments that overlap, as (slices, rows, columns, 2)."""
    return np.stack([labels > 0, labels == 2], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
@pytest.mark.parametrize("backwards", [False, True])
def test_a_seg_of_highdicom_is_read_voxel_by_voxel(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom, kind: str, backwards: bool
) -> None:
    labels, sources = stack(phantom), slices_of(series)
    if backwards:
        labels, sources = labels[::-1], sources[::-1]
    pixels = labels if kind == "LABELMAP" else channels(labels)
    if kind == "FRACTIONAL":
        pixels = pixels.astype(np.float32)
    path = write_seg(tmp_path / "seg.dcm", sources, pixels, ["Liver", "Tumor"], kind)
    mask = read_mask(path, scan)
    np.testing.assert_array_equal(mask.labels, phantom.truth.labels)
    assert mask.grid == scan.grid


def test_a_share_of_half_a_pixel_is_where_a_segment_ends(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    share = np.where(stack(phantom) > 0, 0.6, 0.4).astype(np.float32)
    path = write_seg(tmp_path / "s.dcm", slices_of(series), share, ["Liver"], "FRACTIONAL")
    np.testing.assert_array_equal(read_mask(path, scan).labels, phantom.truth.labels > 0)


def test_a_compressed_seg_is_read(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    share = (stack(phantom) > 0).astype(np.float32)
    sources = slices_of(series)
    path = write_seg(tmp_path / "s.dcm", sources, share, ["Liver"], "FRACTIONAL", RLELossless)
    np.testing.assert_array_equal(read_mask(path, scan).labels, phantom.truth.labels > 0)


def test_frames_need_not_fill_whole_bytes(tmp_path: Path, phantom: Phantom) -> None:
    """A frame of 15 x 13 pixels ends inside a byte, and the next begins there."""
    whole = phantom.volume
    hu = np.asfortranarray(whole.hu[40:55, 60:73, 20:27])
    grid = type(whole.grid)((15, 13, 7), whole.affine)
    write_dicom_series(Volume(hu, grid, whole.origin), tmp_path / "series")
    labels = np.random.default_rng(0).integers(0, 3, (7, 13, 15)).astype(np.uint8)
    sources = slices_of(tmp_path / "series")
    path = write_seg(tmp_path / "s.dcm", sources, channels(labels), ["Liver", "Tumor"])
    small = open_scan(tmp_path / "series")
    expected = small.grid.to_ras(labels.transpose(2, 1, 0))
    np.testing.assert_array_equal(read_mask(path, small).labels, expected)


def test_names_decide_and_not_the_order_of_segments(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    pixels = channels(stack(phantom))[..., ::-1]
    path = write_seg(tmp_path / "s.dcm", slices_of(series), pixels, ["Tumor", "Liver"])
    np.testing.assert_array_equal(read_mask(path, scan).labels, phantom.truth.labels)


def test_a_segment_of_another_organ_is_asked_about(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    path = write_seg(
        tmp_path / "s.dcm", slices_of(series), channels(stack(phantom)), ["Spleen", "Liver"]
    )
    with pytest.raises(UnknownLabelsError, match=r"1 \(Spleen.*2 \(Liver") as question:
        read_mask(path, scan)
    assert question.value.proposal == {1: 0, 2: 1}
    tumor = read_mask(path, scan, {2: 2}).labels == 2
    np.testing.assert_array_equal(tumor, phantom.truth.labels == 2)


def test_a_segment_without_a_telling_name_is_known_by_its_kind(
    tmp_path: Path, series: Path, phantom: Phantom
) -> None:
    path = write_seg(tmp_path / "s.dcm", slices_of(series), stack(phantom) > 0, ["Segment_1"])
    data = pydicom.dcmread(path)
    data.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeMeaning = "Liver"
    data.save_as(path)
    assert read_seg(path).names == {1: "Segment_1 (Liver)"}


def test_a_seg_of_another_scan_is_refused(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    path = write_seg(tmp_path / "s.dcm", slices_of(series), stack(phantom) > 0, ["Liver"])
    moved = scan.affine.matrix.copy()
    moved[1, 3] += 1.5  # half a voxel
    grid = type(scan.grid)(scan.shape, type(scan.affine)(moved))
    with pytest.raises(GridMismatchError, match="slices lie elsewhere"):
        read_mask(path, Volume(scan.hu, grid, scan.origin))
    part = Volume(
        np.asfortranarray(scan.hu[:, :, :24]), type(grid)((128, 128, 24), scan.affine), scan.origin
    )
    with pytest.raises(GridMismatchError, match="slices lie elsewhere"):
        read_mask(path, part)


def test_a_folder_with_one_seg_is_that_seg(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    write_seg(tmp_path / "a.dcm", slices_of(series), stack(phantom) > 0, ["Liver"])
    assert read_mask(tmp_path, scan).labels.any()
    (tmp_path / "b.dcm").write_bytes((tmp_path / "a.dcm").read_bytes())
    with pytest.raises(UnreadableFileError, match=r"2 DICOM segmentations.*a\.dcm, b\.dcm"):
        read_mask(tmp_path, scan)


def test_only_a_seg_is_taken_for_one(tmp_path: Path, series: Path) -> None:
    assert not is_seg(next(series.iterdir()))
    (tmp_path / "text.dcm").write_text("no DICOM")
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "start.dcm").write_bytes(b"\0" * 128 + b"DICM\x02\0\0\0UL")
    for path in (*tmp_path.iterdir(), tmp_path / "gone.dcm", tmp_path):
        assert not is_seg(path)


def test_a_file_that_is_no_seg_is_named_with_a_remedy(
    tmp_path: Path, series: Path, scan: Volume
) -> None:
    one = next(series.iterdir())
    with pytest.raises(UnreadableFileError, match=r"no mask this program reads\. Choose"):
        read_mask(one, scan)
    with pytest.raises(UnreadableFileError, match=r"no DICOM segmentation.*Export it again"):
        read_seg(one)
    with pytest.raises(UnreadableFileError, match=r"does not exist\. Check the path"):
        read_seg(tmp_path / "gone.dcm")


def test_a_header_that_promises_more_frames_than_there_are_pixels_is_refused(
    tmp_path: Path, series: Path, phantom: Phantom
) -> None:
    path = write_seg(tmp_path / "s.dcm", slices_of(series), stack(phantom) > 0, ["Liver"])
    data = pydicom.dcmread(path)
    data.Rows = 60000
    data.Columns = 60000
    data.save_as(path)
    with pytest.raises(UnreadableFileError, match=r"s\.dcm"):
        read_seg(path)


def test_no_damage_to_a_seg_provokes_anything_but_a_plain_refusal(
    tmp_path: Path, series: Path, scan: Volume, phantom: Phantom
) -> None:
    path = write_seg(
        tmp_path / "s.dcm", slices_of(series)[20:24], stack(phantom)[20:24] > 0, ["Liver"]
    )
    whole, rng = path.read_bytes(), random.Random(3)
    refused = 0
    for _ in range(120):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(damaged))
            damaged[at : at + rng.choice((1, 1, 4))] = bytes([rng.randrange(256)])
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        path.write_bytes(bytes(damaged))
        try:
            read_mask(path, scan)
        except (UnreadableFileError, GridMismatchError):
            refused += 1
    assert refused > 30


@pytest.mark.real_data
def test_a_real_seg_agrees_with_its_nrrd_and_with_highdicom(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "dicom" / "seg_3slice"
    for file in folder.glob("0*.dcm"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    scan = open_scan(tmp_path)
    mask = read_mask(folder / "liver.dcm", scan)
    nrrd = sitk.ReadImage(str(folder / "liver_seg.nrrd"))
    voxels = np.argwhere(sitk.GetArrayFromImage(nrrd).transpose(2, 1, 0))
    expected = np.array([nrrd.TransformIndexToPhysicalPoint(v.tolist()) for v in voxels[::97]])
    ijk = np.rint(scan.affine.to_ijk(expected * (-1, -1, 1))).astype(int)
    assert (mask.labels[tuple(ijk.T)] == 1).all()
    assert np.count_nonzero(mask.labels) == len(voxels)
    np.testing.assert_array_equal(
        read_mask(folder / "liver_seg.nrrd", scan, {1: 1}).labels, mask.labels
    )
    judge = hd.seg.segread(folder / "liver.dcm").get_volume(combine_segments=True)
    by_highdicom = np.argwhere(judge.array)
    mm = (by_highdicom @ judge.affine[:3, :3].T + judge.affine[:3, 3]) * (-1, -1, 1)
    ours = np.zeros_like(mask.labels)
    ours[tuple(np.rint(scan.affine.to_ijk(mm)).astype(int).T)] = 1
    np.testing.assert_array_equal(ours, mask.labels)
