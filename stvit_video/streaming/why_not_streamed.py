"""Which models can be computed step by step: those whose image tokens of a step depend on its frames alone."""

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.models.base import TokenModel


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
    """Raise unless the model can be computed step by step.

    Raises:
        ValueError: it can't, and why.
    """
    reason = why_not_streamed(model, preprocessing)
    if reason is not None:
        raise ValueError(
            f"the model can't be computed step by step: {reason}; use a stvit_video_deit_ model with "
            "base_attention='frame', or a stvit_video_casvit_ model"
        )
