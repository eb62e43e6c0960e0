"""`liverseg self-test`: what it says of this installation, and of one that is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from liverseg_gui.cli.main import main
from liverseg_gui.cli.self_test import checks as self_checks
from liverseg_gui.cli.self_test import command as self_test
from liverseg_gui.cli.self_test.bench import Bench
from liverseg_gui.cli.self_test.checks import CHECKS, Check
from liverseg_gui.core.errors import LiverSegError
from liverseg_gui.core.labels import LabelMap
from liverseg_gui.segmentation.models.registry import ModelSource, models_folder
from liverseg_gui.segmentation.segmenter import Segmentation
from liverseg_gui.system import paths
from liverseg_gui.ui.app import window_self_test
from liverseg_gui.ui.viewer.surface3d import canvas
from liverseg_gui.ui.viewer.surface3d.scene import NoOpenGLError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The phantom, and a model that finds it as it is."""
    made = Bench(tmp_path)
    made.__dict__["segmentation"] = Segmentation(made.phantom.truth, "exact", "cpu", 0.0)
    return made


def check(name: str) -> Check:
    (one,) = (check for check in CHECKS if check.name == name)
    return one


def test_a_failed_check_is_named_the_others_are_done_and_the_exit_code_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Bench) -> str:
        raise LiverSegError("The sky\nfell.")

    def breaks(_: Bench) -> str:
        raise ImportError("no nms")

    checks = (Check("sky", fails), Check("library", breaks), Check("ground", lambda _: "firm"))
    monkeypatch.setattr(self_checks, "CHECKS", checks)
    assert main(["self-test"]) == 1
    told = capsys.readouterr().out
    assert "FAILED sky: The sky fell. (" in told
    assert "FAILED library: ImportError: no nms (" in told
    assert "ok     ground: firm (" in told
    assert told.splitlines()[-1] == "FAILED: sky, library"


def test_it_leaves_the_readers_settings_and_folders_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[str] = []

    def look(bench: Bench) -> str:
        seen.extend((os.environ["LIVERSEG_HOME"], str(bench.folder)))
        return ""

    monkeypatch.setattr(self_checks, "CHECKS", (Check("look", look),))
    before = os.environ["LIVERSEG_HOME"]
    assert main(["self-test"]) == 0
    home, folder = map(Path, seen)
    assert home == folder / "home"
    assert not folder.exists()
    assert os.environ["LIVERSEG_HOME"] == before


