"""Weights made from their names: two programs that give a tensor the same name give it the same values."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch


def tensor_for(name: str, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """The value of the floating tensor `name` of this shape."""
    rng = np.random.RandomState(zlib.crc32(name.encode()))
    noise = rng.standard_normal(tuple(shape)) if len(shape) else np.array(rng.standard_normal())
    return torch.from_numpy(np.asarray(_scaled(noise, leaf=name.rsplit(".", 1)[-1]))).to(dtype)


def _scaled(noise: np.ndarray, *, leaf: str) -> np.ndarray:
    """Normal noise at the scale that a trained tensor with this last name has."""
    if leaf == "running_var":
        return 1.0 + 0.1 * np.abs(noise)
    if leaf == "running_mean":
        return 0.1 * noise
    if leaf.startswith("layer_scale"):
        return 0.5 + 0.1 * noise
    if leaf == "weight" and noise.ndim == 1:  # a norm's gain
        return 1.0 + 0.1 * noise
    if leaf == "bias":
        return 0.05 * noise
    if leaf.endswith("bias_table") or leaf in ("pos_embed", "cls_token"):
        return 0.2 * noise
    fan_in = max(1, int(np.prod(noise.shape[1:]))) if noise.ndim > 1 else 1  # of a linear layer or a convolution
    return 0.6 * noise / np.sqrt(fan_in)


def fill(state_dict: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The state dict with every floating tensor filled; integers and attention masks are the model's to compute."""
    return {
        key: tensor_for(key, value.shape, value.dtype)
        if value.is_floating_point() and not key.endswith("attn_mask")
        else value.clone()
        for key, value in state_dict.items()
    }


def image(shape: Sequence[int], seed: int = 0) -> torch.Tensor:
    """The input with this seed: normal noise, float32."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal(shape)).float()
