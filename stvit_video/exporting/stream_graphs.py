"""A classifier in two graphs, for videos that don't end: one for each step of frames, one for a window of steps."""

from typing import Any

from torch import Tensor, nn

from stvit_video.data.transforms.functional import finish_clips
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.models.base import TokenModel
from stvit_video.models.deit.model import DeiT


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
        encoded = self.model.encode_frames(finish_clips(frames.permute(0, 4, 1, 2, 3), self.preprocessing))
        tokens = encoded[0] if isinstance(encoded, tuple) else encoded  # (B, 1, *grid, C)
        return tokens[:, 0]


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
        return self.model.forward_head(self.model.features_of(tokens)).float()


def frames_per_step(model: TokenModel) -> int:
    """Frames whose tokens are computed together: a tubelet of a DeiT, else one."""
    return model.patch_embed.patch_size[0] if isinstance(model, DeiT) else 1


def why_not_streamed(model: TokenModel, preprocessing: Preprocessing) -> str | None:
    """Why image tokens of a step can't be computed without the other steps, or don't have to; None = they can.

    Tokens up to generation are those of a step alone where blocks before it see one step (`encode_frames` of the
    families), positions in time are added behind them, and no frame is changed by another one.
    """
    if len(model.grid.sizes) != 3:
        return "it sees one picture, which has no steps"
    if not model.reducers():
        return "it makes no semantic tokens, so that a step would leave as much to do as a whole clip"
    if not hasattr(model, "encode_frames"):
        return "its windows before generation stretch over several steps"
    if not model.num_frame_blocks:
        return "its blocks before generation see all steps of a clip (base_attention='joint')"
    if preprocessing.frame_difference:
        return "its frames are differences to the frame before, which is in another step (data.frame_difference)"
    if preprocessing.static_clip != "none":
        return f"its clips are made of frames of other steps (data.static_clip={preprocessing.static_clip})"
    return None


def require_streamable(model: TokenModel, preprocessing: Preprocessing) -> None:
    """Raise unless the model can be exported in two graphs.

    Raises:
        ValueError: it can't, and why.
    """
    reason = why_not_streamed(model, preprocessing)
    if reason is not None:
        raise ValueError(
            f"the model can't be exported in two graphs: {reason}; leave streaming out, or use a stvit_video_deit_ or "
            f"stvit_video_casvit_ model"
        )
