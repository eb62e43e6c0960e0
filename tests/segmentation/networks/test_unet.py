from __future__ import annotations

import pytest
import torch

from liverseg_gui.core.errors import ModelError
from liverseg_gui.segmentation.networks.unet import build_network, encoder_and_decoder

SIZE = (64, 96)


@pytest.mark.parametrize("architecture", ["slim-resnet18", "slim-resnet50", "unet-resnet18"])
def test_a_network_scores_three_classes_for_every_pixel(architecture: str) -> None:
    network = build_network(architecture, 3, SIZE).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, 3, *SIZE)).shape == (2, 3, *SIZE)


@pytest.mark.parametrize("architecture", ["slim-resnet18", "unet-resnet18"])
def test_encoder_and_decoder_are_two_groups_of_all_parameters(architecture: str) -> None:
    network = build_network(architecture, 3, SIZE)
    encoder, decoder = encoder_and_decoder(network)
    assert len(encoder) + len(decoder) == len(list(network.parameters()))
    # ResNet-18 without its classifier has 11.18 million weights.
    assert sum(p.numel() for p in encoder) == 11_176_512


def test_five_context_slices_are_possible() -> None:
    network = build_network("slim-resnet18", 5, SIZE).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 5, *SIZE)).shape == (1, 3, *SIZE)


def test_encoder_weights_are_used() -> None:
    from torchvision.models import resnet18

    donor = resnet18(weights=None)
    network = build_network("slim-resnet18", 3, SIZE, donor.state_dict())
    first = next(iter(network.encoder.parameters()))
    assert torch.equal(first, donor.conv1.weight)


def test_weights_of_another_encoder_are_refused() -> None:
    from torchvision.models import resnet34

    with pytest.raises(ModelError, match="do not fit resnet18"):
        build_network("slim-resnet18", 3, SIZE, resnet34(weights=None).state_dict())


def test_an_unknown_architecture_is_refused_with_the_choices() -> None:
    with pytest.raises(ModelError, match="slim-resnet18"):
        build_network("vgg")
