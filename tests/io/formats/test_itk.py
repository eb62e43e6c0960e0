from __future__ import annotations

import gzip
import os
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy.spatial.transform import Rotation

from liverseg_gui.core.errors import Cancelled, UnreadableFileError
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.scan_issues import Severity
from liverseg_gui.core.volume import Volume
from liverseg_gui.io.file_endings import ITK
from liverseg_gui.io.formats.itk import itk_entries
from tests.core.test_geometry import orientations

SIZE = (7, 6, 5)
VALUES = np.random.default_rng(0).integers(-1000, 1500, SIZE).astype(np.int16)
NUMBER_TYPES = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "int64",
    "float32",
    "float64",
)
PLAIN = "type: short\ndimension: 3\nsizes: 7 6 5\nencoding: raw\nendian: little"
PLACED = "space directions: (0.8,0,0) (0,0.7,0) (0,0,2.5)\nspace origin: (10,20,30)"
META = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "DimSize = 7 6 5\nElementType = MET_SHORT"
)
META_PLACED = "\nElementSpacing = 0.8 0.7 2.5\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3"


def stored(values: np.ndarray = VALUES) -> bytes:
    return values.astype(values.dtype.newbyteorder("<")).tobytes(order="F")


def nrrd(path: Path, header: str, data: bytes | None = None) -> Path:
    path.write_bytes(f"NRRD0004\n{header}\n\n".encode() + (stored() if data is None else data))
    return path


def meta(path: Path, header: str = META + META_PLACED, data: bytes | None = None) -> Path:
    data = stored() if data is None else data
    path.write_bytes(f"{header}\nElementDataFile = LOCAL\n".encode() + data)
    return path


def image(values: np.ndarray = VALUES, turn: np.ndarray | None = None) -> sitk.Image:
    """An image whose SimpleITK index is `values`' index."""
    made = sitk.GetImageFromArray(np.ascontiguousarray(values.transpose(2, 1, 0)))
    made.SetSpacing((0.8, 0.7, 2.5))
    made.SetOrigin((-120.5, 33.25, 512.0))
    if turn is not None:
        made.SetDirection(turn.ravel().tolist())
    return made


def write(path: Path, what: sitk.Image, packed: bool = False) -> Path:
    sitk.WriteImage(what, str(path), packed)
    return path


def open_one(path: Path) -> Volume:
    (entry,) = itk_entries(path)
    return entry.read(Progress())


def codes(path: Path) -> set[str]:
    return {issue.code for issue in itk_entries(path)[0].issues}


