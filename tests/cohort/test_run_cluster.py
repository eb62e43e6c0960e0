"""A cluster of two processes on this computer."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nibabel as nib
import numpy as np
import pytest

from liverseg_gui.cli.main import main
from liverseg_gui.cohort import run_cluster, segment_scan
from liverseg_gui.cohort.find_scans import find_cases
from liverseg_gui.cohort.result import ALREADY, CaseResult, Status
from liverseg_gui.cohort.run_case import CaseOptions
from liverseg_gui.cohort.run_cluster import result_of, run_case, run_on_cluster
from liverseg_gui.core.errors import Cancelled, LiverSegError, ModelError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.core.phantom import Phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.core.volume import Origin
from liverseg_gui.io.formats.mask_marks import Mark
from liverseg_gui.io.formats.nifti_write import save_mask, write_scan
from liverseg_gui.segmentation.models.registry import find_model
from liverseg_gui.system.temporary_files import HOST
from tests.cli.test_cohort import table, words
from tests.conftest import WAIT_S

pytestmark = pytest.mark.slow
COUNT = 6


class DiesOnce:
    """Lets the first worker that has segmented a case die while it writes the mask."""

    name = "dies once"

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def setup(self, worker: object) -> None:
        segment_scan.save_mask = self.save_mask  # type: ignore[attr-defined]

    def save_mask(
        self, labels: LabelMap, origin: Origin, path: Path, mark: Mark, **how: Any
    ) -> None:
        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            save_mask(labels, origin, path, mark, **how)
            return
        path.with_name(f".liverseg-{HOST}-0123456789abcdef.part").write_bytes(b"half of it")
        self.mark.write_text(path.name)
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def many(tiny: Phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scans that differ, each in its own way."""
    folder = tmp_path_factory.mktemp("many")
    for n in range(COUNT):
        hu = np.roll(tiny.volume.hu, n, axis=0)
        write_scan(replace(tiny.volume, hu=hu), folder / f"case{n}.nii.gz")
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="the dask extra is not installed")
    import dask

    limits = dict.fromkeys(
        ("distributed.comm.timeouts.connect", "distributed.comm.timeouts.tcp"), WAIT_S
    )
    with (
        patch.dict(os.environ),
        patch.object(run_cluster, "_CONNECT_S", WAIT_S),
        dask.config.set(limits),
        distributed.LocalCluster(  # sets OMP_NUM_THREADS here too
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",  # the usual port may be taken
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as cluster,
    ):
        yield cluster


@pytest.fixture
def options(untrained_model: Path, tmp_path: Path) -> CaseOptions:
    (tmp_path / "out").mkdir()
    sha256 = find_model(str(untrained_model)).sha256
    return CaseOptions(tmp_path / "out", str(untrained_model), sha256, "cpu")


def voxels(path: Path) -> np.ndarray:
    return np.asanyarray(nib.load(path).dataobj)


def test_with_a_worker_killed_midway_nothing_is_lost_and_the_masks_are_those_made_here(
    cluster: Any, many: Path, untrained_model: Path, tmp_path: Path
) -> None:
    import distributed

    mark = tmp_path / "died"
    with distributed.Client(cluster, set_as_default=False) as client:
        client.register_plugin(_plugin(DiesOnce(mark)))
    here, there = tmp_path / "here", tmp_path / "there"
    scheduler = ["--scheduler", cluster.scheduler_address]
    assert main(words(many, there, untrained_model, *scheduler)) == 0
    died_with = mark.read_text()
    assert main(words(many, here, untrained_model)) == 0
    names = {f"case{n}" for n in range(COUNT)}
    assert table(there).keys() == names
    for name, row in table(there).items():
        assert (row["status"], row["reason"]) == ("done", "")
        assert row["liver_ml"] == table(here)[name]["liver_ml"]
        mask = voxels(there / f"{name}.nii.gz")
        assert mask.any()
        np.testing.assert_array_equal(mask, voxels(here / f"{name}.nii.gz"))
    assert died_with in {f"{name}.nii.gz" for name in names}
    assert {p.name for p in there.iterdir()} == {p.name for p in here.iterdir()}
    assert main(words(many, there, untrained_model, *scheduler)) == 0
    assert {row["reason"] for row in table(there).values()} == {ALREADY}


def _plugin(dies: DiesOnce) -> Any:
    from distributed import WorkerPlugin

    class Plugin(WorkerPlugin):  # type: ignore[misc]
        name = dies.name

        def setup(self, worker: object) -> None:
            dies.setup(worker)

    return Plugin()


def test_cancelling_gives_up_what_is_waiting(
    cluster: Any, many: Path, options: CaseOptions
) -> None:
    cases = find_cases(many, options.output, Progress()).cases
    progress = Progress()
    results = run_on_cluster(cases, options, cluster.scheduler_address, progress)
    first = next(results)
    progress.cancel()
    with pytest.raises(Cancelled):
        next(results)
    assert first.reason == ""
    assert (options.output / f"{first.name}.nii.gz").is_file()


def test_no_scheduler_is_told(many: Path, options: CaseOptions) -> None:
    pytest.importorskip("distributed", reason="the dask extra is not installed")
    cases = find_cases(many, options.output, Progress()).cases
    with pytest.raises(LiverSegError, match="No Dask scheduler answers at nowhere"):
        next(run_on_cluster(cases, options, "nowhere", Progress()))


def test_without_dask_the_way_to_get_it_is_told(
    many: Path,
    untrained_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    arguments = words(many, tmp_path / "out", untrained_model, "--scheduler", "tcp://127.0.0.1:1")
    assert main(arguments) == 1
    assert "pip install 'liverseg[dask]'" in capsys.readouterr().err


def test_a_task_does_a_case_and_refuses_another_model(many: Path, options: CaseOptions) -> None:
    case = find_cases(many, options.output, Progress()).cases[0]
    with pytest.raises(ModelError, match="another one than where the cohort was started"):
        run_case(case, replace(options, model_sha256="0" * 64))
    result = run_case(case, options)
    assert isinstance(result, CaseResult)
    assert result.reason == ""
    assert run_case(case, options).reason == ALREADY


def test_a_case_that_kills_every_worker_is_told(many: Path, options: CaseOptions) -> None:
    distributed = pytest.importorskip("distributed", reason="the dask extra is not installed")

    class Lost:
        def result(self) -> CaseResult:
            raise distributed.KilledWorker("task", None, 3)

    case = find_cases(many, options.output, Progress()).cases[0]
    result = result_of(case, Lost())
    assert (result.status, result.name) == (Status.FAILED, "case0")
    assert "Each worker that computed this case died" in result.reason
