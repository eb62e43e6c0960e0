from __future__ import annotations

import gzip
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.errors import GridMismatchError, LiverSegError, UnreadableFileError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.geometry_override import with_geometry
from liverseg_gui.core.measure import measure
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.slices import SourceSlices, even_grid
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.masks.label_values import meaning
from liverseg_gui.io.masks.read import (
    FileLabel,
    UnknownLabelsError,
    parse_labels,
    read_as_before,
    read_mask,
    signature,
)
from liverseg_gui.io.scans import open_scan
from tests.core.test_geometry import orientations

SHAPE = (6, 7, 5)
SPACING = np.array((0.8, 0.9, 2.5))
MATRIX = np.diag([*SPACING, 1.0])
LABELS = np.random.default_rng(1).integers(0, 3, SHAPE).astype(np.uint8)


@pytest.fixture
def scan() -> Volume:
    """A scan whose array, grid and millimetres are in RAS+ order."""
    return Volume(np.zeros(SHAPE, np.int16), StoredGrid(SHAPE, Affine(MATRIX)), Origin(Path("x")))


def nifti(path: Path, values: np.ndarray, matrix: np.ndarray = MATRIX) -> Path:
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(values, matrix), path)
    return path


def image(values: np.ndarray) -> sitk.Image:
    """`values` (RAS+ order of the scan) as SimpleITK would hold them in LPS."""
    made = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
    made.SetSpacing(SPACING.tolist())
    made.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    return made


def written(path: Path, values: np.ndarray) -> Path:
    sitk.WriteImage(image(values), str(path), True)
    return path


def seg_nrrd(path: Path, values: np.ndarray, notes: dict[str, str], packed: bool = True) -> Path:
    """A .seg.nrrd as 3D Slicer saves it; `values` (i, j, k), or (layer, i, j, k)."""
    layered = values.ndim == 4
    steps = " ".join(
        f"({','.join('0' if n != axis else str(mm) for n in range(3))})"
        for axis, mm in enumerate(SPACING)
    )
    lines = [
        "NRRD0005",
        "type: unsigned char",
        f"dimension: {values.ndim}",
        "space: right-anterior-superior",
        f"sizes: {' '.join(map(str, values.shape))}",
        f"space directions: {'none ' if layered else ''}{steps}",
        f"kinds: {'list ' if layered else ''}domain domain domain",
        f"encoding: {'gzip' if packed else 'raw'}",
        "space origin: (0,0,0)",
        *(f"{key}:={value}" for key, value in notes.items()),
    ]
    data = values.astype(np.uint8).tobytes(order="F")
    path.write_bytes(
        "\n".join(lines).encode() + b"\n\n" + (gzip.compress(data) if packed else data)
    )
    return path


def segment(n: int, name: str, value: int, layer: int = 0) -> dict[str, str]:
    about = {"ID": f"Segment_{n}", "Name": name, "LabelValue": str(value), "Layer": str(layer)}
    return {f"Segment{n}_{key}": text for key, text in about.items()}


# The program's own values


@pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "m.nrrd", "m.nhdr", "m.mha", "m.mhd"])
@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_a_mask_is_read_from_every_format_and_number_type(
    tmp_path: Path, scan: Volume, name: str, kind: type
) -> None:
    make = nifti if ".nii" in name else written
    mask = read_mask(make(tmp_path / name, LABELS.astype(kind)), scan)
    np.testing.assert_array_equal(mask.labels, LABELS)
    assert mask.labels.dtype == np.uint8
    assert mask.grid is scan.grid


@pytest.mark.parametrize("orientation", range(48))
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd"])
def test_a_mask_may_be_stored_in_another_axis_order(
    tmp_path: Path, scan: Volume, orientation: int, ending: str
) -> None:
    order = orientations()[orientation]
    stored = LABELS.transpose(np.abs(order).argmax(axis=0))
    flips = np.nonzero(order.sum(axis=0) < 0)[0]
    stored = np.ascontiguousarray(np.flip(stored, flips))
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag(SPACING) @ order
    corner = [n - 1 if axis in flips else 0 for axis, n in enumerate(stored.shape)]
    matrix[:3, 3] = -(matrix[:3, :3] @ corner)
    path = nifti(tmp_path / "m.nii.gz", stored, matrix)
    if ending == ".nrrd":
        sitk.WriteImage(sitk.ReadImage(str(path)), str(tmp_path / "m.nrrd"))
        path = tmp_path / "m.nrrd"
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


