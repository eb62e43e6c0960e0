"""Batches of prepared slices as the network is given them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from torch import Tensor

from training.augmentation.synthetic_tumors import paint_tumors
from training.augmentation.transforms import intensity, liver_intensity, spatial
from training.config.augmentation_config import Augmentation, SyntheticTumors
from training.config.field_of_view import FieldOfView
from training.config.train_config import TrainConfig


class BatchTransform(Callback):
    """uint8 trunks to floats in 0..1 at the size of the network's input, augmented while training.

    `liver_view_probability` is the share of batches that see the liver closer up; validation
    always looks at the trunk.
    """

    order = -5

    def __init__(self, config: TrainConfig) -> None:
        self._trunk, self._liver = config.trunk, config.liver
        self._augmentation: Augmentation = config.augmentation
        self._synthetic: SyntheticTumors | None = config.synthetic
        self.liver_view_probability = 0.0

    def before_batch(self) -> None:
        images, centers = self.xb
        images, labels = images.float().div_(255), self.y.long()
        if self.training:
            images, labels = self.change(images, centers, labels)
        else:
            images, labels = _plain(images, labels, self._trunk)
        self.learn.xb = (images.contiguous(memory_format=torch.channels_last),)
        self.learn.yb = (labels,)

    def change(self, images: Tensor, centers: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """One of the views, augmented."""
        liver = self._liver is not None and float(torch.rand(1)) < self.liver_view_probability
        view = self._liver if liver and self._liver is not None else self._trunk
        images, labels = spatial(self._augmentation, images, labels, centers, view)
        if self._synthetic is not None:
            images, labels = paint_tumors(self._synthetic, images, labels, view.pixel_mm)
        images = liver_intensity(self._augmentation, images, labels)
        return intensity(self._augmentation, images), labels


def _plain(images: Tensor, labels: Tensor, view: FieldOfView) -> tuple[Tensor, Tensor]:
    images = F.interpolate(images, view.size, mode="bilinear", antialias=True)
    return images, F.interpolate(labels[:, None].float(), view.size)[:, 0].long()
