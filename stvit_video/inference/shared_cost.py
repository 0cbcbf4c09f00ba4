"""What a frame of a video costs where semantic tokens are made on key frames alone."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.inference.dense_cost import pictures_per_second
from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.key_frames import KeyFrames, clip_tokens
from stvit_video.tokens.shared_tokens import SharedTokens

__all__ = ["frames_per_second", "gmacs_per_frame"]


class _TwoFrames(nn.Module):
    """A backbone on a key frame and a frame behind it."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, clip: Tensor) -> list[Tensor]:
        """(1, 3, 2, H, W) -> maps (2, C_i, H_i, W_i)."""
        return self.backbone(clip[0].movedim(1, 0), shared=clip_tokens(2, clip_frames=2))


def gmacs_per_frame(
    backbone: nn.Module, whole: nn.Module, *, picture_size: tuple[int, int], key_every: int = 1
) -> tuple[float, float]:
    """Multiply-adds (in 1e9) for a frame, the mean over a key frame and those that share its tokens.

    Args:
        backbone: from pictures (B, 3, H, W) to maps.
        whole: the model with this backbone, from a picture (1, 3, H, W) to its answers.
        picture_size: height and width in pixels of the padded picture.
        key_every: frames from one key frame to the next; 1 = they share nothing.

    Returns:
        Of the backbone, and of the whole.

    Raises:
        ValueError: `key_every` is no whole number from 1 on, or the backbone has no tokens to share.
    """
    whole_number("key_every", key_every)
    height, width = picture_size
    of_backbone, of_whole = (count_gmacs(model, (3, height, width)) for model in (backbone, whole))
    if key_every == 1:
        return of_backbone, of_whole
    behind = count_gmacs(_TwoFrames(backbone), (3, 2, height, width)) - of_backbone
    saved = (key_every - 1) * (of_backbone - behind) / key_every
    return of_backbone - saved, of_whole - saved


def frames_per_second(
    answer: Callable[[Tensor, SharedTokens | None], Any],
    *,
    picture_size: tuple[int, int],
    device: torch.device,
    key_every: int = 1,
) -> float:
    """Frames of a size (height, width) per second, one at a time, a key frame and those behind it; the median of three.

    Args:
        answer: takes a frame (1, 3, H, W) and what it shares.
        picture_size: in pixels.
        device: where the model is.
        key_every: frames from one key frame to the next.
    """

    def run(frame: Tensor) -> None:
        key_frames = KeyFrames(key_every)
        for _ in range(key_every):
            answer(frame, key_frames.shared_by_next(1))

    return key_every * pictures_per_second(run, picture_size=picture_size, device=device)
