"""Fold each batch norm into the convolution before it: the same numbers in fewer passes."""

from __future__ import annotations

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(network: nn.Module) -> nn.Module:
    """A copy of `network`, for inference, without the batch norms that follow a convolution.

    A norm is taken to follow the convolution that its module holds just before it, as in
    torchvision's ResNets and in `networks`. Whether that is true of a network shows in its labels.
    """
    copied = copy.deepcopy(network).eval()
    for module in list(copied.modules()):
        for (before, conv), (name, norm) in pairwise(list(module.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, before, fuse_conv_bn_eval(conv, norm))
                setattr(module, name, nn.Identity())
    return copied