def require_same_place(volume: Volume, path: Path) -> None:
    """Every stored voxel has the millimetres and the value that SimpleITK gives it."""
    judge = sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(judge).transpose(2, 1, 0)
    np.testing.assert_array_equal(volume.grid.to_stored(volume.hu), values)
    for index in ((0, 0, 0), (6, 0, 0), (0, 5, 0), (0, 0, 4), (3, 2, 1)):
        expected = np.array(judge.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
        np.testing.assert_allclose(volume.grid.affine.to_mm(index), expected, atol=1e-6)


@pytest.mark.parametrize("ending", ITK)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("orientation", range(0, 48, 5))
def test_every_voxel_lies_where_simpleitk_sees_it(
    tmp_path: Path, ending: str, packed: bool, orientation: int
) -> None:
    oblique = Rotation.from_euler("xyz", (10, -20, 5), degrees=True).as_matrix()
    path = write(
        tmp_path / f"scan{ending}", image(turn=oblique @ orientations()[orientation]), packed
    )
    volume = open_one(path)
    require_same_place(volume, path)
    assert volume.affine.orientation == "RAS"
    (entry,) = itk_entries(path)
    assert entry.size == SIZE
    assert entry.spacing_mm == pytest.approx((0.8, 0.7, 2.5))


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
@pytest.mark.parametrize("kind", NUMBER_TYPES)
def test_every_number_type_is_read_as_int16_hu(tmp_path: Path, ending: str, kind: str) -> None:
    values = (VALUES % 100).astype(kind)
    path = write(tmp_path / f"scan{ending}", image(values), packed=True)
    np.testing.assert_array_equal(open_one(path).grid.to_stored(open_one(path).hu), values)


def test_big_endian_numbers_are_read(tmp_path: Path) -> None:
    data = VALUES.astype(">i2").tobytes(order="F")
    header = PLAIN.replace("little", "big") + f"\nspace: LPS\n{PLACED}"
    path = nrrd(tmp_path / "b.nrrd", header, data)
    require_same_place(open_one(path), path)
    msb = (META + META_PLACED).replace("MSB = False", "MSB = True")
    path = meta(tmp_path / "b.mha", msb, data)
    require_same_place(open_one(path), path)


def test_floats_are_rounded_clipped_and_nan_is_air(tmp_path: Path) -> None:
    values = np.full(SIZE, 39.6, np.float32)
    values[0, 0, 0], values[1, 0, 0], values[2, 0, 0] = np.nan, 1e9, -np.inf
    volume = open_one(write(tmp_path / "f.nrrd", image(values)))
    hu = volume.grid.to_stored(volume.hu)
    assert hu[:4, 0, 0].tolist() == [-1024, 32767, -32768, 40]
    assert {"not-a-number", "absurd-hu"} <= {f.code for f in volume.issues}


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("right-anterior-superior", (1, 1, 1)),
        ("RAS", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("LPS", (-1, -1, 1)),
    ],
)
def test_an_nrrd_may_count_its_millimetres_in_any_patient_space(
    tmp_path: Path, space: str, signs: tuple[int, ...]
) -> None:
    path = nrrd(tmp_path / "s.nrrd", f"{PLAIN}\nspace: {space}\n{PLACED}")
    volume = open_one(path)
    np.testing.assert_allclose(
        volume.grid.affine.to_mm((1, 2, 3)), np.multiply(signs, (10.8, 21.4, 37.5))
    )
    require_same_place(volume, path)
    assert "no-orientation" not in codes(path)


@pytest.mark.parametrize("encoding", ["gzip", "gz"])
def test_a_packed_nrrd_is_read_by_either_name_of_its_encoding(
    tmp_path: Path, encoding: str
) -> None:
    header = PLAIN.replace("raw", encoding) + f"\nbyte skip: 0\nspace: LPS\n{PLACED}"
    path = nrrd(tmp_path / "e.nrrd", header, gzip.compress(stored()))
    require_same_place(open_one(path), path)


TEXT = META.replace("BinaryData = True", "BinaryData = False")
SKIPPING = META + "\nHeaderSize = 5"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("five.nhdr", f"NRRD0004\n{PLAIN}\nbyte skip: 5\ndata file: data.raw\n"),
        ("rest.nhdr", f"NRRD0004\n{PLAIN}\nbyteskip: -1\ndata file: data.raw\n"),
        ("five.mhd", f"{SKIPPING}\nElementDataFile = data.raw\n"),
        ("rest.mhd", f"{META}\nHeaderSize = -1\nElementDataFile = data.raw\n"),
    ],
)
def test_bytes_before_the_voxels_of_a_file_of_their_own_are_skipped(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / "data.raw").write_bytes(stored())
    (tmp_path / "plain.nhdr").write_text(f"NRRD0004\n{PLAIN}\ndata file: data.raw\n")
    plain = open_one(tmp_path / "plain.nhdr").hu.copy()
    (tmp_path / "data.raw").write_bytes(b"12345" + stored())
    (tmp_path / name).write_text(text)
    volume = open_one(tmp_path / name)
    np.testing.assert_array_equal(np.sort(volume.hu, axis=None), np.sort(plain, axis=None))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.nhdr", PLAIN.replace("raw", "ascii"), "has its voxels encoded as ascii"),
        ("h.nhdr", PLAIN.replace("raw", "hex"), "has its voxels encoded as hex"),
        ("b.nhdr", PLAIN.replace("raw", "bzip2"), "has its voxels encoded as bzip2"),
        ("n.nhdr", f"{PLAIN}\nline skip: 1", "has other bytes before its voxels"),
        ("l.nhdr", f"{PLAIN}\ndata file: LIST 2\ndata.raw", "has its voxels in several files"),
        ("p.nhdr", f"{PLAIN}\ndata file: %02d.raw 0 4 1", "has its voxels in several files"),
        ("t.mhd", f"{TEXT}\nElementDataFile = data.raw", "has its voxels written as text"),
        ("l.mhd", f"{META}\nElementDataFile = LIST\ndata.raw", "has its voxels in several files"),
        ("p.mhd", f"{META}\nElementDataFile = %02d.raw 0 4 1", "has its voxels in several files"),
    ],
)
def test_a_file_written_as_no_scan_is_names_what_it_has_and_what_to_do(
    tmp_path: Path, name: str, text: str, what: str
) -> None:
    (tmp_path / "data.raw").write_bytes(b"12345" + stored())
    start = "NRRD0004\n" if name.endswith(".nhdr") else ""
    (tmp_path / name).write_text(f"{start}{text}\n")
    with pytest.raises(UnreadableFileError) as refusal:
        itk_entries(tmp_path / name)
    assert str(refusal.value) == (
        f"{tmp_path / name} {what}, which this program does not read. Open it in 3D Slicer and "
        "save it as .nrrd or .nii.gz."
    )


