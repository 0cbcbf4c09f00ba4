"""The two halves of a model: what is computed of a step of frames alone, and what of all steps of a clip together."""

from typing import Any

from torch import Tensor

from stvit_video.models.base import TokenModel
from stvit_video.models.deit.model import DeiT


def frames_per_step(model: TokenModel) -> int:
    """Frames whose tokens are computed together: a tubelet of a DeiT, else one."""
    return model.patch_embed.patch_size[0] if isinstance(model, DeiT) else 1


def encode_steps(model: Any, frames: Tensor) -> Tensor:
    """The image tokens at the place of generation, of every step by itself.

    Args:
        model: a classifier that `why_not_streamed` has nothing against.
        frames: (B, C, n, H, W), normalised; n is a multiple of `frames_per_step`.

    Returns:
        (B, S, *grid, C), S steps with a grid (H, W) each.
    """
    encoded = model.encode_frames(frames)
    return encoded[0] if isinstance(encoded, tuple) else encoded


def decide_steps(model: Any, tokens: Tensor) -> Tensor:
    """Tokens of the steps of a clip in order, (B, T, *grid, C) -> logits (B, num_classes) float32."""
    return model.forward_head(model.features_of(tokens)).float()
