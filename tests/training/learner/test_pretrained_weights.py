"""Encoder weights from files and by download, and the networks that take them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import ResNet18_Weights, resnet18

from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.networks.unet import SlimResUNet, build_network, encoder_and_decoder
from tests.training.tiny import TINY, tiny_slices
from training.config.train_config import TrainConfig
from training.learner.build import make_learner
from training.learner.pretrained_weights import encoder_weights, read_encoder_weights


@pytest.fixture(scope="module")
def pretrained() -> dict[str, Tensor]:
    torch.manual_seed(7)
    return dict(resnet18(weights=None).state_dict())


def first_layer(architecture: str, weights: dict[str, Tensor]) -> Tensor:
    network = build_network(architecture, 3, (32, 64), weights)
    return next(iter(network.parameters())).detach()


@pytest.mark.parametrize("architecture", ["slim-resnet18", "slim-resnet18-ppm", "unet-resnet18"])
@pytest.mark.parametrize("prefix", ["", "backbone.", "module.encoder."])
def test_a_state_dict_is_read_whatever_its_names_begin_with(
    pretrained: dict[str, Tensor], tmp_path: Path, architecture: str, prefix: str
) -> None:
    file = tmp_path / "weights.pth"
    torch.save({prefix + name: value for name, value in pretrained.items()}, file)
    weights = read_encoder_weights(file)
    assert torch.equal(first_layer(architecture, weights), pretrained["conv1.weight"])


def test_safetensors_without_the_last_layer_are_read(
    pretrained: dict[str, Tensor], tmp_path: Path
) -> None:
    file = tmp_path / "weights.safetensors"
    save_file({k: v for k, v in pretrained.items() if not k.startswith("fc.")}, file)
    weights = read_encoder_weights(file)
    assert torch.equal(first_layer("slim-resnet18", weights), pretrained["conv1.weight"])


def test_the_weights_inside_of_a_checkpoint_are_found(
    pretrained: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save({"epoch": 3, "state_dict": pretrained}, tmp_path / "checkpoint.pth")
    assert "layer4.1.conv2.weight" in read_encoder_weights(tmp_path / "checkpoint.pth")


class Trap:
    """Code in a pickle."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("the code in the file ran",)


def test_code_in_a_file_of_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"conv1.weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(ModelError, match="hold more than weights"):
        read_encoder_weights(tmp_path / "trap.pth")
    assert "ran" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["damaged.pth", "damaged.safetensors"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no weights at all")
    with pytest.raises(ModelError, match=name):
        read_encoder_weights(tmp_path / name)
    with pytest.raises(ModelError, match="No such file"):
        read_encoder_weights(tmp_path / f"missing-{name}")


def test_weights_of_another_encoder_do_not_fit(pretrained: dict[str, Tensor]) -> None:
    with pytest.raises(ModelError, match="do not fit resnet34"):
        build_network("slim-resnet34", encoder_weights=pretrained)
    part = {k: v for k, v in pretrained.items() if k != "layer1.0.conv1.weight"}
    with pytest.raises(ModelError, match=r"layer1\.0\.conv1\.weight"):
        build_network("slim-resnet18", encoder_weights=part)


def test_imagenet_weights_come_from_torchvision(
    pretrained: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def fetch(self: object, **options: object) -> dict[str, Tensor]:
        seen.append((self, options["weights_only"], socket.getdefaulttimeout()))
        return pretrained

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", fetch)
    assert encoder_weights("imagenet", "resnet18") is pretrained
    assert seen == [(ResNet18_Weights.DEFAULT, True, 30.0)]
    assert socket.getdefaulttimeout() is None


def test_without_a_network_no_training_begins_on_weights_that_it_has_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: object, **options: object) -> NoReturn:
        raise URLError("no network")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", fail)
    config = TrainConfig(**{**vars(TINY), "encoder_weights": "imagenet"})
    slices = tiny_slices(8)
    with pytest.raises(ModelError, match="could not be downloaded") as problem:
        make_learner(config, slices, slices)
    assert "--encoder-weights FILE" in problem.value.remedy


@pytest.mark.parametrize("architecture", ["slim-resnet18", "slim-resnet18-ppm", "unet-resnet18"])
def test_freezing_holds_the_encoder_and_frees_it_again(architecture: str) -> None:
    slices = tiny_slices(8)
    config = TrainConfig(**{**vars(TINY), "architecture": architecture})
    learner = make_learner(config, slices, slices)
    learner.freeze()
    encoder, decoder = encoder_and_decoder(learner.model)
    modules = [m for m in learner.model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    norms = {id(p) for module in modules for p in module.parameters()}
    assert not any(p.requires_grad for p in encoder if id(p) not in norms)
    assert all(p.requires_grad for p in decoder)
    learner.unfreeze()
    assert all(p.requires_grad for p in encoder)


def test_the_pyramid_adds_weights_of_its_own_and_leaves_the_others_their_names() -> None:
    plain = build_network("slim-resnet18").state_dict()
    pooled = build_network("slim-resnet18-ppm").state_dict()
    assert not any("pyramid" in name for name in plain)
    added = {name for name in pooled if name not in plain}
    assert set(plain) <= set(pooled)
    assert added
    assert all(name.startswith("pyramid.") for name in added)


def test_the_pyramid_shows_each_place_the_whole_picture() -> None:
    torch.manual_seed(0)
    network = build_network("slim-resnet18-ppm")
    assert isinstance(network, SlimResUNet)
    pyramid = network.pyramid
    assert pyramid is not None
    features = torch.rand(1, 512, 6, 9)
    pyramid.eval()
    before = pyramid(features)
    changed = features.clone()
    changed[..., 0, 0] += 5
    assert before.shape == features.shape
    assert (pyramid(changed) - before)[..., 5, 8].abs().max() > 1e-4


def test_a_single_slice_can_train_the_pyramid() -> None:
    network = build_network("slim-resnet18-ppm", 3, (64, 64)).train()
    assert network(torch.rand(1, 3, 64, 64)).shape == (1, 3, 64, 64)
