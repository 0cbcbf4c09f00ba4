"""Random light and colours of a picture, for detection."""

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as tvf

__all__ = ["distort_colours"]

BRIGHTNESS, CONTRAST, SATURATION = (0.875, 1.125), (0.5, 1.5), (0.5, 1.5)  # factors
HUE = (-0.05, 0.05)  # parts of the colour circle


def distort_colours(
    picture: Tensor, *, probability: float, generator: torch.Generator, swap_channels: bool = True
) -> Tensor:
    """Change brightness, contrast, saturation, hue and the order of the channels, each with a probability of its own.

    All draws are made whatever becomes of them, so that later ones are the same at any probability.

    Args:
        picture: (3, H, W) uint8.
        probability: of each of the five.
        generator: source of the draws.
        swap_channels: False = the channels keep their order.

    Returns:
        (3, H, W) uint8.

    Source: Liu et al., SSD (data augmentation of its code); ranges of torchvision's RandomPhotometricDistort.
    """
    applies = (torch.rand(5, generator=generator) < probability).tolist()
    places = torch.rand(4, generator=generator).tolist()
    contrast_first = bool(torch.rand((), generator=generator) < 0.5)
    channels = torch.randperm(3, generator=generator)
    ranges = (BRIGHTNESS, CONTRAST, SATURATION, HUE)
    brightness, contrast, saturation, hue = (
        low + (high - low) * place for (low, high), place in zip(ranges, places, strict=True)
    )
    if applies[0]:
        picture = tvf.adjust_brightness(picture, brightness)
    if applies[1] and contrast_first:
        picture = tvf.adjust_contrast(picture, contrast)
    if applies[2]:
        picture = tvf.adjust_saturation(picture, saturation)
    if applies[3]:
        picture = tvf.adjust_hue(picture, hue)
    if applies[1] and not contrast_first:
        picture = tvf.adjust_contrast(picture, contrast)
    return picture[channels] if applies[4] and swap_channels else picture
