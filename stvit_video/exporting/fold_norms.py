"""Batch norms of a trained model, folded into the convolutions beside them."""

import copy
from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from stvit_video.models.activation_checkpointing import BatchNorm

Convolution = nn.Conv2d | nn.Conv3d


def fold_norms(module: nn.Module) -> nn.Module:
    """A copy of a module in evaluation, without the batch norms that a convolution can take over.

    A layer names them: its `norms_behind` maps the name of each norm to that of the convolution right before it, its
    `norms_before` to that of the 1x1 convolution right behind it. In an `nn.Sequential` the order says it.

    Args:
        module: as it was trained; stays as it is.

    Returns:
        A module with equal outputs.
    """
    folded = copy.deepcopy(module).eval()
    for layer in list(folded.modules()):
        places = ((norms_behind(layer), _fold_behind), (getattr(layer, "norms_before", {}), _fold_before))
        for pairs, fold in places:
            for norm, convolution in pairs.items():
                if isinstance(layer.get_submodule(norm), BatchNorm):
                    fold(layer.get_submodule(convolution), layer.get_submodule(norm))
                    setattr(layer, norm, nn.Identity())
    return folded


def norms_behind(layer: nn.Module) -> Mapping[str, str]:
    """The names of batch norms in a layer, and of the convolution of the same layer whose output each alone gets."""
    if isinstance(layer, nn.Sequential):
        children = list(layer.named_children())
        return {
            norm: name
            for (name, convolution), (norm, follower) in pairwise(children)
            if isinstance(convolution, Convolution) and isinstance(follower, BatchNorm)
        }
    return getattr(layer, "norms_behind", {})


@torch.no_grad()
def _fold_behind(convolution: nn.Module, norm: nn.Module) -> None:
    """Let a convolution (out, in, *kernel) do what the norm behind it does."""
    assert isinstance(convolution, Convolution)
    scale, shift = _affine(norm)
    _set_bias(convolution, _bias(convolution) * scale + shift)
    _set_weight(convolution, convolution.weight.double() * _along(scale, 0, convolution.weight))


@torch.no_grad()
def _fold_before(convolution: nn.Module, norm: nn.Module) -> None:
    """Let a 1x1 convolution do what the norm before it does."""
    assert isinstance(convolution, Convolution)
    assert set(convolution.kernel_size) == {1}
    assert convolution.groups == 1
    scale, shift = _affine(norm)
    weight = convolution.weight.double()
    _set_bias(convolution, _bias(convolution) + weight.flatten(1) @ shift)
    _set_weight(convolution, weight * _along(scale, 1, weight))


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) float64 of a batch norm in evaluation."""
    assert isinstance(norm, BatchNorm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
    return scale, norm.bias.double() - norm.running_mean.double() * scale


def _bias(convolution: Convolution) -> Tensor:
    if convolution.bias is None:
        return torch.zeros(convolution.out_channels, dtype=torch.float64, device=convolution.weight.device)
    return convolution.bias.double()


def _set_bias(convolution: Convolution, bias: Tensor) -> None:
    convolution.bias = nn.Parameter(bias.to(convolution.weight.dtype))


def _set_weight(convolution: Convolution, weight: Tensor) -> None:
    convolution.weight = nn.Parameter(weight.to(convolution.weight.dtype))


def _along(values: Tensor, axis: int, weight: Tensor) -> Tensor:
    """(C,) in a shape that multiplies `weight` along its axis."""
    return values.view([-1 if i == axis else 1 for i in range(weight.ndim)])