def detached_header(path: Path, where: str) -> Path:
    """A header that names `where` as its data file."""
    if path.suffix == ".nhdr":
        text = f"NRRD0004\n{PLAIN}\nspace: LPS\n{PLACED}\ndata file: {where}\n"
    else:
        text = f"{META}\nElementDataFile = {where}\n"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["in/a.nhdr", "in/a.mhd"])
@pytest.mark.parametrize(
    "where",
    [
        "/dev/zero",
        "/etc/passwd",
        "../data.raw",
        "sub/../../data.raw",
        "..\\data.raw",
        "//host/share/data.raw",
        "\\\\host\\share\\data.raw",
        "C:\\data.raw",
        "C:data.raw",
        "http://host/data.raw",
        "file:///etc/passwd",
    ],
)
def test_a_data_file_outside_the_folder_of_its_header_is_not_read(
    tmp_path: Path, name: str, where: str
) -> None:
    (tmp_path / "data.raw").write_bytes(stored())
    with pytest.raises(UnreadableFileError, match="names a data file outside its own folder"):
        itk_entries(detached_header(tmp_path / name, where))
    absolute = detached_header(tmp_path / name, str(tmp_path / "in" / "data.raw"))
    with pytest.raises(UnreadableFileError, match="outside its own folder"):
        itk_entries(absolute)


