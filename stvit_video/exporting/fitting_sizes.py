"""Sizes of a clip that a model's patches tile, told in the settings that choose them."""

from torch import nn

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.layers.patch_embed import PatchEmbed


def require_whole_patches(model: nn.Module, preprocessing: Preprocessing) -> None:
    """Raise where patches don't tile a clip; a model that pads takes every size.

    Args:
        model: a classifier.
        preprocessing: frames of a clip and its crop.

    Raises:
        ValueError: num_frames or crop_size is no multiple of the patch.
    """
    for patches in (one for one in model.modules() if type(one) is PatchEmbed):  # those of Swin come behind padding
        *tubelet, _, side = patches.patch_size
        if tubelet:
            _require_multiple("num_frames", preprocessing.num_frames, tubelet[0], unit="frames of a tubelet")
        _require_multiple("crop_size", preprocessing.crop_size, side, unit="pixels of a patch")


def _require_multiple(name: str, value: int, step: int, *, unit: str) -> None:
    if value % step:
        below = value - value % step
        ways = " or ".join(f"{name}={size}" for size in (below, below + step) if size)
        raise ValueError(f"{name}={value} is no multiple of {step}, the {unit}; give {ways}")