def test_an_empty_mask_is_a_mask(tmp_path: Path, scan: Volume) -> None:
    for make, name in ((nifti, "m.nii"), (written, "m.nrrd")):
        assert not read_mask(make(tmp_path / name, LABELS * 0), scan).labels.any()


def test_tiny_deviations_from_whole_numbers_are_rounded(tmp_path: Path, scan: Volume) -> None:
    near = LABELS + np.float32(1e-5)
    np.testing.assert_array_equal(read_mask(nifti(tmp_path / "m.nii", near), scan).labels, LABELS)
    low = LABELS - np.float32(1e-5)
    np.testing.assert_array_equal(read_mask(nifti(tmp_path / "n.nii", low), scan).labels, LABELS)


@pytest.mark.parametrize(
    ("odd", "what"),
    [(0.5, "0.5"), (np.nan, "nan"), (-3.0, "-3"), (1e9, r"1e\+09"), (np.inf, "inf")],
)
def test_numbers_that_are_no_labels_are_refused(
    tmp_path: Path, scan: Volume, odd: float, what: str
) -> None:
    values = LABELS.astype(np.float32)
    values[1, 1, 1] = odd
    for path in (nifti(tmp_path / "m.nii", values), written(tmp_path / "m.mha", values)):
        with pytest.raises(UnreadableFileError, match=rf"{path.name} holds .*{what}.*Choose"):
            read_mask(path, scan)


def test_a_scan_is_no_mask(tmp_path: Path) -> None:
    shape = (16, 16, 8)
    scan = Volume(np.zeros(shape, np.int16), StoredGrid(shape, Affine(MATRIX)), Origin(Path("x")))
    values = np.arange(16 * 16 * 8, dtype=np.int16).reshape(shape)
    with pytest.raises(UnreadableFileError, match=r"different values.*may be a scan"):
        read_mask(nifti(tmp_path / "ct.nii", values), scan)


def test_a_scaled_nifti_is_read_with_its_scale(tmp_path: Path, scan: Volume) -> None:
    made = nib.Nifti1Image(LABELS * 10, MATRIX)
    made.header.set_slope_inter(0.1, 0)
    nib.save(made, tmp_path / "m.nii")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii", scan).labels, LABELS)


# Another scan's mask


def test_a_mask_of_another_size_is_refused(tmp_path: Path, scan: Volume) -> None:
    for make, name in ((nifti, "m.nii"), (written, "m.nrrd")):
        with pytest.raises(GridMismatchError, match="6 x 7 x 4"):
            read_mask(make(tmp_path / name, LABELS[:, :, :4]), scan)


def test_a_mask_at_another_place_is_refused(tmp_path: Path, scan: Volume) -> None:
    moved = MATRIX.copy()
    moved[0, 3] = 0.4
    with pytest.raises(GridMismatchError, match="another place"):
        read_mask(nifti(tmp_path / "m.nii", LABELS, moved), scan)
    with pytest.raises(GridMismatchError, match="another place"):
        read_mask(nifti(tmp_path / "n.nii", LABELS, np.diag([0.8, 0.9, 2.6, 1])), scan)


def test_a_mask_of_another_scan_is_refused_before_its_labels_are_asked_about(
    tmp_path: Path, scan: Volume
) -> None:
    with pytest.raises(GridMismatchError):
        read_mask(nifti(tmp_path / "m.nii", np.full((6, 7, 4), 5, np.uint8)), scan)


# Foreign labels


