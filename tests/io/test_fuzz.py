"""Damaged files: whatever bytes are changed, the outcome is a valid volume or a LiverSegError.

A few hundred files in the usual run, thousands with `make fuzz`.
"""

from __future__ import annotations

import gzip
import shutil
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.geometry import Affine, StoredGrid
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin, Volume
from liverseg_gui.io.dicom.write import write_dicom_series
from liverseg_gui.io.scans import list_volumes
from tests.io.dicom_files import enhanced

SHAPE = (24, 20, 6)
MOST_SECONDS = 10.0
"""Of the processor, whose time does not depend on what else the machine does."""
SPARE_BYTES = 8 << 20
"""What a reader may need besides four times the file: libraries' own buffers."""

FEW, MANY = 90, 2000
_settings = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
Damage = list[tuple[float, bytes]]
_interesting = st.sampled_from(
    [
        b"\0",
        b"\xff",
        b"\xff\xff",
        b"\0\0\xc0\x7f",
        b"\xff\xff\xff\x7f",
        b"\0\0\0\x80",
        b"-1",
        b"9e9",
    ]
)
_damage = st.lists(
    st.tuples(st.floats(0, 1), st.one_of(_interesting, st.binary(min_size=1, max_size=6))),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def volume() -> Volume:
    values = np.random.default_rng(0).integers(-1000, 300, SHAPE).astype(np.int16)
    grid = StoredGrid(SHAPE, Affine(np.diag([0.8, 0.8, 2.5, 1.0])))
    return Volume(np.asfortranarray(values), grid, Origin(Path("f"), "Fuzz", "Fuzz"))


@pytest.fixture(scope="module")
def originals(volume: Volume, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A whole file of each kind; of DICOM, a slice with the rest of its series beside it."""
    folder = tmp_path_factory.mktemp("whole")
    image = nib.Nifti1Image(volume.hu, volume.grid.affine.matrix)
    nib.save(image, folder / "plain.nii")
    nib.save(image, folder / "packed.nii.gz")
    nib.save(nib.Nifti2Image(volume.hu, volume.grid.affine.matrix), folder / "second.nii")
    itk = sitk.GetImageFromArray(volume.hu.transpose(2, 1, 0))
    for name in ("scan.nrrd", "scan.mha"):
        sitk.WriteImage(itk, str(folder / name))
    write_dicom_series(volume, folder / "series")
    slices = sorted((folder / "series").iterdir())
    enhanced(slices, folder / "enhanced.dcm")
    return {
        "nifti": folder / "plain.nii",
        "nifti gz": folder / "packed.nii.gz",
        "nifti 2": folder / "second.nii",
        "nrrd": folder / "scan.nrrd",
        "metaimage": folder / "scan.mha",
        "dicom": slices[2],
        "enhanced": folder / "enhanced.dcm",
    }


HEADERS = {"nifti": 352, "nifti gz": 352, "nifti 2": 544, "nrrd": 300, "metaimage": 300}
KINDS = [*HEADERS, "dicom", "enhanced"]


def damaged(whole: bytes, damage: Damage, cut: float | None, reach: int) -> bytes:
    """`whole` with bytes replaced at shares of its first `reach` bytes, and its end cut off."""
    data = bytearray(whole)
    for share, new in damage:
        at = int(share * min(reach, len(data) - 1))
        data[at : at + len(new)] = new
    return bytes(data if cut is None else data[: int(cut * len(data))])


def require_honest(path: Path) -> None:
    """Open everything at `path`: a volume or a LiverSegError, in time and in bounds."""
    size = path.stat().st_size
    tracemalloc.start()
    began = time.process_time()
    try:
        for entry in list_volumes(path):
            if entry.thumbnail is not None and not entry.problem:
                entry.thumbnail()
            if not entry.problem:
                volume = entry.read(Progress(), lambda _: None)
                assert volume.hu.dtype == np.int16
                assert np.isfinite(volume.affine.matrix).all()
    except LiverSegError as error:
        named = path.name in str(error)
    else:
        named = True
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert named
    assert time.process_time() - began < MOST_SECONDS
    assert peak <= 4 * size + SPARE_BYTES, f"{peak} bytes taken for a file of {size}"


def attack(
    kind: str, originals: dict[str, Path], folder: Path, damage: Damage, cut: float | None
) -> None:
    whole = originals[kind]
    target = folder / "damaged" / whole.name
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    if kind == "dicom":
        for other in whole.parent.iterdir():
            shutil.copy(other, target.parent)
    data = whole.read_bytes()
    reach = HEADERS.get(kind, 2500)
    if kind == "nifti gz" and cut is None:
        target.write_bytes(gzip.compress(damaged(gzip.decompress(data), damage, None, reach)))
    else:
        target.write_bytes(damaged(data, damage, cut, reach if cut is None else len(data)))
    require_honest(target)


_cut = st.one_of(st.none(), st.none(), st.floats(0, 0.999))


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_a_volume_or_a_clear_error(
    kind: str, originals: dict[str, Path], tmp_path: Path
) -> None:
    @settings(_settings, max_examples=FEW)
    @given(_damage, _cut)
    def check(damage: Damage, cut: float | None) -> None:
        attack(kind, originals, tmp_path, damage, cut)

    check()


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_damaged_files_are_volumes_or_clear_errors(
    kind: str, originals: dict[str, Path], tmp_path: Path
) -> None:
    @settings(_settings, max_examples=MANY)
    @given(_damage, _cut)
    def check(damage: Damage, cut: float | None) -> None:
        attack(kind, originals, tmp_path, damage, cut)

    check()


def promising(path: Path) -> Path:
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape((30_000, 30_000, 60))
    header["magic"], header["vox_offset"] = b"n+1", 352
    header.set_sform(np.diag([1.0, 1, 2, 1]), 1)
    path.write_bytes(header.binaryblock + b"\0" * 5000)
    return path


def promising_gz(path: Path) -> Path:
    plain = promising(path.with_name("plain.nii"))
    with gzip.open(path, "wb") as out:
        out.write(plain.read_bytes())
    return path


def promising_nrrd(path: Path) -> Path:
    path.write_bytes(
        b"NRRD0004\ntype: short\ndimension: 3\nsizes: 30000 30000 60\nencoding: raw\n"
        b"endian: little\n\n" + b"\0" * 5000
    )
    return path


def promising_mha(path: Path) -> Path:
    path.write_bytes(
        b"ObjectType = Image\nNDims = 3\nDimSize = 30000 30000 60\nElementType = MET_SHORT\n"
        b"ElementDataFile = LOCAL\n" + b"\0" * 5000
    )
    return path


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (promising, "big.nii"),
        (promising_gz, "big.nii.gz"),
        (promising_nrrd, "big.nrrd"),
        (promising_mha, "big.mha"),
    ],
)
def test_a_header_that_promises_100_gb_is_refused_before_allocation(
    tmp_path: Path, make: Callable[[Path], Path], name: str
) -> None:
    path = make(tmp_path / name)
    tracemalloc.start()
    try:
        with pytest.raises(LiverSegError, match=name):
            list_volumes(path)[0].read(Progress())
        assert tracemalloc.get_traced_memory()[1] < SPARE_BYTES
    finally:
        tracemalloc.stop()


def test_a_dicom_header_that_promises_gigabytes_is_refused(
    originals: dict[str, Path], tmp_path: Path
) -> None:
    import pydicom

    image = pydicom.dcmread(originals["enhanced"])
    image.Rows = image.Columns = 65535
    image.save_as(tmp_path / "big.dcm")
    with pytest.raises(LiverSegError, match=r"big\.dcm is cut short"):
        list_volumes(tmp_path / "big.dcm")[0].read(Progress())


def test_an_undamaged_file_of_each_kind_opens(originals: dict[str, Path], volume: Volume) -> None:
    for kind, path in originals.items():
        (entry,) = list_volumes(path)
        read = entry.read(Progress())
        assert sorted(read.shape) == sorted(volume.shape), kind
