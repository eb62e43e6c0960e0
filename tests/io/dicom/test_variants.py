"""The ways in which DICOM files of one scan differ, all of which must give the same scan."""

from __future__ import annotations

import gc
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from liverseg_gui.core.errors import UnreadableFileError
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.dicom.phase import contrast_phase
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.entries import Role
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


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_native_transfer_syntax_gives_the_same_scan(
    series: Path, tmp_path: Path, hu: np.ndarray, syntax: str
) -> None:
    for file in copy(series, tmp_path):
        image = pydicom.dcmread(file)
        if syntax == ExplicitVRBigEndian:
            image.PixelData = image.pixel_array.astype(">i2").tobytes()
        image.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(
            file,
            image,
            implicit_vr=syntax == ImplicitVRLittleEndian,
            little_endian=syntax != ExplicitVRBigEndian,
            force_encoding=True,
        )
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


@pytest.mark.parametrize("compressor", ["JPEG2000", "JPEG", "JPEGLS"])
def test_lossless_compression_gives_the_same_scan(
    series: Path, tmp_path: Path, hu: np.ndarray, compressor: str
) -> None:
    files = copy(series, tmp_path)
    for file in files:
        encode(file, compressor)
    assert pydicom.dcmread(files[0]).file_meta.TransferSyntaxUID.is_compressed
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def encode(file: Path, compressor: str) -> None:
    """Compress the pixels of `file`, an independent encoder at work for each kind."""
    image = pydicom.dcmread(file)
    if compressor == "JPEGLS":
        image.compress(JPEGLSLossless, encoding_plugin="pyjpegls")
        image.save_as(file)
        return
    plain = sitk.GetImageFromArray(image.pixel_array[None].astype(np.int16))
    writer = sitk.ImageFileWriter()
    writer.SetImageIO("GDCMImageIO")
    writer.SetUseCompression(True)
    writer.SetCompressor(compressor)
    encoded = file.with_suffix(".enc.dcm")
    writer.SetFileName(str(encoded))
    writer.Execute(plain)
    other = pydicom.dcmread(encoded)
    encoded.unlink()
    image.PixelData = other.PixelData
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    image.file_meta.TransferSyntaxUID = other.file_meta.TransferSyntaxUID
    for name in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        setattr(image, name, other[name].value)
    image.save_as(file)


