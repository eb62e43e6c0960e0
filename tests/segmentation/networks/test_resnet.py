"""Our ResNets are torchvision's: the same names, the same first weights, the same scores."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

from liverseg_gui.segmentation.networks.architectures import ENCODERS
from liverseg_gui.segmentation.networks.resnet import ResNet


@pytest.mark.parametrize("name", ENCODERS)
def test_a_seed_gives_the_weights_and_the_scores_of_torchvision(name: str) -> None:
    torch.manual_seed(3)
    ours = ResNet(name).eval()
    torch.manual_seed(3)
    theirs = getattr(models, name)(weights=None).eval()
    mine, expected = ours.state_dict(), theirs.state_dict()
    assert list(mine) == list(expected)
    assert all(torch.equal(mine[key], expected[key]) for key in expected)
    pictures = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        assert torch.equal(ours(pictures), theirs(pictures))
