"""Layers of which the heads for maps are made."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torchvision.ops import Conv2dNormActivation

from stvit_video.dense.init_towers import init_towers
from stvit_video.dense.map_logits import resized_logits

CLASSIFIER_DEVIATION = 0.01


def conv_norm(in_channels: int, out_channels: int, *, kernel: int = 3) -> nn.Module:
    """A convolution without bias, batch norm and ReLU, on maps (B, C, H, W) of any size, with fresh weights."""
    layer = Conv2dNormActivation(in_channels, out_channels, kernel, inplace=False)
    init_towers(layer)
    return layer


class PixelClassifier(nn.Module):
    """Logits of every cell, behind a dropout of channels.

    Args:
        channels: of the map.
        num_classes: of the logits.
        dropout: share of the channels of a picture that are 0 in a step of the training.
    """

    def __init__(self, channels: int, num_classes: int, *, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout2d(dropout)
        self.conv = nn.Conv2d(channels, num_classes, 1)
        nn.init.normal_(self.conv.weight, std=CLASSIFIER_DEVIATION)
        nn.init.zeros_(self.conv.get_parameter("bias"))

    def forward(self, features: Tensor) -> Tensor:
        """A map (B, C, H, W) -> logits (B, num_classes, H, W)."""
        return self.conv(self.dropout(features))


class PyramidPooling(nn.Module):
    """A map beside what it is in grids of few cells, so that every cell knows the whole picture.

    Args:
        in_channels: of the map.
        channels: of every grid, and of the answer.
        cells: along a side of each grid.

    Source: Zhao et al. 2017 (Pyramid Scene Parsing Network).
    """

    def __init__(self, in_channels: int, channels: int, *, cells: Sequence[int]) -> None:
        super().__init__()
        self.pools = nn.ModuleList(nn.AdaptiveAvgPool2d(number) for number in cells)
        self.convs = nn.ModuleList(conv_norm(in_channels, channels, kernel=1) for _ in cells)
        self.fuse = conv_norm(in_channels + len(cells) * channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """A map (B, in_channels, H, W) -> (B, channels, H, W)."""
        size = (features.shape[-2], features.shape[-1])
        grids = [conv(pool(features)) for pool, conv in zip(self.pools, self.convs, strict=True)]
        return self.fuse(torch.cat([features, *(resized_logits(grid, size) for grid in grids)], dim=1))