def test_foreign_values_are_asked_about(tmp_path: Path, scan: Volume) -> None:
    path = nifti(tmp_path / "m.nii", np.where(LABELS, LABELS + 4, 0).astype(np.uint8))
    with pytest.raises(UnknownLabelsError, match=r"holds the labels 5, 6: .*--labels 5=liver") as e:
        read_mask(path, scan)
    count = [np.count_nonzero(n == LABELS) for n in (1, 2)]
    assert e.value.labels == (FileLabel(5, "", count[0]), FileLabel(6, "", count[1]))
    assert set(e.value.proposal.values()) == {0}
    mapped = read_mask(path, scan, {5: 1, 6: 2}).labels
    np.testing.assert_array_equal(mapped, LABELS)


def test_values_outside_a_mapping_become_background(tmp_path: Path, scan: Volume) -> None:
    mask = read_mask(nifti(tmp_path / "m.nii", LABELS), scan, {2: 1})
    np.testing.assert_array_equal(mask.labels, LABELS == 2)


def bare(path: Path, liver: int, tumor: int) -> Path:
    """A small tumor in a liver, by values that nothing names."""
    labels = np.array([0, liver], np.uint8)[np.minimum(LABELS, 1)]
    labels[2, 2, :2] = tumor
    return nifti(path, labels)


def unknown(path: Path, scan: Volume) -> UnknownLabelsError:
    with pytest.raises(UnknownLabelsError) as question:
        read_mask(path, scan)
    return question.value


def test_what_was_said_before_of_bare_values_is_told_beside_the_figures(
    tmp_path: Path, scan: Volume
) -> None:
    mask = read_as_before(unknown(bare(tmp_path / "m.nii", 5, 6), scan), scan, {5: 1, 6: 2})
    assert np.count_nonzero(mask.labels == 2) == 2
    (told,) = [text for text in measure(scan, mask).warnings if "before" in text]
    assert "label 5 is liver, 6 is tumor" in told


def test_what_was_said_before_is_not_taken_where_it_fits_the_other_way_round(
    tmp_path: Path, scan: Volume
) -> None:
    question = unknown(bare(tmp_path / "m.nii", 6, 5), scan)
    assert signature(question.labels) == signature(
        unknown(bare(tmp_path / "n.nii", 5, 6), scan).labels
    )
    with pytest.raises(
        UnknownLabelsError,
        match=r"more tumor than liver.*Say which",
    ):
        read_as_before(question, scan, {5: 1, 6: 2})


def test_what_was_said_before_of_names_is_no_doubt(tmp_path: Path, scan: Volume) -> None:
    notes = segment(0, "Mass A", 1) | segment(1, "Rest", 2)
    path = seg_nrrd(tmp_path / "m.seg.nrrd", LABELS, notes)
    mask = read_as_before(unknown(path, scan), scan, {1: 2, 2: 1})
    np.testing.assert_array_equal(mask.labels, np.array([0, 2, 1], np.uint8)[LABELS])
    assert mask.warnings == ()
    assert "1 is tumor, 2 is liver" in mask.notes[0]


def test_a_long_list_of_labels_is_cut(tmp_path: Path, scan: Volume) -> None:
    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE) % 60
    with pytest.raises(UnknownLabelsError, match="and 47 more") as question:
        read_mask(nifti(tmp_path / "m.nii", values), scan)
    assert len(question.value.labels) == 59


def test_a_data_set_names_its_labels(tmp_path: Path, scan: Volume) -> None:
    path = nifti(tmp_path / "labelsTr" / "liver_1.nii.gz", LABELS)
    names = tmp_path / "dataset.json"
    names.write_text(json.dumps({"labels": {"0": "background", "1": "cancer", "2": "liver"}}))
    swapped = np.array([0, 2, 1], np.uint8)[LABELS]
    np.testing.assert_array_equal(read_mask(path, scan).labels, swapped)
    names.write_text(json.dumps({"labels": {"0": "background", "1": "pancreas", "2": "cancer"}}))
    with pytest.raises(UnknownLabelsError, match=r"1 \(pancreas\), 2 \(cancer\)") as question:
        read_mask(path, scan)
    assert question.value.proposal == {1: 0, 2: 2}


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "liver": 2, "tumor": 1},
        {"background": 0, "liver": [1, 2], "tumor": [1]},
    ],
)
def test_an_nnunet_data_set_names_its_labels(tmp_path: Path, scan: Volume, labels: dict) -> None:
    path = nifti(tmp_path / "labelsTr" / "liver_1.nii.gz", LABELS)
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    swapped = np.array([0, 2, 1], np.uint8)[LABELS]
    np.testing.assert_array_equal(read_mask(path, scan).labels, swapped)