def test_a_model_for_all_users_is_not_in_its_way(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVERSEG_SITE", str(tmp_path / "site"))
    shutil.copytree(paths.resource("models/default"), models_folder(ModelSource.SITE) / "copy")
    with self_test._own_home(tmp_path / "home"):
        assert "model.zip" in check("other exports").run(bench)


def test_without_a_display_it_draws_offscreen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.setattr(self_test, "has_display", lambda: False)
    with self_test._own_home(tmp_path):
        assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
    assert "QT_QPA_PLATFORM" not in os.environ


def test_a_model_that_finds_too_little_fails(bench: Bench) -> None:
    labels = bench.phantom.truth.labels.copy()
    labels[: labels.shape[0] // 2] = 0
    half = LabelMap(labels, bench.phantom.truth.grid)
    bench.__dict__["segmentation"] = Segmentation(half, "half", "cpu", 0.0)
    with pytest.raises(LiverSegError, match=r"Dice of the liver 0\.\d+, of the tumors"):
        check("segmentation").run(bench)
    with pytest.raises(LiverSegError, match="Measured liver"):
        check("measurements").run(bench)


def test_a_segmentation_that_failed_is_not_tried_again_for_every_check(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[str] = []

    class Breaks:
        def segment(self, *_: object) -> Segmentation:
            tried.append("")
            raise LiverSegError("no nms")

        def close(self) -> None: ...

    monkeypatch.setattr("liverseg_gui.segmentation.segmenter_process.ProcessSegmenter", Breaks)
    fresh = Bench(tmp_path)
    with pytest.raises(LiverSegError, match="no nms"):
        check("segmentation").run(fresh)
    with pytest.raises(LiverSegError, match="There is no segmentation"):
        check("measurements").run(fresh)
    assert len(tried) == 1


def test_damaged_weights_fail(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "default"
    folder.mkdir(parents=True)
    shipped = paths.resource("models/default")
    (folder / "card.json").write_bytes((shipped / "card.json").read_bytes())
    weights = bytearray((shipped / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(weights)
    monkeypatch.setattr(paths, "resource", lambda name: tmp_path / name)
    with pytest.raises(LiverSegError, match="damaged"):
        check("default model").run(bench)


class Renderer:
    """Draws one color, or fails to."""

    in_software = False

    def __init__(self, color: str) -> None:
        self._color = QColor(color)

    def upload(self, _: object) -> None: ...

    def render(self, _: object, size: tuple[int, int], __: object) -> QImage:
        if not self._color.isValid():
            raise OSError("out of paint")
        image = QImage(*size, QImage.Format.Format_RGB32)
        image.fill(self._color)
        return image

    def close(self) -> None: ...


def no_renderer() -> Renderer:
    raise NoOpenGLError("no OpenGL context can be made")


@pytest.fixture
def no_process_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window is opened in this process, where a test can say what draws."""
    monkeypatch.setattr(
        window_self_test, "call_in_child", lambda work, progress, *_words: work(progress)
    )


@pytest.mark.usefixtures("no_process_apart")
@pytest.mark.parametrize(
    ("make", "told"),
    [(partial(Renderer, "green"), "3D pane drawn"), (no_renderer, "3D pane not drawn: no OpenGL")],
)
def test_the_window_is_drawn_in_3d_where_there_is_opengl(
    qapp: object,
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], Renderer],
    told: str,
) -> None:
    monkeypatch.setattr(canvas, "make_renderer", make)
    assert told in check("window").run(bench)


@pytest.mark.usefixtures("no_process_apart")
@pytest.mark.parametrize(("color", "reason"), [("black", "empty"), ("none", "out of paint")])
def test_a_3d_pane_that_stays_empty_fails(
    qapp: object, bench: Bench, monkeypatch: pytest.MonkeyPatch, color: str, reason: str
) -> None:
    monkeypatch.setattr(canvas, "make_renderer", partial(Renderer, color))
    with pytest.raises(LiverSegError, match="The 3D pane stayed empty") as failed:
        check("window").run(bench)
    assert reason in str(failed.value)


_WINDOW = """
from pathlib import Path
from liverseg_gui.cli.phantom import write_phantom
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.ui.app.window_self_test import check_window

scan = write_phantom(make_phantom(PhantomSpec(1, (64, 64, 24), (6.0, 6.0, 9.0), (40.0,))), Path())
print(check_window(scan, scan.with_name("truth.nii.gz"), Path("window.png")).in_3d)
"""


def test_on_a_display_with_opengl_the_3d_pane_is_drawn(tmp_path: Path) -> None:
    if shutil.which("xvfb-run") is None:
        pytest.skip("no xvfb-run to draw with OpenGL in")
    display = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24 +extension GLX"]
    places = {"PYTHONPATH": str(ROOT), "LIVERSEG_HOME": str(tmp_path), "QT_QPA_PLATFORM": "xcb"}
    done = subprocess.run(
        [*display, sys.executable, "-c", _WINDOW],
        **{"cwd": tmp_path, "env": {**os.environ, **places}, "timeout": 120},
        capture_output=True,
        text=True,
    )
    if done.stdout == "False\n" or "no Qt platform plugin" in done.stderr:
        pytest.skip(f"no OpenGL here: {done.stdout or done.stderr[-300:]}")
    assert done.stdout == "True\n", done.stderr


def test_offscreen_nothing_is_said_beside_the_checks(tmp_path: Path) -> None:
    places = {
        "PYTHONPATH": str(ROOT),
        "LIVERSEG_HOME": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
    }
    done = subprocess.run(
        [sys.executable, "-c", _WINDOW],
        **{"cwd": tmp_path, "env": {**os.environ, **places}, "timeout": 120},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "False\n", done.stderr
    assert "propagateSizeHints" not in done.stderr


def test_every_file_for_others_is_written_and_read_back(bench: Bench) -> None:
    for name in ("masks", "reports", "pictures"):
        told = check(name).run(bench)
        assert all((bench.folder / file).exists() for file in told.split(", ") if "IM" not in file)
    assert len(list((bench.folder / "slices").glob("*.nii.gz"))) == 48


def test_a_command_that_does_not_start_fails(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [sys.executable, "-c", "import sys; sys.exit('no operator nms')"]
    monkeypatch.setattr(self_checks, "own_command", lambda *_: broken)
    with pytest.raises(LiverSegError, match="does not start itself: no operator nms"):
        check("command line").run(bench)


def test_a_windowed_program_without_streams_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["models"]) == 0
    sys.stdout.close()
    sys.stderr.close()
