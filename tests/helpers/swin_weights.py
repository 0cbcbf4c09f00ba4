"""Weights of a small Swin under the names of other projects."""

import re

import torch

from stvit_video.layers.window_attention import relative_positions
from stvit_video.models.swin.formats import FORMATS

LITTLE = {"embed_dim": 12, "depths": (2, 1, 3, 2), "num_heads": (1, 2, 3, 6)}


def converted(state, name):
    """`state` with our keys, once exactly one format knew it, by that name."""
    known = [form for form in FORMATS if form.matches(state)]
    assert [form.name for form in known] == [name]
    return known[0].convert(state)


def shake(model):
    """Values that no part of a model can hide behind: biases of their own, tables as large as logits."""
    torch.manual_seed(0)
    for key, parameter in model.named_parameters():
        parameter.data += torch.randn_like(parameter) * (1.0 if "table" in key or "ls" in key else 0.03)
    return model.eval()


def microsoft_state(model, *, prefix="", head="head"):
    """Our weights as Microsoft's code writes them: mergers at the end of levels, flat tables, their index, masks."""
    state = {}
    for key, value in model.state_dict().items():
        match = re.fullmatch(r"levels\.(\d+)\.(.+)", key)
        if match:
            key = f"layers.{int(match[1]) - int(match[2].startswith('downsample'))}.{match[2]}"
        if key.endswith(".bias_table"):
            attention = key.removesuffix("bias_table")
            window = tuple((size + 1) // 2 for size in value.shape[1:-1])
            state[f"{prefix}{attention}relative_position_index"] = relative_positions(window)
            state[f"{prefix}{attention.removesuffix('attn.')}attn_mask"] = torch.zeros(1)
            key, value = f"{attention}relative_position_bias_table", value.flatten(0, -2)
        state[f"{head}{key.removeprefix('head')}" if key.startswith("head.") else prefix + key] = value
    return state