@pytest.mark.parametrize("text", ["{", "[]", '{"labels": 3}', '{"labels": {"x": "liver"}}', ""])
def test_a_damaged_list_of_names_does_not_spoil_the_mask(
    tmp_path: Path, scan: Volume, text: str
) -> None:
    path = nifti(tmp_path / "labelsTr" / "liver_1.nii.gz", LABELS)
    (tmp_path / "dataset.json").write_text(text)
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


def test_a_foreign_list_of_names_is_left_alone(tmp_path: Path, scan: Volume) -> None:
    path = nifti(tmp_path / "work" / "m.nii.gz", LABELS)
    (tmp_path / "dataset.json").write_text('{"labels": {"1": "cancer", "2": "liver"}}')
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


# 3D Slicer


@pytest.mark.parametrize("packed", [True, False])
def test_slicer_segments_are_known_by_name(tmp_path: Path, scan: Volume, packed: bool) -> None:
    stored = np.array([0, 7, 3], np.uint8)[LABELS]
    notes = segment(0, "liver tumor", 3) | segment(1, "Liver", 7)
    path = seg_nrrd(tmp_path / "m.seg.nrrd", stored, notes, packed)
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


def test_slicer_segments_that_overlap_are_layers_and_tumor_wins(
    tmp_path: Path, scan: Volume
) -> None:
    layers = np.stack([np.where(LABELS == 2, 1, 0), LABELS > 0]).astype(np.uint8)
    notes = segment(0, "Tumor", 1, 0) | segment(1, "Liver", 1, 1)
    path = seg_nrrd(tmp_path / "m.seg.nrrd", layers, notes)
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)
    notes = segment(0, "Mass A", 1, 0) | segment(1, "Liver", 1, 1)
    path = seg_nrrd(tmp_path / "n.seg.nrrd", layers, notes)
    with pytest.raises(UnknownLabelsError, match=r"1 \(Mass A\), 2 \(Liver\)"):
        read_mask(path, scan)
    np.testing.assert_array_equal(read_mask(path, scan, {1: 2, 2: 1}).labels, LABELS)


def test_an_older_slicer_file_has_a_layer_a_segment(tmp_path: Path, scan: Volume) -> None:
    layers = np.stack([LABELS > 0, LABELS == 2]).astype(np.uint8)
    path = seg_nrrd(
        tmp_path / "m.seg.nrrd", layers, {"Segment0_Name": "Liver", "Segment1_Name": "Lesion"}
    )
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


def test_segments_named_otherwise_are_asked_about_whatever_their_values(
    tmp_path: Path, scan: Volume
) -> None:
    notes = segment(0, "Segment_1", 1) | segment(1, "Segment_2", 2)
    path = seg_nrrd(tmp_path / "m.seg.nrrd", LABELS, notes)
    with pytest.raises(UnknownLabelsError, match="Segment_1"):
        read_mask(path, scan)


def test_a_segment_without_voxels_asks_nothing(tmp_path: Path, scan: Volume) -> None:
    notes = segment(0, "Liver", 1) | segment(1, "Tumor", 2) | segment(2, "Spleen", 3)
    path = seg_nrrd(tmp_path / "m.seg.nrrd", LABELS, notes)
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


def test_senseless_segment_numbers_are_a_plain_refusal(tmp_path: Path, scan: Volume) -> None:
    notes = segment(0, "Liver", 1) | {"Segment0_LabelValue": "one"}
    path = seg_nrrd(tmp_path / "m.seg.nrrd", LABELS, notes)
    with pytest.raises(UnreadableFileError, match=r"m\.seg\.nrrd.*Save it again"):
        read_mask(path, scan)


