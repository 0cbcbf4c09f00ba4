"""A classifier as one graph from bytes to logits: what is exported."""

import torch
from torch import Tensor, nn

from stvit_video.data.transforms.functional import finish_clips
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.models.base import TokenModel


class ClipGraph(nn.Module):
    """A model behind the normalisation that it was trained with.

    Scaling to 0..1, mean, std, differences of frames and static clips are in the graph; resizing, cropping and the
    choice of frames are not.

    Args:
        model: a classifier, or a backbone with `features_only`.
        preprocessing: what it is fed with.
    """

    def __init__(self, model: TokenModel, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.model = model
        self.preprocessing = preprocessing

    def forward(self, frames: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Frames of clips -> logits.

        Args:
            frames: (B, T, H, W, 3) uint8 RGB, H = W = crop_size; T = 1 for images.

        Returns:
            (B, num_classes) float32; of a backbone the maps (B, C_i, *grid_i) of its levels.
        """
        clips = finish_clips(frames.permute(0, 4, 1, 2, 3), self.preprocessing)  # (B, 3, T, H, W)
        found = self.model(clips)
        return tuple(level.float() for level in found) if isinstance(found, list) else found.float()


def example_frames(preprocessing: Preprocessing, *, batch: int = 2, seed: int = 0) -> Tensor:
    """Clips of coarse random pictures that drift over time, under fine noise: neither flat nor noise alone.

    Args:
        preprocessing: number of frames and size.
        batch: clips.
        seed: of the draws.

    Returns:
        (batch, T, H, W, 3) uint8 RGB, H = W = crop_size.
    """
    generator = torch.Generator().manual_seed(seed)
    size, steps = preprocessing.crop_size, preprocessing.num_frames
    coarse = torch.rand(batch, 3, 7, 7, generator=generator)
    large = nn.functional.interpolate(coarse, (2 * size, 2 * size), mode="bicubic")  # (B, 3, 2H, 2W)
    starts = [round(step * size / max(1, steps)) for step in range(steps)]
    clips = torch.stack([large[..., start : start + size, start // 2 :][..., :size] for start in starts], dim=1)
    noise = torch.randn(clips.shape, generator=generator) * 0.05  # (B, T, 3, H, W)
    return ((clips + noise) * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 1, 3, 4, 2).contiguous()
