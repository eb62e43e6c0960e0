from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.measure import measure
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.formats.nifti_write import save_mask
from liverseg_gui.io.masks.label_values import name_of_class
from liverseg_gui.io.masks.read import UnknownLabelsError, read_as_before, read_mask
from tests.io.masks.test_read import LABELS, MATRIX, SHAPE, image, nifti, seg_nrrd

SWAPPED = {1: "Tumour", 2: "Liver"}
ORGANS = {1: "spleen", 2: "kidney_right"}
Names = dict[int, str]
Write = Callable[[Path, np.ndarray, Names], Path]


@pytest.fixture
def scan(tmp_path: Path) -> Volume:
    grid = StoredGrid(SHAPE, Affine(MATRIX))
    return Volume(np.zeros(SHAPE, np.int16), grid, Origin(tmp_path / "ct.nii.gz"))


def with_extension(path: Path, values: np.ndarray, content: str, code: int = 0) -> Path:
    made = nib.Nifti1Image(values, MATRIX)
    made.header.extensions.append(nib.nifti1.Nifti1Extension(code, content.encode()))
    made.to_filename(path)
    return path


def label_table(folder: Path, values: np.ndarray, names: Names, cdata: bool = False) -> Path:
    """As TotalSegmentator writes it, with nibabel or with xmltodict."""
    rows = "".join(
        f'<Label Key="{n}" Red="1" Alpha="1">{f"<![CDATA[{name}]]>" if cdata else name}</Label>\n'
        for n, name in ((0, "???"), *names.items())
    )
    xml = f"<CaretExtension><VolumeInformation><LabelTable>{rows}</LabelTable></VolumeInformation>"
    return with_extension(folder / "m.nii.gz", values, f'<?xml version="1.0"?>{xml}')


def cdata_table(folder: Path, values: np.ndarray, names: Names) -> Path:
    return label_table(folder, values, names, cdata=True)


def json_extension(folder: Path, values: np.ndarray, names: Names) -> Path:
    text = json.dumps({"labels": {str(n): name for n, name in names.items()}})
    return with_extension(folder / "m.nii", values, text, 6)


def text_extension(folder: Path, values: np.ndarray, names: Names) -> Path:
    text = "\n".join(f"{n}: {name}" for n, name in names.items())
    return with_extension(folder / "m.nii", values, text, 6)


def described(folder: Path, values: np.ndarray, names: Names) -> Path:
    made = nib.Nifti1Image(values, MATRIX)
    made.header["descrip"] = "labels: " + ", ".join(f"{n} {name}" for n, name in names.items())
    made.to_filename(folder / "m.nii")
    return folder / "m.nii"


def mitk(folder: Path, values: np.ndarray, names: Names) -> Path:
    rows = [{"name": name, "value": n, "visible": True} for n, name in names.items()]
    groups = json.dumps([{"labels": rows}])
    notes = {
        "modality": "org.mitk.multilabel.segmentation",
        "org.mitk.multilabel.segmentation.labelgroups": groups,
    }
    return seg_nrrd(folder / "m.nrrd", values, notes)


def older_mitk(folder: Path, values: np.ndarray, names: Names) -> Path:
    notes = {
        f"org_mitk_label_000_0000{n}": f'<Label><property key="name" type="StringProperty">'
        f'<string value="{name}"/></property><property key="value" type="UIntProperty">'
        f'<uint value="{n}"/></property></Label>'
        for n, name in names.items()
    }
    return seg_nrrd(folder / "m.nrrd", values, {"modality": "org.mitk.image.multilabel", **notes})


def numbered(folder: Path, values: np.ndarray, names: Names) -> Path:
    return seg_nrrd(
        folder / "m.nrrd", values, {f"Label_{n}_name": name for n, name in names.items()}
    )


def meta_fields(folder: Path, values: np.ndarray, names: Names) -> Path:
    sitk.WriteImage(image(values), str(folder / "m.mha"))
    text = "".join(f"Label{n} = {name}\n" for n, name in names.items()).encode()
    body = (folder / "m.mha").read_bytes()
    (folder / "m.mha").write_bytes(body.replace(b"ElementDataFile", text + b"ElementDataFile", 1))
    return folder / "m.mha"


def beside(name: str, line: str, head: str = "") -> Write:
    def write(folder: Path, values: np.ndarray, names: Names) -> Path:
        lines = [head] if head else []
        lines += [line.format(n, text) for n, text in names.items()]
        (folder / name).write_text("\n".join(lines) + "\n")
        return nifti(folder / "m.nii.gz", values)

    return write


