"""Shared fixtures: phantoms, the folder of real CT, and a tiny model."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from liverseg_gui.core.phantom import Phantom, PhantomSpec, make_phantom

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

WAIT_S = 1500.0
"""Longer than the suite lets a test take (pyproject.toml), whose limit thus is the only one."""

REAL_DATA = Path(
    os.environ.get("LIVERSEG_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")
)


@pytest.fixture(autouse=True, scope="session")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, caches, logs and what is for all users go into folders of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVERSEG_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("LIVERSEG_SITE", str(tmp_path_factory.mktemp("site")))
        yield


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Waits for what is to come, however slow the machine is."""
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitActive"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=int(WAIT_S * 1000)))
    return qtbot


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """The program's own application, for pytest-qt."""
    from liverseg_gui.ui.app.app import Application

    return Application


@pytest.fixture(scope="session")
def phantom() -> Phantom:
    """A small phantom with three tumors of known size."""
    return make_phantom(PhantomSpec(1, (128, 128, 48), (3.0, 3.0, 4.5), (40.0, 30.0, 20.0)))


@pytest.fixture
def real_data(request: pytest.FixtureRequest) -> Path:
    """The folder of real CT; the test is skipped where there is none."""
    if not (REAL_DATA / "dicom").is_dir():
        pytest.skip(f"no real CT at {REAL_DATA} (LIVERSEG_TEST_DATA names another folder)")
    return REAL_DATA


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with random weights: for everything but accuracy."""
    import torch

    from liverseg_gui.segmentation.networks.unet import build_network
    from training.export.weights import export_model

    torch.manual_seed(0)
    size = (64, 96)
    card = {
        "name": "untrained",
        "architecture": "slim-resnet18",
        "size": size,
        "window_hu": (-40.0, 160.0),
    }
    network = build_network("slim-resnet18", 3, size)
    return export_model(network, tmp_path_factory.mktemp("model"), card)
