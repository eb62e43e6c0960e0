from __future__ import annotations

from pathlib import Path

import pytest
import torch

from liverseg_gui.core.progress import Progress
from liverseg_gui.system.devices import DEVICES
from training.config.train_config import TrainConfig
from training.planning import devices
from training.planning.devices import (
    device_offers,
    imagenet_problem,
    precision_problem,
)


def test_only_devices_that_are_there_are_offered() -> None:
    usual, problems = device_offers(Progress())
    assert problems["auto"] == problems["cpu"] == ""
    assert bool(problems["cuda"]) is not torch.cuda.is_available()
    assert problems[usual] == ""


def test_every_device_is_one_that_a_recipe_takes() -> None:
    assert [TrainConfig(device=name).device for name in DEVICES] == list(DEVICES)


@pytest.mark.parametrize(
    ("precision", "device", "offered"),
    [
        ("auto", "mps", True),
        ("float32", "mps", True),
        ("bf16", "cpu", True),
        ("bf16", "mps", False),
        ("fp16", "cuda", True),
        ("fp16", "cpu", False),
    ],
)
def test_a_precision_is_offered_where_training_knows_it(
    precision: str, device: str, offered: bool
) -> None:
    assert (precision_problem(precision, device) == "") is offered


def test_imagenet_is_to_be_had_from_a_network_or_from_an_earlier_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(devices, "_has_network", lambda: False)
    assert "no network" in imagenet_problem("slim-resnet18-ppm", Progress())
    monkeypatch.setattr(devices, "_has_network", lambda: True)
    assert imagenet_problem("slim-resnet18-ppm", Progress()) == ""
    monkeypatch.setattr(devices, "_has_network", lambda: False)
    place = devices._downloaded("resnet18")
    assert place.parent == tmp_path / "checkpoints"
    assert place.name.startswith("resnet18-")
    place.parent.mkdir()
    place.touch()
    assert imagenet_problem("slim-resnet18-ppm", Progress()) == ""
    assert "no network" in imagenet_problem("slim-resnet34", Progress())
