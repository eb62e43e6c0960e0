"""Values of DICOM files: HU where the files say how, and the true reason where they do not."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGLSLossless, JPEGLSNearLossless

from liverseg_gui.core.errors import LiverSegError, UnreadableFileError, UnsupportedFileError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.header_reader import SWAPPED_PIXELS, person
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.scans import list_volumes, open_scan
from tests.io.dicom_files import SLICES, change, copy, enhanced


@pytest.fixture(scope="module")
def series(phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom")
    write_dicom_series(phantom.volume, folder)
    return folder


@pytest.fixture
def hu(phantom: Phantom) -> np.ndarray:
    return phantom.volume.hu[:, :, :SLICES]


def codes(volume: Volume) -> list[str]:
    return [issue.code for issue in volume.issues]


def message(volume: Volume, code: str) -> str:
    (found,) = [str(issue) for issue in volume.issues if issue.code == code]
    return found


def stored(image: Dataset) -> np.ndarray:
    return np.asarray(image.pixel_array).astype(np.int32)


def edit(files: list[Path], how: Callable[[pydicom.FileDataset], None]) -> None:
    for file in files:
        image = pydicom.dcmread(file)
        how(image)
        image.save_as(file)


def with_table(values: np.ndarray, first: int, vr: str, kind: str = "HU") -> Dataset:
    table = Dataset()
    table.add_new("LUTDescriptor", vr, [len(values), first, 16])
    table.ModalityLUTType = kind
    table.add_new("LUTData", "OW", values.astype("<i2").tobytes())
    return table


@pytest.mark.parametrize("signed", [0, 1])
def test_a_table_in_place_of_slope_and_intercept_gives_the_values(
    series: Path, tmp_path: Path, hu: np.ndarray, signed: int
) -> None:
    first = -512 if signed else 0

    def tabled(image: pydicom.FileDataset) -> None:
        pixels = (stored(image) - 1024) // 2 + (0 if signed else 512)
        image.PixelData = pixels.astype("<i2").tobytes()
        image.PixelRepresentation = signed
        values = np.arange(-512, 1024) * 2
        image.ModalityLUTSequence = [with_table(values, first, "SS" if signed else "US")]
        del image.RescaleSlope, image.RescaleIntercept, image.RescaleType

    edit(copy(series, tmp_path), tabled)
    volume = open_scan(tmp_path)
    np.testing.assert_array_equal(volume.hu, np.maximum(hu // 2 * 2, -1024))
    assert "rescale-missing" not in codes(volume)


def test_a_table_that_is_too_short_is_refused_by_name(series: Path, tmp_path: Path) -> None:
    def tabled(image: pydicom.FileDataset) -> None:
        table = with_table(np.arange(8), 0, "US")
        table.LUTDescriptor = [64, 0, 16]
        image.ModalityLUTSequence = [table]

    edit(copy(series, tmp_path), tabled)
    with pytest.raises(UnsupportedFileError, match="Modality LUT"):
        open_scan(tmp_path)


@pytest.mark.parametrize("unit", ["MGML", "Z_EFF", "OD", "PCT"])
def test_values_that_the_files_give_in_another_unit_are_no_hu(
    series: Path, tmp_path: Path, unit: str
) -> None:
    for file in copy(series, tmp_path):
        change(file, RescaleType=unit)
    volume = open_scan(tmp_path)
    assert unit in message(volume, "other-unit")
    assert volume.no_hu is not None
    assert unit in " ".join(volume.warnings)


@pytest.mark.parametrize(
    "values",
    [
        {"ImageType": ["DERIVED", "PRIMARY", "AXIAL", "IODINE"], "RescaleType": "HU"},
        {"SeriesDescription": "Iodine (Water)"},
        {"SeriesDescription": "Z Eff."},
    ],
)
def test_maps_of_a_material_are_no_hu(series: Path, tmp_path: Path, values: dict) -> None:
    for file in copy(series, tmp_path):
        change(file, **values)
    assert open_scan(tmp_path).no_hu is not None


@pytest.mark.parametrize("unit", ["HU", "US", "", None])
def test_a_ct_that_says_hu_or_nothing_is_in_hu(
    series: Path, tmp_path: Path, unit: str | None
) -> None:
    for file in copy(series, tmp_path):
        change(file, RescaleType=unit)
    assert open_scan(tmp_path).no_hu is None


def test_a_mapping_to_another_unit_counts_where_nothing_else_is_said(
    series: Path, tmp_path: Path
) -> None:
    def mapped(image: pydicom.FileDataset) -> None:
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "mg/cm3", "UCUM", "mg/cm3"
        mapping = Dataset()
        mapping.MeasurementUnitsCodeSequence = [code]
        image.RealWorldValueMappingSequence = [mapping]
        del image.RescaleType

    edit(copy(series, tmp_path), mapped)
    assert "mg/cm3" in message(open_scan(tmp_path), "other-unit")


def test_the_unit_of_an_enhanced_ct_is_that_of_its_frames(series: Path, tmp_path: Path) -> None:
    path = enhanced(copy(series, tmp_path / "parts"), tmp_path / "enhanced.dcm")
    image = pydicom.dcmread(path)
    for group in image.PerFrameFunctionalGroupsSequence:
        group.PixelValueTransformationSequence[0].RescaleType = "MGML"
    image.save_as(path)
    assert open_scan(path).no_hu is not None


def padded(files: list[Path], signed: int, tag: bool = True) -> np.ndarray:
    """Write -2000 into the corner of each slice; the mask of it, (column, row)."""
    corner = np.zeros((128, 128), bool)
    corner[:20, :30] = True

    def pad(image: pydicom.FileDataset) -> None:
        pixels = stored(image)
        pixels[corner] = -2000
        image.PixelData = pixels.astype("<i2").tobytes()
        image.PixelRepresentation = signed
        if tag:
            image.add_new("PixelPaddingValue", "SS" if signed else "US", -2000 if signed else 63536)

    edit(files, pad)
    return corner


@pytest.mark.parametrize("tag", [True, False])
@pytest.mark.parametrize("signed", [1, 0])
def test_padding_below_air_is_air_also_where_numbers_have_no_sign(
    series: Path, tmp_path: Path, hu: np.ndarray, signed: int, tag: bool
) -> None:
    corner = padded(copy(series, tmp_path), signed, tag)
    volume = open_scan(tmp_path)
    seen = volume.grid.to_stored(volume.hu).transpose(1, 0, 2)
    assert (seen[corner] == -1024).all()
    expected = volume.grid.to_stored(hu).transpose(1, 0, 2)
    np.testing.assert_array_equal(seen[~corner], expected[~corner])
    assert "padding" in codes(volume)
    assert "absurd-hu" not in codes(volume)


def test_a_range_of_padding_is_air_but_for_tissue_in_it(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    files = copy(series, tmp_path)
    corner = padded(files, 1)
    edit(files, lambda image: image.add_new("PixelPaddingRangeLimit", "SS", 1024 + 40))
    volume = open_scan(tmp_path)
    assert (volume.grid.to_stored(volume.hu).transpose(1, 0, 2)[corner] == -1024).all()
    np.testing.assert_array_equal(volume.hu[hu > -200], hu[hu > -200])


def test_values_beyond_all_hu_are_counted(series: Path, tmp_path: Path) -> None:
    def wild(image: pydicom.FileDataset) -> None:
        pixels = stored(image)
        pixels[:2] = 64900
        image.PixelData, image.PixelRepresentation = pixels.astype("<u2").tobytes(), 0

    edit(copy(series, tmp_path), lambda image: (setattr(image, "RescaleSlope", 1), wild(image)))
    edit(sorted(tmp_path.iterdir()), lambda image: setattr(image, "RescaleIntercept", 0))
    assert "absurd-hu" in codes(open_scan(tmp_path))


def compressed(image: pydicom.FileDataset, near: int = 0) -> None:
    import jpeg_ls

    pixels = stored(image).astype(np.uint16)
    packed = bytes(jpeg_ls.encode_array(pixels, lossy_error=near))
    image.PixelRepresentation = 0
    image.file_meta.TransferSyntaxUID = JPEGLSNearLossless if near else JPEGLSLossless
    image.PixelData = encapsulate([packed])
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True


@pytest.mark.parametrize("near", [0, 4])
def test_a_loss_that_only_the_stream_tells_is_told(series: Path, tmp_path: Path, near: int) -> None:
    edit(copy(series, tmp_path), lambda image: compressed(image, near))
    assert ("lossy" in codes(open_scan(tmp_path))) == bool(near)


@pytest.mark.parametrize("called", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90"])
def test_frames_are_decoded_as_what_they_are_whatever_the_file_calls_them(
    series: Path, tmp_path: Path, hu: np.ndarray, called: str
) -> None:
    files = copy(series, tmp_path)
    edit(files, compressed)
    for file in files:
        raw = file.read_bytes()
        name = called.encode().ljust(len(JPEGLSLossless), b"\0")
        file.write_bytes(raw.replace(JPEGLSLossless.encode(), name, 1))
    volume = open_scan(tmp_path)
    np.testing.assert_array_equal(volume.hu, hu)
    assert "JPEG-LS" in message(volume, "transfer-syntax")


def test_a_stream_of_an_unknown_kind_is_not_called_damaged(series: Path, tmp_path: Path) -> None:
    def private(image: pydicom.FileDataset) -> None:
        compressed(image)
        image.PixelData = encapsulate([b"something of its own" * 40])
        image.file_meta.TransferSyntaxUID = UID("1.3.46.670589.33.1.4.1")

    edit(copy(series, tmp_path), private)
    with pytest.raises(UnsupportedFileError, match="compressed in a way"):
        open_scan(tmp_path)


def test_a_damaged_stream_is_called_damaged(series: Path, tmp_path: Path) -> None:
    def broken(image: pydicom.FileDataset) -> None:
        compressed(image)
        image.PixelData = encapsulate([b"\0" * 800])

    edit(copy(series, tmp_path), broken)
    with pytest.raises(UnreadableFileError, match="damaged"):
        open_scan(tmp_path)


def test_pixels_in_private_elements_are_named(series: Path, tmp_path: Path) -> None:
    def private(image: pydicom.FileDataset) -> None:
        pixels = bytes(image.PixelData)
        del image.PixelData
        image.add_new(0x07A10010, "LO", "ELSCINT1")
        image.add_new(0x07A1100A, "OB", pixels)
        image.add_new(0x07A11011, "CS", "PMSCT_RLE1")

    edit(copy(series, tmp_path), private)
    with pytest.raises(UnsupportedFileError, match=r"private form \(ELSCINT1 PMSCT_RLE1\)"):
        open_scan(tmp_path)


def test_a_header_without_pixels_is_named(series: Path, tmp_path: Path) -> None:
    edit(copy(series, tmp_path), lambda image: delattr(image, "PixelData"))
    with pytest.raises(UnsupportedFileError, match="no pixels"):
        open_scan(tmp_path)


def test_pixels_of_the_swapped_private_syntax_are_swapped_back(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    for file in copy(series, tmp_path):
        image = pydicom.dcmread(file)
        image.PixelData = stored(image).astype(">i2").tobytes()
        image.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2")
        image.save_as(file, implicit_vr=True, little_endian=True)
        raw = file.read_bytes()
        at = raw.index(b"1.2.840.10008.1.2\0")
        meta = raw[132 : at - 8]
        longer = SWAPPED_PIXELS.encode() + b"\0" * (len(SWAPPED_PIXELS) % 2)
        raw = raw[:132] + meta + raw[at - 8 : at - 2]
        rest = file.read_bytes()[at + 18 :]
        file.write_bytes(raw + len(longer).to_bytes(2, "little") + longer + rest)
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


@pytest.mark.parametrize(
    ("slope", "named"), [("0", "RescaleSlope is 0"), ("nan", "no number"), ("", "no number")]
)
def test_a_slope_that_cannot_be_is_named(
    series: Path, tmp_path: Path, hu: np.ndarray, slope: str, named: str
) -> None:
    for file in copy(series, tmp_path):
        raw = file.read_bytes()
        at = raw.index(b"\x28\x00\x53\x10DS")
        end = at + 8 + int.from_bytes(raw[at + 6 : at + 8], "little")
        text = slope.encode().ljust(len(slope) + len(slope) % 2)
        length = len(text).to_bytes(2, "little")
        file.write_bytes(raw[: at + 6] + length + text + raw[end:])
    volume = open_scan(tmp_path)
    assert named in message(volume, "rescale-missing")
    np.testing.assert_array_equal(volume.hu, hu)


def test_slices_without_rescale_take_that_of_the_others_and_say_so(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    for file in copy(series, tmp_path)[4:7]:
        change(file, RescaleSlope=None, RescaleIntercept=None)
    volume = open_scan(tmp_path)
    np.testing.assert_array_equal(volume.hu, hu)
    assert "3 of 12 slices" in message(volume, "rescale-missing")
    assert "3 of 12 slices" in " ".join(volume.warnings)


def test_slices_without_rescale_among_others_that_differ_are_refused(
    series: Path, tmp_path: Path
) -> None:
    files = copy(series, tmp_path)
    change(files[3], RescaleSlope=None, RescaleIntercept=None)
    change(files[4], RescaleSlope=2)
    with pytest.raises(UnreadableFileError, match="1 of 12 slices does not say"):
        open_scan(tmp_path)


def test_a_series_without_rescale_is_doubted(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(file, RescaleSlope=None, RescaleIntercept=None)
    volume = open_scan(tmp_path)
    assert "rescale-missing" in codes(volume)
    assert volume.no_hu is not None


def test_frames_without_rescale_take_that_of_the_others(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    path = enhanced(copy(series, tmp_path / "parts"), tmp_path / "enhanced.dcm")
    image = pydicom.dcmread(path)
    del image.PerFrameFunctionalGroupsSequence[5].PixelValueTransformationSequence
    image.save_as(path)
    volume = open_scan(path)
    np.testing.assert_array_equal(volume.hu, hu)
    assert "rescale-missing" in codes(volume)


def test_values_at_the_upper_bits_are_moved_down(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    def shifted(image: pydicom.FileDataset) -> None:
        image.PixelData = (stored(image) << 4).astype("<u2").tobytes()
        image.BitsStored, image.HighBit, image.PixelRepresentation = 12, 15, 0

    edit(copy(series, tmp_path), shifted)
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def test_signs_through_all_bits_mean_that_all_bits_count(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    def narrow(image: pydicom.FileDataset) -> None:
        image.PixelData = (stored(image) - 1024).astype("<i2").tobytes()
        image.RescaleIntercept, image.PixelRepresentation = 0, 1
        image.BitsStored, image.HighBit = 8, 7

    edit(copy(series, tmp_path), narrow)
    volume = open_scan(tmp_path)
    np.testing.assert_array_equal(volume.hu[:, :, 1:], hu[:, :, 1:])


def test_pixels_that_are_fractions_are_read(series: Path, tmp_path: Path, hu: np.ndarray) -> None:
    def fractions(image: pydicom.FileDataset) -> None:
        pixels = stored(image).astype("<f4")
        del image.PixelData, image.PixelRepresentation
        image.FloatPixelData = pixels.tobytes()
        image.BitsAllocated = 32
        del image.BitsStored, image.HighBit

    edit(copy(series, tmp_path), fractions)
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def test_a_full_disk_for_temporary_files_is_not_called_damage(
    series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(copy(series, tmp_path), compressed)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(LiverSegError, match="Free some space") as refusal:
        open_scan(tmp_path)
    assert "damaged" not in str(refusal.value)


def test_a_slice_that_may_not_be_read_is_not_called_damaged(
    series: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy(series, tmp_path)
    (entry,) = list_volumes(tmp_path)

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "x")

    monkeypatch.setattr(np, "fromfile", denied)
    with pytest.raises(UnreadableFileError, match="permissions") as refusal:
        entry.read(Progress())
    assert "damaged" not in str(refusal.value)


@pytest.mark.parametrize(
    ("charset", "raw", "shown"),
    [
        ("GB18030", "测试^患者".encode("gb18030"), "测试, 患者"),
        ("GBK", "测试^患者".encode("gbk"), "测试, 患者"),
        ("\\ISO 2022 IR 87", b"=" + "山田^太郎".encode("iso2022_jp"), "山田, 太郎"),
        ("ISO_IR 192", "=王^丽".encode(), "王, 丽"),
        ("ISO_IR_192", "Łukasz^Żak".encode(), "Łukasz, Żak"),
        ("ISO_IR 100", "Müller^Jörg".encode(), "Müller, Jörg"),
        ("ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Müller, Jörg"),
        ("", b"Muster^Paula", "Muster, Paula"),
    ],
)
@pytest.mark.parametrize("quick", [True, False])
def test_names_are_shown_in_the_writing_the_file_states(
    series: Path, tmp_path: Path, charset: str, raw: bytes, shown: str, quick: bool
) -> None:
    (file,) = copy(series, tmp_path, 1)
    change(file, PatientName="A^B", SpecificCharacterSet="ISO_IR 100")
    if not quick:
        change(file, ModalityLUTSequence=[with_table(np.arange(4096), 0, "US")])

    def element(start: bytes, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        return start + len(value).to_bytes(2, "little") + value

    data = file.read_bytes()
    old = element(b"\x08\0\x05\0CS", b"ISO_IR 100")
    assert old in data
    data = data.replace(old, element(b"\x08\0\x05\0CS", charset.encode()))
    name = element(b"\x10\0\x10\0PN", b"A^B")
    assert name in data
    file.write_bytes(data.replace(name, element(b"\x10\0\x10\0PN", raw)))
    (entry,) = list_volumes(file)
    assert entry.about.patient == shown


def test_a_name_is_the_first_writing_that_holds_one() -> None:
    assert person("Wang^Li=王^丽=") == "Wang, Li"
    assert person("^^=王^丽=") == "王, 丽"
    assert person("==ワン^リ") == "ワン, リ"
    assert person("") == ""