# Words


@pytest.mark.parametrize(
    ("name", "label", "clear"),
    [
        ("Liver", 1, True),
        ("left_liver_lobe", 1, True),
        ("Foie", 1, True),
        ("LEBER", 1, True),
        ("hepar", 1, True),
        ("Liver without tumor", 1, True),
        ("liver tumor", 2, True),
        ("livertumors01", 2, True),
        ("Tumour", 2, True),
        ("HCC", 2, True),
        ("hepatic metastasis 3", 2, True),
        ("Lesion", 2, True),
        ("cancer", 2, True),
        ("liver_vessels", 0, False),
        ("hepatic vein", 0, False),
        ("liver cyst", 0, False),
        ("kidney tumor", 0, False),
        ("non-tumor", 0, False),
        ("non-tumor liver", 1, False),
        ("Spleen", 0, False),
        ("Segment_1", 0, False),
        ("", 0, False),
    ],
)
def test_a_name_is_understood_only_where_it_is_clear(name: str, label: int, clear: bool) -> None:
    assert meaning(name) == (label, clear)


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("5=liver,6=tumor", {5: 1, 6: 2}),
        (" 5 = Liver , 6=TUMOUR,0=background", {5: 1, 6: 2, 0: 0}),
        ("5=1,6=2", {5: 1, 6: 2}),
    ],
)
def test_labels_are_given_in_words(text: str, mapping: dict[int, int]) -> None:
    assert parse_labels(text) == mapping


@pytest.mark.parametrize("text", ["", "5", "5=kidney", "liver=5", "5=liver,", "-1=liver", "5=3"])
def test_labels_that_make_no_sense_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(LiverSegError, match="5=liver,6=tumor"):
        parse_labels(text)


def test_a_value_can_be_named_only_once() -> None:
    with pytest.raises(LiverSegError, match="the value 5 twice"):
        parse_labels("5=liver,5=tumor")


def test_the_signature_is_of_values_and_names_alone() -> None:
    labels = FileLabel(1, "Liver", 100), FileLabel(2, "Mass", 3)
    same = FileLabel(2, "mass ", 77), FileLabel(1, "liver", 1)
    assert signature(labels) == signature(same)
    assert signature(labels) != signature((FileLabel(1, "Liver", 100), FileLabel(3, "Mass", 3)))
    assert signature(labels) != signature((FileLabel(1, "Liver", 100), FileLabel(2, "Other", 3)))
    assert "mass" not in signature(labels)


# Files that are no masks


def test_a_missing_mask_is_named(tmp_path: Path, scan: Volume) -> None:
    for name in ("m.nii.gz", "m.nrrd", "m.dcm", "MASKS_DICOM"):
        with pytest.raises(UnreadableFileError, match=r"does not exist\. Check the path\."):
            read_mask(tmp_path / name, scan)


@pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "m.nrrd", "m.mha", "m.dcm", "m.png"])
def test_a_foreign_file_is_named_with_a_remedy(tmp_path: Path, scan: Volume, name: str) -> None:
    (tmp_path / name).write_text("this is no mask")
    with pytest.raises(UnreadableFileError) as refusal:
        read_mask(tmp_path / name, scan)
    assert name in str(refusal.value)
    assert str(refusal.value).count(". ") >= 1


@pytest.mark.parametrize("name", ["m.nii", "m.nii.gz", "m.nrrd", "m.mha"])
def test_a_mask_that_is_cut_short_is_refused(tmp_path: Path, scan: Volume, name: str) -> None:
    path = (nifti if ".nii" in name else written)(tmp_path / name, LABELS)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UnreadableFileError, match="damaged"):
        read_mask(path, scan)


def test_several_volumes_are_no_mask(tmp_path: Path, scan: Volume) -> None:
    both = np.stack([LABELS, LABELS], axis=3)
    with pytest.raises(UnreadableFileError, match=r"2 volumes.*file of its own"):
        read_mask(nifti(tmp_path / "m.nii", both), scan)
    joined = sitk.JoinSeries(image(LABELS), image(LABELS))
    sitk.WriteImage(joined, str(tmp_path / "m.mha"))
    with pytest.raises(UnreadableFileError, match=r"2 volumes.*file of its own"):
        read_mask(tmp_path / "m.mha", scan)
    once = nifti(tmp_path / "one.nii", LABELS[..., np.newaxis])
    np.testing.assert_array_equal(read_mask(once, scan).labels, LABELS)