def in_json(name: str, key: str | None) -> Write:
    def write(folder: Path, values: np.ndarray, names: Names) -> Path:
        plain = {str(n): text for n, text in names.items()}
        (folder / name).write_text(json.dumps({key: plain} if key else plain))
        return nifti(folder / "m.nii.gz", values)

    return write


FORMS = [
    *(label_table, cdata_table, json_extension, text_extension, described),
    *(mitk, older_mitk, numbered, meta_fields),
    beside("m.label", '  {0}  255 0 0  1 1 1  "{1}"', "# ITK-SnAP Label Description File"),
    beside("m.ctbl", "{0} {1} 128 174 128 255", "# Color table file"),
    beside("m.txt", "{0} {1}"),
    beside("m.tsv", "{0}\t{1}\t#ff0000", "index\tname\tcolor"),
    *(in_json("m.json", "labels"), in_json("m.json", None), in_json("dataset.json", "labels")),
]


@pytest.mark.parametrize("write", FORMS)
def test_names_in_or_beside_the_file_are_obeyed(tmp_path: Path, scan: Volume, write: Write) -> None:
    mask = read_mask(write(tmp_path, LABELS, SWAPPED), scan)
    np.testing.assert_array_equal(mask.labels, np.array([0, 2, 1], np.uint8)[LABELS])
    (issue,) = mask.issues
    assert (issue.code, issue.severity.value) == ("labels-by-name", "info")
    assert "1 is tumor, 2 is liver" in issue.message


@pytest.mark.parametrize("write", FORMS)
def test_a_mask_of_other_organs_is_never_read_as_liver(
    tmp_path: Path, scan: Volume, write: Write
) -> None:
    path = write(tmp_path, LABELS, ORGANS)
    with pytest.raises(UnknownLabelsError, match=r"1 \(spleen\), 2 \(kidney.right\)") as question:
        read_mask(path, scan)
    assert "1=liver" not in str(question.value)
    assert set(question.value.proposal.values()) == {0}


@pytest.mark.parametrize(
    ("liver", "tumor"),
    [
        ("Leber", "Lebermetastase"),
        ("foie", "tumeur du foie"),
        ("hígado", "lesión"),
        ("HEPAR", "HCC"),
    ],
)
def test_names_in_other_languages_are_known(
    tmp_path: Path, scan: Volume, liver: str, tumor: str
) -> None:
    path = label_table(tmp_path, np.where(LABELS, LABELS + 6, 0), {7: liver, 8: tumor})
    np.testing.assert_array_equal(read_mask(path, scan).labels, LABELS)


@pytest.mark.parametrize("text", ["", "<Label Key=", "{", '{"labels": 3}', "[1, 2]", "[[]]", "1"])
def test_what_names_nothing_does_not_spoil_a_mask(tmp_path: Path, scan: Volume, text: str) -> None:
    path = with_extension(tmp_path / "m.nii", LABELS, text)
    (tmp_path / "m.json").write_text(text)
    (tmp_path / "m.txt").write_text("2 tumors were seen by the radiologist, the largest in 7")
    assert read_mask(path, scan).issues == ()


def test_a_report_beside_a_mask_names_no_labels(tmp_path: Path, scan: Volume) -> None:
    (tmp_path / "m.json").write_text('{"liver_ml": 3, "lesions": [], "warnings": ["1 liver"]}')
    assert read_mask(nifti(tmp_path / "m.nii", LABELS), scan).issues == ()


def test_a_saved_mask_says_what_its_values_mean_whatever_it_is_called(
    tmp_path: Path, scan: Volume
) -> None:
    save_mask(LabelMap(LABELS.copy(), scan.grid), scan.origin, tmp_path / "spleen.nii.gz")
    mask = read_mask(tmp_path / "spleen.nii.gz", scan)
    np.testing.assert_array_equal(mask.labels, LABELS)
    assert mask.issues == ()


# One file for each structure


def single(folder: Path, name: str, value: int = 1) -> Path:
    return nifti(folder / name, np.where(LABELS == 2, value, 0).astype(np.uint8))


