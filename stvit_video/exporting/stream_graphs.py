"""A classifier in two graphs, for videos that don't end: one for each step of frames, one for a window of steps."""

from typing import Any

from torch import Tensor, nn

from stvit_video.data.transforms.functional import finish_clips
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.streaming.model_halves import decide_steps, encode_steps
from stvit_video.streaming.why_not_streamed import require_streamable


class EncodeGraph(nn.Module):
    """What is computed of every step of frames alone: the image tokens at the place of generation.

    Args:
        model: a classifier that `why_not_streamed` has nothing against.
        preprocessing: what it is fed with.
    """

    def __init__(self, model: Any, preprocessing: Preprocessing) -> None:
        super().__init__()
        require_streamable(model, preprocessing)
        self.model, self.preprocessing = model, preprocessing

    def forward(self, frames: Tensor) -> Tensor:
        """Frames of a step (B, `frames_per_step`, H, W, 3) uint8 RGB -> its tokens (B, *grid, C), grid (H, W)."""
        clips = finish_clips(frames.permute(0, 4, 1, 2, 3), self.preprocessing)  # (B, 3, T, H, W)
        return encode_steps(self.model, clips)[:, 0]


class DecideGraph(nn.Module):
    """What is computed of all steps together: from the image tokens to logits.

    Args:
        model, preprocessing: as of `EncodeGraph`.
    """

    def __init__(self, model: Any, preprocessing: Preprocessing) -> None:
        super().__init__()
        require_streamable(model, preprocessing)
        self.model = model

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens of the steps of a clip in order, (B, T, *grid, C) -> logits (B, num_classes) float32."""
        return decide_steps(self.model, tokens)