@pytest.mark.parametrize("name", ["a.nhdr", "a.mhd"])
@pytest.mark.parametrize(
    "where", ["data.raw", "./data.raw", "sub/data.raw", "sub\\data.raw", "50% (1).raw", "a..b.raw"]
)
def test_a_data_file_beside_its_header_or_below_is_read(
    tmp_path: Path, name: str, where: str
) -> None:
    file = tmp_path / where.replace("\\", "/")
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(stored())
    (entry,) = itk_entries(detached_header(tmp_path / name, where))
    np.testing.assert_array_equal(
        np.sort(entry.read(Progress()).hu, axis=None), np.sort(VALUES, axis=None)
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
@pytest.mark.parametrize("name", ["a.nhdr", "a.mhd"])
@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_a_data_file_that_is_no_ordinary_file_is_refused_for_that(
    tmp_path: Path, name: str, kind: str
) -> None:
    file = tmp_path / "data.raw"
    if kind == "fifo":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to("/dev/zero")
    else:
        file.mkdir()
    with pytest.raises(UnreadableFileError, match="no ordinary file"):
        itk_entries(detached_header(tmp_path / name, "data.raw"))


@pytest.mark.parametrize("axis", [0, 3])
@pytest.mark.parametrize("packed", [False, True])
def test_a_list_of_volumes_is_one_entry_each(tmp_path: Path, axis: int, packed: bool) -> None:
    both = np.stack([VALUES, VALUES + 7], axis)
    sizes, kinds, steps = (
        ["7", "6", "5"],
        ["domain"] * 3,
        PLACED.split("\n")[0].split(": ")[1].split(),
    )
    for words, word in ((sizes, "2"), (kinds, "list"), (steps, "none")):
        words.insert(axis, word)
    header = (
        f"type: short\ndimension: 4\nsizes: {' '.join(sizes)}\nkinds: {' '.join(kinds)}\n"
        f"encoding: {'gzip' if packed else 'raw'}\nendian: little\nspace: LPS\n"
        f"space directions: {' '.join(steps)}\nspace origin: (1,2,3)"
    )
    data = both.tobytes(order="F")
    path = nrrd(tmp_path / "two.nrrd", header, gzip.compress(data) if packed else data)
    first, second = itk_entries(path)
    for entry, values in ((first, VALUES), (second, VALUES + 7)):
        volume = entry.read(Progress())
        np.testing.assert_array_equal(volume.grid.to_stored(volume.hu), values)
        assert volume.affine.spacing_mm == pytest.approx((0.8, 0.7, 2.5))
        assert entry.thumbnail is not None
    assert second.description == "two.nrrd volume 2 of 2"
    assert "four-dimensional" in codes(path)
    assert first.problem == ""


def test_a_4d_metaimage_is_one_entry_a_volume(tmp_path: Path) -> None:
    joined = sitk.JoinSeries(image(), image(VALUES + 7))
    first, second = itk_entries(write(tmp_path / "two.mha", joined, packed=True))
    np.testing.assert_array_equal(first.read(Progress()).hu + 7, second.read(Progress()).hu)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_a_color_image_is_offered_as_a_problem_alone(tmp_path: Path, ending: str) -> None:
    color = np.zeros((*SIZE[::-1], 3), np.uint8)
    path = tmp_path / f"color{ending}"
    sitk.WriteImage(sitk.GetImageFromArray(color, isVector=True), str(path))
    (entry,) = itk_entries(path)
    assert entry.issues[0].code == "color"
    assert entry.issues[0].severity is Severity.ERROR
    with pytest.raises(UnreadableFileError, match="color or vector"):
        entry.read(Progress())


def test_a_whole_header_raises_no_doubt_but_the_phase(tmp_path: Path) -> None:
    assert codes(write(tmp_path / "a.nrrd", image())) == {"phase-unknown"}
    assert codes(write(tmp_path / "a.mha", image())) == {"phase-unknown"}


def test_an_nrrd_without_a_patient_space_may_be_swapped(tmp_path: Path) -> None:
    for header in (f"{PLAIN}\nspacings: 0.8 0.7 2.5", f"{PLAIN}\nspace: scanner-xyz\n{PLACED}"):
        path = nrrd(tmp_path / "n.nrrd", header)
        assert "no-orientation" in codes(path)
        assert open_one(path).mm_reliable
        require_same_place(open_one(path), path)


@pytest.mark.parametrize("placed", ["", "\nOffset = 5 6 7"])
def test_a_missing_voxel_size_makes_mm_unreliable(tmp_path: Path, placed: str) -> None:
    for path in (nrrd(tmp_path / "n.nrrd", PLAIN), meta(tmp_path / "n.mha", META + placed)):
        assert {"no-orientation", "unit-spacing"} <= codes(path)
        assert not open_one(path).mm_reliable


def test_lengths_that_are_not_mm_are_doubted(tmp_path: Path) -> None:
    header = f'{PLAIN}\nspace: LPS\n{PLACED}\nspace units: "cm" "cm" "cm"'
    assert "units" in codes(nrrd(tmp_path / "cm.nrrd", header))


def test_a_small_skew_is_told_and_a_tilt_is_resampled(tmp_path: Path) -> None:
    skewed = PLACED.replace("(0,0,2.5)", "(0,0.01,2.5)")
    assert "not-orthonormal" in codes(nrrd(tmp_path / "a.nrrd", f"{PLAIN}\nspace: LPS\n{skewed}"))
    tilted = PLACED.replace("(0,0,2.5)", "(0,0.7,2.5)")
    path = nrrd(tmp_path / "b.nrrd", f"{PLAIN}\nspace: LPS\n{tilted}")
    volume = open_one(path)
    assert "gantry-tilt" in codes(path)
    turn = volume.affine.matrix[:3, :3] / volume.affine.spacing_mm
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-9)
    slices = volume.origin.source_slices
    assert slices is not None
    at = volume.affine.to_ijk(slices.affines[3].to_mm((2, 2, 0)))
    assert volume.hu[tuple(np.rint(at).astype(int))] == VALUES[2, 2, 3]


