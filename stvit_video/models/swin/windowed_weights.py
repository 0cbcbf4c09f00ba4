"""Weights of a windowed STViT-R and of one whose tokens see the whole picture: same names, other answers."""

from torch import Tensor

from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.swin.model import PADDING_RULE, Swin
from stvit_video.models.swin.windowed import RELEASED_WINDOWS

RECOVERY = ".attn.q.weight"  # a key of blocks that ask with one set of tokens and look at another
OPTIONS = ", ".join(f"{option}={value}" for option, value in RELEASED_WINDOWS.items())


def check_windowed_weights(
    model: Swin, state: dict[str, Tensor], format_name: str, new_head: bool
) -> dict[str, Tensor]:
    """The state dict as it is, where the model looks at the windows that its weights are from.

    Args:
        model: that is to receive the weights.
        state: tensors by our keys.
        format_name: of the checkpoint's format.
        new_head: whether a training starts with the weights, which may then learn to see windows.

    Raises:
        CheckpointError: the weights are of a windowed STViT-R and the model is not, or the reverse.
    """
    theirs, ours = PADDING_RULE in state, PADDING_RULE in dict(model.named_buffers(recurse=False))
    if theirs and not ours:
        raise CheckpointError(
            f"the weights ({format_name}) are of a windowed STViT-R, whose tokens see windows of the picture, and this "
            f"model has no such windows, so that it would answer otherwise; build a stvit_r_swin_ model with the "
            f"options that they were trained with, those of the released detectors are {OPTIONS}"
        )
    if ours and not theirs and not new_head and any(key.endswith(RECOVERY) for key in state):
        raise CheckpointError(
            f"the weights ({format_name}) are of an STViT-R whose tokens see the whole picture, and this model is "
            f"windowed, so that it would answer otherwise; build it without center_window and recover_window, or start "
            f"a training with a new head (in training init_head=new, in Python new_head=True)"
        )
    return state