@pytest.mark.parametrize(
    "name",
    [
        "liver_tumor.nii.gz",
        "Tumor.nii",
        "lesion.nii.gz",
        "LiverLesions.nii",
        "ct_livertumor.nii.gz",
    ],
)
@pytest.mark.parametrize("value", [1, 255])
def test_a_file_that_is_called_tumor_holds_tumor_and_the_report_says_so(
    tmp_path: Path, scan: Volume, name: str, value: int
) -> None:
    mask = read_mask(single(tmp_path, name, value), scan)
    np.testing.assert_array_equal(mask.labels, np.where(LABELS == 2, 2, 0))
    told = measure(scan, mask).warnings
    assert any(f"By what it is called, label {value} is tumor." in text for text in told)


@pytest.mark.parametrize(
    "name",
    [
        "spleen.nii.gz",
        "kidney_left.nii",
        "gallbladder.nii.gz",
        "ct_spleen.nii",
        "liver_vessels.nii",
    ],
)
@pytest.mark.parametrize("values", [1, 2])
def test_a_file_that_is_called_like_another_organ_is_asked_about(
    tmp_path: Path, scan: Volume, name: str, values: int
) -> None:
    path = nifti(tmp_path / name, LABELS if values == 2 else LABELS // 2)
    with pytest.raises(UnknownLabelsError, match="--labels N=liver"):
        read_mask(path, scan)
    np.testing.assert_array_equal(read_mask(path, scan, {1: 1}).labels > 0, read(path) == 1)


def read(path: Path) -> np.ndarray:
    return np.asanyarray(nib.load(path).dataobj)


def test_a_mask_in_a_folder_of_another_organ_is_asked_about(tmp_path: Path, scan: Volume) -> None:
    with pytest.raises(UnknownLabelsError, match="pancreas"):
        read_mask(nifti(tmp_path / "pancreas" / "case1.nii.gz", LABELS), scan)


@pytest.mark.parametrize(
    "name",
    ["liver.nii.gz", "liver_006_mask.nii.gz", "hcc_006.nii.gz", "portal_venous.nii", "m.nii.gz",
     "segmentation-12.nii", "patient3_liver.nii.gz", "liver_tumor_both.nii.gz"],
)  # fmt: skip
def test_the_name_of_most_files_says_nothing(tmp_path: Path, scan: Volume, name: str) -> None:
    mask = read_mask(nifti(tmp_path / name, LABELS), scan)
    np.testing.assert_array_equal(mask.labels, LABELS)
    assert mask.issues == ()


@pytest.mark.parametrize(
    ("of_scan", "of_mask"),
    [
        ("liver_tumor_7.nii.gz", "liver_tumor_7.nii.gz"),
        ("liver_tumor_7.nii.gz", "liver_tumor_7_seg.nii.gz"),
        ("spleen_12.nii.gz", "spleen_12_mask.nii.gz"),
        ("hcc_006", "hcc_006_liver.nii.gz"),
    ],
)
def test_what_the_scan_is_called_says_nothing_of_its_mask(
    tmp_path: Path, of_scan: str, of_mask: str
) -> None:
    grid = StoredGrid(SHAPE, Affine(MATRIX))
    scan = Volume(np.zeros(SHAPE, np.int16), grid, Origin(tmp_path / "scans" / of_scan))
    mask = read_mask(single(tmp_path, of_mask), scan)
    np.testing.assert_array_equal(mask.labels, LABELS == 2)
    assert mask.issues == ()


@pytest.mark.parametrize(
    ("stem", "named"),
    [
        ("kidney_right", "kidney"),
        ("inferior_vena_cava", "vena cava"),
        ("rib_left_1", "rib"),
        ("Milz", "milz"),
        ("Lebertumoren", "tumor"),
        ("liver_without_tumor", "liver"),
        ("liver-minus-lesions", "liver"),
        ("Leber_ohne_Tumor", "liver"),
        ("liver_without_vessels", "liver"),
        ("non_tumor_liver", "liver"),
        ("tumor_free_liver", "liver"),
        ("HCC", "tumor"),
        ("hcc_006", ""),
        ("TCGA-BC-4073", ""),
        ("arterial", ""),
        ("Delivery", ""),
    ],
)
def test_only_whole_words_of_a_file_name_count(stem: str, named: str) -> None:
    assert name_of_class(stem) == named


def test_what_was_said_of_another_organ_before_is_told_beside_every_figure(
    scan: Volume, tmp_path: Path
) -> None:
    path = label_table(tmp_path, LABELS, ORGANS)
    with pytest.raises(UnknownLabelsError) as question:
        read_mask(path, scan)
    mask = read_as_before(question.value, scan, {1: 1, 2: 2})
    assert any("calls it spleen and kidney_right" in text for text in mask.warnings)