@pytest.mark.parametrize(
    ("name", "header", "data"),
    [
        ("a.nrrd", PLAIN.replace("7 6 5", "70000 60000 50000"), stored()),
        ("b.nrrd", PLAIN, stored()[:-2]),
        ("c.nrrd", PLAIN.replace("raw", "gzip"), gzip.compress(stored())[:-60]),
        ("d.nrrd", PLAIN.replace("raw", "gzip").replace("7 6 5", "9999 99999 99999"), b"x" * 999),
        ("e.nrrd", PLAIN.replace("raw", "bzip2"), stored()),
        ("f.nrrd", PLAIN.replace("short", "block"), stored()),
        ("g.nrrd", f"{PLAIN}\nspace: LPS\n" + PLACED.replace("0.8", "nan"), stored()),
        ("h.nrrd", f"{PLAIN}\nspace: LPS\n" + PLACED.replace("0.8", "0"), stored()),
        ("i.nrrd", f"{PLAIN}\nspace: LPS\n" + PLACED.replace("0.8", "1e300"), stored()),
        (
            "flat.nrrd",
            f"{PLAIN}\nspace: LPS\nspace directions: (1e5,0,0) (1e5,1e-12,0) (0,0,1e5)",
            stored(),
        ),
        ("j.nrrd", PLAIN.replace("sizes: 7 6 5", "sizes: 42 5"), stored()),
        (
            "k.nrrd",
            PLAIN.replace("7 6 5", "42 5").replace("dimension: 3", "dimension: 2"),
            stored(),
        ),
        ("l.nrrd", f"{PLAIN}\ndata file: gone.raw", b""),
        ("m.nrrd", f"{PLAIN}\ndata file: %9999999999d.raw 1 2 1", b""),
        ("n.nrrd", PLAIN.replace("encoding: raw\n", "A" * 9000 + ": raw\n"), stored()),
        ("o.nrrd", PLAIN.replace("raw", "ascii"), b"1 2 x " * 300),
        ("p.nrrd", "", b""),
    ],
)
def test_a_bad_nrrd_is_named_with_a_remedy(
    tmp_path: Path, name: str, header: str, data: bytes
) -> None:
    require_refused(nrrd(tmp_path / name, header, data))


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (META.replace("7 6 5", "-7 6 5"), stored()),
        (META.replace("7 6 5", "0 6 5"), stored()),
        (META.replace("7 6 5", "70000 60000 50000"), stored()),
        (META + "\nCompressedData = True\nCompressedDataSize = 99999999999", stored()),
        (META.replace("NDims = 3", "NDims = 300"), stored()),
        (META + "\nTransformMatrix = 1 0 0 1 0 0 0 0 1", stored()),
        (META.replace("MET_SHORT", "MET_OTHER"), stored()),
        (META + "\nElementNumberOfChannels = 999999999", stored()),
        (META + "\nTransformMatrix = 1 0 0 0", stored()),
        ("hello", b""),
    ],
)
def test_a_bad_metaimage_is_named_with_a_remedy(tmp_path: Path, header: str, data: bytes) -> None:
    require_refused(meta(tmp_path / "bad.mha", header, data))


def require_refused(path: Path) -> None:
    with pytest.raises(UnreadableFileError) as refusal:
        open_one(path)
    assert path.name in str(refusal.value)
    assert str(refusal.value).count(". ") >= 1


def test_a_missing_file_and_a_missing_data_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match="does not exist"):
        itk_entries(tmp_path / "gone.nrrd")
    path = write(tmp_path / "scan.mhd", image())
    (tmp_path / "scan.raw").unlink()
    with pytest.raises(UnreadableFileError, match=r"scan\.raw, which is not beside it"):
        itk_entries(path)