def test_a_color_image_is_no_mask(tmp_path: Path, scan: Volume) -> None:
    color = np.zeros((*SHAPE[::-1], 3), np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(color, isVector=True), str(tmp_path / "m.mha"))
    with pytest.raises(UnreadableFileError, match="color or vector image, not a mask"):
        read_mask(tmp_path / "m.mha", scan)


# 3D-IRCADb-01


def structure(
    scan: Volume, inside: np.ndarray, folder: Path, positions: bool = True, named: str = "image_{}"
) -> None:
    """A folder of DICOM slices with 255 inside, named as the data set does."""
    as_volume = Volume(np.where(inside, 255, 0).astype(np.int16), scan.grid, scan.origin)
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder.with_name(f"{folder.name} as CT")
    write_dicom_series(as_volume, whole)
    for n, file in enumerate(sorted(whole.iterdir())):
        slice_ = pydicom.dcmread(file)
        slice_.PixelData = (slice_.pixel_array - 1024).astype(np.uint8).tobytes()
        slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 8, 8, 7
        slice_.PixelRepresentation = 0
        del slice_.RescaleIntercept, slice_.RescaleSlope
        if not positions:
            del slice_.ImagePositionPatient
        slice_.save_as(folder / named.format(n))
        file.unlink()
    whole.rmdir()


@pytest.fixture
def ircadb(phantom: Phantom, tmp_path: Path) -> Path:
    patient = tmp_path / "3Dircadb1.5"
    write_dicom_series(phantom.volume, patient / "PATIENT_DICOM")
    for n, file in enumerate(sorted((patient / "PATIENT_DICOM").iterdir())):
        file.rename(file.with_name(f"image_{n}"))
    truth = phantom.truth.labels
    masks = patient / "MASKS_DICOM"
    low = np.arange(truth.shape[2]) < 20
    structure(phantom.volume, truth > 0, masks / "liver")
    structure(phantom.volume, (truth == 2) & low, masks / "livertumor01")
    structure(phantom.volume, (truth == 2) & ~low, masks / "livertumors")
    structure(phantom.volume, truth == 0, masks / "livercyst")
    structure(phantom.volume, truth == 0, masks / "portalvein")
    (masks / "liver" / ".DS_Store").write_text("no slice")
    return patient


def test_an_ircadb_patient_has_liver_and_tumors(ircadb: Path, phantom: Phantom) -> None:
    scan = open_scan(ircadb / "PATIENT_DICOM")
    for folder in (ircadb / "MASKS_DICOM", ircadb):
        np.testing.assert_array_equal(read_mask(folder, scan).labels, phantom.truth.labels)


def test_ircadb_masks_without_positions_take_those_of_the_scan(
    ircadb: Path, phantom: Phantom
) -> None:
    scan = open_scan(ircadb / "PATIENT_DICOM")
    for name in ("livertumor01", "livertumors"):
        for file in (ircadb / "MASKS_DICOM" / name).iterdir():
            file.unlink()
        (ircadb / "MASKS_DICOM" / name).rmdir()
    liver = ircadb / "MASKS_DICOM" / "liver"
    structure(phantom.volume, phantom.truth.labels > 0, liver, positions=False)
    np.testing.assert_array_equal(read_mask(liver.parent, scan).labels, phantom.truth.labels > 0)


def test_a_missing_or_damaged_ircadb_slice_is_told(ircadb: Path) -> None:
    scan = open_scan(ircadb / "PATIENT_DICOM")
    one = ircadb / "MASKS_DICOM" / "liver" / "image_20"
    whole = one.read_bytes()
    one.write_bytes(whole[:-100])
    with pytest.raises(UnreadableFileError, match=r"image_20.*Unpack"):
        read_mask(ircadb, scan)
    one.unlink()
    with pytest.raises(UnreadableFileError, match=r"liver holds 47 of the scan's 48 slices"):
        read_mask(ircadb, scan)


