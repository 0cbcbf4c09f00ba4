"""A model of clips as the backbone of a head that works on pictures: the maps of a clip, frame by frame."""

import torch
from torch import Tensor, nn

from stvit_video.layers.numbers import whole_number


class ClipFrames(nn.Module):
    """The frames of a batch as clips through a video model, whose maps become those of the frames.

    Where a model makes one time step of several frames (tubelets), each of them has the map of the step.

    Args:
        model: a model with `features_only`, from clips (B, 3, T, H, W) to maps (B, C_i, T_i, H_i, W_i).
        clip_frames: frames T of a clip.

    Raises:
        ValueError: `clip_frames` is no whole number from 1 on, or the model gives no maps.
    """

    def __init__(self, model: nn.Module, *, clip_frames: int) -> None:
        super().__init__()
        if not getattr(model, "features_only", False):
            raise ValueError("ClipFrames needs a model that gives maps; build it with features_only=True")
        self.model = model
        self.clip_frames = whole_number("clip_frames", clip_frames)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """The maps of frames that follow one another.

        Args:
            frames: (n, 3, H, W), clip behind clip; a last clip that is short is filled up with its last frame.

        Returns:
            (n, C_i, H_i, W_i) for every level.
        """
        maps = self.model(clips_of(frames, self.clip_frames))
        return [frames_of(level, self.clip_frames)[: len(frames)] for level in maps]


def clips_of(frames: Tensor, clip_frames: int) -> Tensor:
    """Frames (n, C, H, W) -> clips (B, C, T, H, W), the last one filled up with its last frame."""
    filling = frames[-1:].expand(-len(frames) % clip_frames, -1, -1, -1)
    return torch.cat([frames, filling]).unflatten(0, (-1, clip_frames)).transpose(1, 2)  # (B, C, T, H, W)


def frames_of(level: Tensor, clip_frames: int) -> Tensor:
    """A map of clips (B, C, T_i, H, W) -> of their frames (B * T, C, H, W), each time step for all of its frames."""
    repeated = level.repeat_interleave(clip_frames // level.shape[2], dim=2)  # (B, C, T, H, W)
    return repeated.transpose(1, 2).flatten(0, 1)