def test_a_header_that_promises_too_much_allocates_nothing(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nrrd", PLAIN.replace("7 6 5", "1000 1000 1000"))
    tracemalloc.start()
    try:
        require_refused(path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_no_damage_to_a_file_provokes_anything_but_a_plain_refusal(tmp_path: Path) -> None:
    rng = random.Random(5)
    whole = []
    for ending in ITK:
        for packed in (False, True):
            path = write(tmp_path / f"whole{ending}", image(), packed)
            whole.append((ending, path.read_bytes()))
    messages = set()
    tokens = [b"-1", b"99999999999999999999", b"nan", b"LIST", b"\n\n", b"%d 1 9 1", b"A" * 5000]
    for _ in range(1500):
        ending, data = rng.choice(whole)
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(min(len(damaged), 600))
            damaged[at : at + rng.choice((0, 1, 9))] = rng.choice(
                (b"", b"\xff", rng.choice(tokens))
            )
        path = tmp_path / f"bad{ending}"
        path.write_bytes(bytes(damaged))
        try:
            for entry in itk_entries(path):
                entry.read(Progress())
        except UnreadableFileError as refusal:
            messages.add(str(refusal))
    assert len(messages) > 3
    assert all(str(tmp_path) in message for message in messages)


def test_an_opened_scan_takes_little_more_memory_than_its_voxels(tmp_path: Path) -> None:
    values = np.zeros((160, 160, 160), np.int16)
    path = write(tmp_path / "a.nrrd", image(values), packed=True)
    turned = write(tmp_path / "b.mha", image(values.astype(np.float32), orientations()[9]))
    for file in (path, turned):
        (entry,) = itk_entries(file)
        tracemalloc.start()
        try:
            volume = entry.read(Progress())
            resident, _ = tracemalloc.get_traced_memory()
            assert resident < 1.1 * volume.hu.nbytes
        finally:
            tracemalloc.stop()
        assert volume.hu.strides[2] == max(volume.hu.strides)


def test_reading_can_be_cancelled(tmp_path: Path) -> None:
    (entry,) = itk_entries(write(tmp_path / "a.nrrd", image()))
    progress = Progress()
    progress.cancel()
    with pytest.raises(Cancelled):
        entry.read(progress)


def test_the_middle_slice_is_shown_before_the_rest(tmp_path: Path) -> None:
    (entry,) = itk_entries(write(tmp_path / "a.mha", image()))
    shown: list[Volume] = []
    volume = entry.read(Progress(), shown.append)
    assert shown[0].shape == (7, 6, 1)
    np.testing.assert_array_equal(shown[0].hu[:, :, 0], volume.hu[:, :, 2])
    np.testing.assert_allclose(shown[0].affine.to_mm((0, 0, 0)), volume.affine.to_mm((0, 0, 2)))


def test_the_modality_of_a_metaimage_is_told(tmp_path: Path) -> None:
    (entry,) = itk_entries(meta(tmp_path / "m.mha", META + "\nModality = MET_MOD_MR" + META_PLACED))
    assert entry.modality == "MR"
    assert entry.read(Progress()).origin.modality == "MR"


@pytest.mark.real_data
def test_a_real_nrrd_reads_as_simpleitk_reads_it(real_data: Path) -> None:
    path = real_data / "dicom" / "seg_3slice" / "liver_seg.nrrd"
    volume, judge = open_one(path), sitk.ReadImage(str(path))
    values = sitk.GetArrayFromImage(judge).transpose(2, 1, 0)
    np.testing.assert_array_equal(volume.grid.to_stored(volume.hu), values)
    origin = np.array(judge.GetOrigin()) * (-1, -1, 1)
    np.testing.assert_allclose(volume.grid.affine.to_mm((0, 0, 0)), origin)


def test_a_4d_nrrd_of_itk_holds_volumes_not_colors(tmp_path: Path) -> None:
    one = sitk.GetImageFromArray(np.zeros((4, 5, 6), np.int16))
    sitk.WriteImage(sitk.JoinSeries([one, one + 7]), str(tmp_path / "two.nrrd"))
    entries = itk_entries(tmp_path / "two.nrrd")
    assert [entry.problem for entry in entries] == ["", ""]
    assert entries[1].read(Progress()).hu.max() == 7
