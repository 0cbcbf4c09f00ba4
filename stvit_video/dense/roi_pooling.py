"""Pool the features of regions from the level of the pyramid that fits their size."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchvision.ops import roi_align

REGION_OF_LEVEL = 56  # side of the regions, in pixels, from which on the second level is taken


def region_levels(boxes: Tensor, *, num_levels: int) -> Tensor:
    """The level of each region: one more for each doubling of its side, from 112 pixels on.

    Args:
        boxes: (R, 4) in pixels.
        num_levels: levels that there are.

    Returns:
        (R,) int64, 0 = the finest.

    Source: Lin et al. 2017 (FPN), equation 1.
    """
    side = ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).sqrt()
    level = torch.floor(torch.log2(side / REGION_OF_LEVEL) + 1e-6)
    return level.clamp(0, num_levels - 1).to(torch.int64)


def pool_regions(
    maps: Sequence[Tensor],
    boxes: Sequence[Tensor],
    *,
    strides: Sequence[int],
    output_size: int,
    aligned: bool = True,
    num_samples: int = 2,
) -> Tensor:
    """The features of regions by RoIAlign, each from its level.

    Args:
        maps: (B, C, H_i, W_i) of every level, finest first.
        boxes: (R_b, 4) of every picture, in pixels of the padded pictures.
        strides: pixels of a cell, of every level.
        output_size: cells along a side of the result.
        aligned: whether the centre of a pixel counts as half a cell in.
        num_samples: samples along a side of a cell; 0 = as many as there are pixels.

    Returns:
        (R, C, output_size, output_size), the regions of the first picture first.
    """
    numbers = torch.cat([torch.full_like(part[:, :1], i) for i, part in enumerate(boxes)])
    regions = torch.cat([numbers, torch.cat(list(boxes))], dim=1)  # (R, 5)
    levels = region_levels(regions[:, 1:], num_levels=len(maps))
    pooled, places = [], []
    for i, (features, stride) in enumerate(zip(maps, strides, strict=True)):
        places.append(torch.where(levels == i)[0])
        part = regions[places[-1]]
        samples = num_samples or -1
        pooled.append(roi_align(features, part, output_size, 1 / stride, sampling_ratio=samples, aligned=aligned))
    return torch.cat(pooled)[torch.cat(places).argsort()]