def test_a_folder_without_a_liver_is_no_mask(tmp_path: Path, scan: Volume) -> None:
    (tmp_path / "spleen").mkdir()
    with pytest.raises(UnreadableFileError, match=r"holds no mask.*MASKS_DICOM"):
        read_mask(tmp_path, scan)
    (tmp_path / "liver").mkdir()
    with pytest.raises(UnreadableFileError, match=r"liver holds no slices"):
        read_mask(tmp_path, scan)


def test_an_ircadb_mask_of_another_patient_is_refused(ircadb: Path, phantom: Phantom) -> None:
    moved = phantom.volume.affine.matrix.copy()
    moved[2, 3] += 100 * 4.5
    grid = StoredGrid(phantom.volume.shape, Affine(moved))
    other = Volume(np.array(phantom.volume.hu), grid, phantom.volume.origin)
    with pytest.raises(GridMismatchError, match="slices lie elsewhere"):
        read_mask(ircadb, other)


# Scans that were resampled


def uneven(depths_mm: tuple[float, ...], drift_mm: float = 0.0) -> Volume:
    """A scan resampled from slices of 12 x 10 pixels at `depths_mm`, each `drift_mm` aside a mm."""
    affines = []
    for depth in depths_mm:
        matrix = np.diag([2.0, 2.0, 1.0, 1.0])
        matrix[1:3, 3] = drift_mm * depth, depth
        affines.append(Affine(matrix))
    grid = even_grid((12, 10), affines)
    names = tuple(f"s{n}" for n in range(len(affines)))
    slices = SourceSlices(names, (12, 10), tuple(affines))
    origin = Origin(Path("x"), "uneven", source_slices=slices)
    shape = grid.to_ras(np.broadcast_to(np.uint8(0), grid.shape)).shape
    return Volume(np.zeros(shape, np.int16), grid, origin)


def slice_files(scan: Volume, images: list[np.ndarray], folder: Path) -> Path:
    """Each source slice's labels as an IRCADb folder of liver, in files of their own."""
    slices = scan.origin.source_slices
    assert slices is not None
    for n, (affine, inside) in enumerate(zip(slices.affines, images, strict=True)):
        grid = StoredGrid((12, 10, 1), affine)
        one = Volume(np.zeros((12, 10, 1), np.int16), grid, Origin(Path("x"), f"slice {n}"))
        structure(one, grid.to_ras(inside[:, :, np.newaxis]), folder / "liver", named=f"image_{n}")
    return folder


def test_a_mask_on_uneven_slices_takes_the_nearest_slice(tmp_path: Path) -> None:
    depths = (0.0, 3.0, 6.0, 18.0)
    scan = uneven(depths)
    assert scan.shape == (12, 10, 7)
    images = [np.zeros((12, 10), bool) for _ in depths]
    for n, image_ in enumerate(images):
        image_[n + 1, 2] = True
    mask = read_mask(slice_files(scan, images, tmp_path), scan)
    got = [int(np.flatnonzero(mask.labels[:, 2, k])[0]) - 1 for k in range(7)]
    assert got[:4] == [0, 1, 2, 2]
    assert got[5:] == [3, 3]
    assert np.count_nonzero(mask.labels) == 7


def test_a_mask_on_tilted_slices_is_brought_upright(tmp_path: Path) -> None:
    depths = tuple(5.0 * n for n in range(5))
    scan = uneven(depths, drift_mm=0.4)  # a pixel a slice
    assert scan.shape == (12, 14, 5)
    images = [np.zeros((12, 10), bool) for _ in depths]
    for image_ in images:
        image_[3, 4] = True
    mask = read_mask(slice_files(scan, images, tmp_path), scan)
    assert np.argwhere(mask.labels).tolist() == [[3, 4 + k, k] for k in range(5)]
    for k, depth in enumerate(depths):
        np.testing.assert_allclose(scan.affine.to_mm((3, 4 + k, k)), (6, 8 + 0.4 * depth, depth))