def test_run_length_encoding_gives_the_same_scan(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    for file in copy(series, tmp_path):
        image = pydicom.dcmread(file)
        image.compress(RLELossless)
        image.save_as(file)
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def test_a_multi_frame_file_is_a_volume(series: Path, tmp_path: Path, hu: np.ndarray) -> None:
    path = enhanced(copy(series, tmp_path / "parts"), tmp_path / "enhanced.dcm")
    volume = open_scan(path)
    np.testing.assert_array_equal(volume.hu, hu)
    assert volume.origin.path == path
    assert volume.affine.spacing_mm == pytest.approx((3.0, 3.0, 4.5))


def test_each_frame_is_rescaled_in_its_own_way(series: Path, tmp_path: Path) -> None:
    files = copy(series, tmp_path / "parts")
    stored = np.stack([pydicom.dcmread(file).pixel_array.T for file in files], axis=2)
    slopes = [1.0 + n / 4 for n in range(SLICES)]
    volume = open_scan(enhanced(files, tmp_path / "enhanced.dcm", slopes))
    expected = np.rint(stored * np.array(slopes) - 1024).clip(-1024, 32767)
    np.testing.assert_array_equal(volume.grid.to_stored(volume.hu), expected)
    assert "per-slice-rescale" in codes(volume)


def test_a_compressed_multi_frame_file_is_decoded_frame_by_frame(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    files = copy(series, tmp_path / "parts")
    path = enhanced(files, tmp_path / "enhanced.dcm")
    image = pydicom.dcmread(path)
    frames = []
    for file in files:
        one = pydicom.dcmread(file)
        one.compress(JPEGLSLossless, encoding_plugin="pyjpegls")
        frames.append(pydicom.encaps.get_frame(one.PixelData, 0, number_of_frames=1))
    image.PixelData = encapsulate(frames)
    image["PixelData"].VR = "OB"
    image["PixelData"].is_undefined_length = True
    image.file_meta.TransferSyntaxUID = JPEGLSLossless
    image.save_as(path)
    np.testing.assert_array_equal(open_scan(path).hu, hu)


def test_files_without_a_preamble_are_read(series: Path, tmp_path: Path, hu: np.ndarray) -> None:
    for file in copy(series, tmp_path):
        image = pydicom.dcmread(file)
        bare = Dataset()
        bare.update(image)
        bare.save_as(file, implicit_vr=True, little_endian=True)
        assert file.read_bytes()[128:132] != b"DICM"
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def test_a_dicomdir_opens_the_disc_it_describes(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    disc = FileSet()
    for file in copy(series, tmp_path / "parts"):
        change(file, PatientID="P1", StudyID="1", StudyDate="20260102", StudyTime="101500")
        disc.add(file)
    with warnings.catch_warnings():  # pydicom leaves a temporary folder to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        disc.write(tmp_path / "disc")
        del disc
        gc.collect()
    np.testing.assert_array_equal(open_scan(tmp_path / "disc" / "DICOMDIR").hu, hu)


def test_localizers_and_captures_are_set_aside(series: Path, tmp_path: Path) -> None:
    files = copy(series, tmp_path)
    scout, capture = tmp_path / "scout.dcm", tmp_path / "capture.dcm"
    for path in (scout, capture):
        path.write_bytes(files[0].read_bytes())
    change(
        scout,
        SeriesInstanceUID="1.2.1",
        SOPInstanceUID="1.2.1.1",
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )
    change(
        capture,
        SeriesInstanceUID="1.2.2",
        SOPInstanceUID="1.2.2.1",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
        Modality="OT",
        ImagePositionPatient=None,
        ImageOrientationPatient=None,
    )
    entries = list_volumes(tmp_path)
    assert [e.about.role for e in entries] == [Role.VOLUME, Role.LOCALIZER, Role.SECONDARY]
    assert open_scan(tmp_path).shape[2] == SLICES
    assert open_scan(tmp_path, number=2).shape[1] == 1


def test_missing_orientation_position_and_pixel_size_are_each_said(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    for file in copy(series, tmp_path):
        change(file, ImageOrientationPatient=None, ImagePositionPatient=None, PixelSpacing=None)
    volume = open_scan(tmp_path)
    assert {"no-orientation", "no-position", "no-pixel-spacing"} <= set(codes(volume))
    assert not volume.mm_reliable
    stored = volume.grid.to_stored(volume.hu)
    np.testing.assert_array_equal(stored[:, :, ::-1], hu)  # the first image is taken for the head


def test_directions_that_are_not_orthonormal_are_straightened(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(file, ImageOrientationPatient=[0.9995, 0.001, 0, 0.004, 1.0005, 0])
    volume = open_scan(tmp_path)
    assert "not-orthonormal" in codes(volume)
    axes = volume.affine.matrix[:3, :3] / volume.affine.spacing_mm
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)


def test_an_impossible_orientation_is_replaced_and_said(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(file, ImageOrientationPatient=[0, 0, 0, 0, 0, 0])
    assert "no-orientation" in codes(open_scan(tmp_path))


def test_an_mr_scan_opens_for_viewing_with_the_reason_it_is_not_segmented(
    series: Path, tmp_path: Path
) -> None:
    for file in copy(series, tmp_path):
        change(file, Modality="MR")
    volume = open_scan(tmp_path)
    assert volume.origin.modality == "MR"
    assert "not-ct" in codes(volume)
    assert "phase-unknown" not in codes(volume)


def test_monochrome1_and_lossy_compression_are_said(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(file, PhotometricInterpretation="MONOCHROME1", LossyImageCompression="01")
    assert {"monochrome1", "lossy"} <= set(codes(open_scan(tmp_path)))


def test_a_color_series_cannot_be_opened_and_says_so(series: Path, tmp_path: Path) -> None:
    for file in copy(series, tmp_path):
        change(file, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)
    with pytest.raises(UnreadableFileError, match="in color"):
        open_scan(tmp_path)


def test_a_padding_tag_that_names_tissue_is_not_believed(series: Path, tmp_path: Path) -> None:
    files = copy(series, tmp_path)
    before = open_scan(tmp_path).hu.copy()
    for file in files:
        image = pydicom.dcmread(file)
        image.add_new("PixelPaddingValue", "SS", 1024 + 40)
        image.save_as(file)
    np.testing.assert_array_equal(open_scan(tmp_path).hu, before)


def test_bits_above_those_stored_are_cut_off(series: Path, tmp_path: Path, hu: np.ndarray) -> None:
    for file in copy(series, tmp_path):
        image = pydicom.dcmread(file)
        pixels = image.pixel_array.astype(np.uint16) & 0x0FFF
        pixels[::2, ::3] |= 0x8000  # an old overlay plane
        change(file, BitsStored=12, HighBit=11, PixelRepresentation=0, PixelData=pixels.tobytes())
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def test_one_series_in_two_folders_is_one_volume(
    series: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    for n, file in enumerate(copy(series, tmp_path)):
        half = tmp_path / f"disc{n % 2}"
        half.mkdir(exist_ok=True)
        file.rename(half / file.name)
    np.testing.assert_array_equal(open_scan(tmp_path).hu, hu)


def test_patient_date_and_phase_are_known_without_reading_pixels(
    series: Path, tmp_path: Path
) -> None:
    for file in copy(series, tmp_path):
        change(
            file,
            PatientName="Doe^Jane",
            StudyDate="20260103",
            SeriesDescription="Abdomen portal venous 2.0",
        )
    (entry,) = list_volumes(tmp_path)
    assert (entry.about.patient, entry.about.study_date) == ("Doe, Jane", "2026-01-03")
    assert entry.about.phase == "portal venous"
    assert not any(f.code.startswith("phase") for f in entry.issues)


@pytest.mark.parametrize(
    ("description", "agent", "phase"),
    [
        ("Abd arterial 1.25", "", "arterial"),
        ("PORTAL VENOUS PHASE", "Omnipaque", "portal venous"),
        ("Abdomen nativ", "", "unenhanced"),
        ("CT WITHOUT CONTRAST", "none", "unenhanced"),
        ("delayed 5 min", "", "delayed"),
        ("Body 3.0", "APPLIED", "enhanced"),
        ("LIVER 3 PHASE (AP)", "", ""),
        ("arterial and venous", "x", ""),
    ],
)
def test_the_phase_is_read_from_words(description: str, agent: str, phase: str) -> None:
    assert contrast_phase(description, agent) == phase


def test_a_first_slice_is_shown_before_the_rest_is_read(series: Path, phantom: Phantom) -> None:
    (entry,) = list_volumes(series)
    shown: list[Volume] = []
    order: list[tuple[str, int]] = []
    progress = Progress(lambda _, phase: order.append((phase, len(shown))))
    volume = entry.read(progress, shown.append)
    assert ("Reading slice 1 of 48", 1) in order
    (single,) = shown
    assert single.shape == (128, 128, 1)
    k = round(float(volume.affine.to_ijk(single.affine.to_mm((0, 0, 0)))[2]))
    np.testing.assert_array_equal(single.hu[:, :, 0], volume.hu[:, :, k])
