"""The crops of an evaluation, one clip at a time: what the views of a data set are compared with."""

import torch

from stvit_video.data.transforms.crops import crop_offsets
from stvit_video.data.transforms.functional import channels_first, finish_clips, resize_short_side
from stvit_video.data.transforms.preprocessing import Preprocessing


def eval_crops(frames: torch.Tensor, preprocessing: Preprocessing, *, num_crops: int = 1) -> torch.Tensor:
    """Frames (T, H, W, 3) uint8 of one clip -> its crops (num_crops, 3, T, crop_size, crop_size) float32."""
    size, short_side = preprocessing.crop_size, preprocessing.short_side
    resized = resize_short_side(
        channels_first(frames), short_side=short_side, interpolation=preprocessing.interpolation
    )  # (T, 3, h, w)
    corners = crop_offsets(resized.shape[-2], resized.shape[-1], crop_size=size, num_crops=num_crops)
    crops = [resized[..., top : top + size, left : left + size] for top, left in corners]
    return torch.stack([finish_clips(crop.transpose(0, 1), preprocessing) for crop in crops])
