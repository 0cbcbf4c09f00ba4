"""Weights of a windowed STViT-R and of one whose tokens see the whole picture: same names, other answers."""

from collections.abc import Mapping

from torch import Tensor

from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.swin.model import PADDING_RULE, Swin
from stvit_video.models.swin.windowed import RELEASED_WINDOWS

RECOVERY = ".attn.q.weight"  # a key of blocks that ask with one set of tokens and look at another
SCALED = {".ls1.gamma": ".attn.proj", ".ls2.gamma": ".mlp.fc2"}  # a layer scale, and the layer before it
OPTIONS = ", ".join(f"{option}={value}" for option, value in RELEASED_WINDOWS.items())


def check_windowed_weights(
    model: Swin, state: dict[str, Tensor], format_name: str, new_head: bool
) -> dict[str, Tensor]:
    """The state dict, where the model looks at the windows that its weights are from, or may learn to.

    At the start of a training, layer scales of blocks that have none in the model go into the weights before them.

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
    return without_layer_scales(state, model.state_dict()) if new_head else state


def without_layer_scales(state: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict with the layer scales that a model has not multiplied into the layers that they follow.

    The function is the same: gamma (W x + b) = (gamma W) x + gamma b.

    Args:
        state: tensors by our keys.
        wanted: the model's keys.
    """
    folded = dict(state)
    for key in [key for key in state if key.endswith(tuple(SCALED)) and key not in wanted]:
        end = next(end for end in SCALED if key.endswith(end))
        layer, gamma = key.removesuffix(end) + SCALED[end], folded.pop(key)
        for name in (f"{layer}.weight", f"{layer}.bias"):
            if name in folded:
                folded[name] = gamma.reshape(-1, *[1] * (folded[name].ndim - 1)) * folded[name]
    return folded
