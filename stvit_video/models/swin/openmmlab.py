"""Swin as mmsegmentation and mmdetection name it: told by its keys, put into Microsoft's names."""

import re
from collections.abc import Mapping

from torch import Tensor

FIRST_TABLE = "stages.0.blocks.0.attn.w_msa.relative_position_bias_table"
NAMES = (
    (r"^stages\.", "layers."),
    (r"^patch_embed\.projection\.", "patch_embed.proj."),
    (r"\.attn\.w_msa\.", ".attn."),
    (r"\.ffn\.layers\.0\.0\.", ".mlp.fc1."),
    (r"\.ffn\.layers\.1\.", ".mlp.fc2."),
)


def is_openmmlab(state: Mapping[str, Tensor]) -> bool:
    """Whether the levels are `stages` with the attention of a window in `w_msa`."""
    return FIRST_TABLE in state


def as_microsoft(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same weights with Microsoft's names, and with its order of the channels that a merger joins."""
    converted = {}
    for key, value in state.items():
        is_of_merger = ".downsample." in key
        for pattern, name in NAMES:
            key = re.sub(pattern, name, key)
        converted[key] = _neighbours_first(value) if is_of_merger else value
    return converted


def _neighbours_first(weights: Tensor) -> Tensor:
    """Weights (..., 4 * C) of a merger in Microsoft's order.

    They join the 2x2 neighbours of a channel, row by row, one channel after the other (torch's Unfold); Microsoft joins
    all channels of a neighbour, column by column.
    """
    channels_rows_columns = weights.unflatten(-1, (-1, 2, 2))  # (..., C, 2, 2)
    return channels_rows_columns.movedim(-3, -1).transpose(-3, -2).flatten(-3)  # (..., column, row, C)
