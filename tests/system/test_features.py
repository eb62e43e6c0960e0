"""A package without fastai: it segments, and says that it does not train."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from liverseg_gui.cli import train
from liverseg_gui.cli.main import main
from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.networks import unet
from liverseg_gui.system import features

ROOT = Path(__file__).parents[2]
_SEGMENT = """
import sys
from liverseg_gui.core.phantom import PhantomSpec, make_phantom
from liverseg_gui.core.progress import Progress
from liverseg_gui.segmentation.inference import NetworkSegmenter

phantom = make_phantom(PhantomSpec(1, (64, 64, 16), (6.0, 6.0, 12.0)))
NetworkSegmenter("default", "cpu").segment(phantom.volume, Progress())
print(sorted({"fastai", "torchvision", "pandas", "sklearn", "matplotlib"} & set(sys.modules)))
"""


def without_training() -> bool:
    return False


def test_this_installation_trains() -> None:
    assert features.has_training()


def test_segmenting_loads_nothing_of_what_only_training_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SEGMENT], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout == "[]\n", done.stderr


def test_the_command_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "has_training", without_training)
    assert main(["train", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err == f"liverseg: {features.NO_TRAINING}\n"
    assert not (tmp_path / "out").exists()


def test_fastais_own_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unet, "has_training", without_training)
    with pytest.raises(ModelError, match="without fastai"):
        unet.build_network("unet-resnet18")