def test_a_nifti_mask_on_the_sheared_grid_of_its_scan_is_brought_upright(tmp_path: Path) -> None:
    matrix = np.diag([2.0, 2.0, 5.0, 1.0])
    matrix[1, 2] = 2.0
    hu = np.random.default_rng(0).integers(-1000, 1000, (12, 10, 5)).astype(np.int16)
    scan = open_scan(nifti(tmp_path / "scan.nii", hu, matrix))
    assert scan.origin.source_slices is not None
    labels = np.random.default_rng(1).integers(0, 3, (12, 10, 5)).astype(np.uint8)
    mask = read_mask(nifti(tmp_path / "m.nii", labels, matrix), scan)
    for k in range(5):
        np.testing.assert_array_equal(mask.labels[:, k : k + 10, k], labels[:, :, k])
        back = scan.origin.source_slices.labels(mask, k)
        np.testing.assert_array_equal(back, labels[:, :, k])


def test_a_mask_on_the_even_grid_of_a_resampled_scan_is_read_too(tmp_path: Path) -> None:
    scan = uneven((0.0, 3.0, 6.0, 18.0))
    labels = np.random.default_rng(1).integers(0, 3, scan.shape).astype(np.uint8)
    path = nifti(tmp_path / "m.nii", scan.grid.to_stored(labels), scan.grid.affine.matrix)
    np.testing.assert_array_equal(read_mask(path, scan).labels, labels)


@pytest.mark.real_data
def test_a_real_label_map_of_many_organs_is_asked_about(real_data: Path) -> None:
    scan = open_scan(real_data / "nifti" / "example_ct_sm.nii.gz")
    path = real_data / "nifti" / "example_seg.nii.gz"
    with pytest.raises(UnknownLabelsError) as question:
        read_mask(path, scan)
    liver = next(label for label in question.value.labels if label.value == 5)
    mask = read_mask(path, scan, parse_labels("5=liver"))
    assert np.count_nonzero(mask.labels) == liver.voxels > 0


def test_a_mask_on_the_file_fits_a_scan_whose_geometry_was_stated(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-1000, 200, (6, 7, 8)).astype(np.int16)
    labels = (values > 0).astype(np.uint8)
    for name, data in (("scan", values), ("mask", labels)):
        nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / f"{name}.nii")
    volume = with_geometry(open_scan(tmp_path / "scan.nii"), (0.7, 0.7, 2.5))
    mask = read_mask(tmp_path / "mask.nii", volume)
    np.testing.assert_array_equal(mask.labels, volume.hu > 0)
    assert mask.affine.spacing_mm == pytest.approx((0.7, 0.7, 2.5))


def test_an_empty_mask_whose_file_names_its_labels_is_an_empty_mask(tmp_path: Path) -> None:
    (tmp_path / "labelsTr").mkdir()
    (tmp_path / "imagesTr").mkdir()
    names = '{"labels": {"0": "background", "1": "liver", "2": "cancer"}}'
    (tmp_path / "dataset.json").write_text(names)
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    grid = np.diag([1.0, 1, 2, 1])
    nib.save(nib.Nifti1Image(values, grid), tmp_path / "imagesTr" / "a.nii.gz")
    nib.save(nib.Nifti1Image(np.zeros_like(values), grid), tmp_path / "labelsTr" / "a.nii.gz")
    volume = open_scan(tmp_path / "imagesTr" / "a.nii.gz")
    assert not read_mask(tmp_path / "labelsTr" / "a.nii.gz", volume).labels.any()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Liver with tumor", 1),
        ("Liver + tumor", 1),
        ("whole liver including tumour", 1),
        ("Leber mit Tumor", 1),
        ("Lymph node metastasis", 2),
        ("prostate cancer", 2),
        ("Hepatic flexure", 1),
    ],
)
def test_a_name_that_says_more_than_one_thing_is_asked_about(name: str, label: int) -> None:
    assert meaning(name) == (label, False)
