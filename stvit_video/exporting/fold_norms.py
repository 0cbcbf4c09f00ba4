"""Batch norms of a trained model, folded into the convolutions beside them."""

import copy

import torch
from torch import Tensor, nn


def fold_norms(module: nn.Module) -> nn.Module:
    """A copy of a module in evaluation, without the batch norms that a convolution can take over.

    A layer names them: `norms_behind` maps the name of each norm to the convolution right before it, `norms_before` to
    the 1x1 convolution right behind it, which pads nothing.

    Args:
        module: as it was trained; stays as it is.

    Returns:
        A module with equal outputs.
    """
    folded = copy.deepcopy(module).eval()
    for layer in folded.modules():
        for norm, convolution in getattr(layer, "norms_behind", {}).items():
            _fold_behind(layer.get_submodule(convolution), layer.get_submodule(norm))
            layer.set_submodule(norm, nn.Identity())
        for norm, convolution in getattr(layer, "norms_before", {}).items():
            _fold_before(layer.get_submodule(convolution), layer.get_submodule(norm))
            layer.set_submodule(norm, nn.Identity())
    return folded


@torch.no_grad()
def _fold_behind(convolution: nn.Module, norm: nn.Module) -> None:
    """Let a convolution (out, in, *kernel) do what the norm behind it does."""
    assert isinstance(convolution, nn.Conv2d | nn.Conv3d)
    scale, shift = _affine(norm)
    _set_bias(convolution, _bias(convolution) * scale + shift)
    _set_weight(convolution, convolution.weight.double() * _along(scale, 0, convolution.weight))


@torch.no_grad()
def _fold_before(convolution: nn.Module, norm: nn.Module) -> None:
    """Let a 1x1 convolution do what the norm before it does."""
    assert isinstance(convolution, nn.Conv2d | nn.Conv3d)
    assert set(convolution.kernel_size) == {1}
    assert convolution.groups == 1
    scale, shift = _affine(norm)
    weight = convolution.weight.double()
    _set_bias(convolution, _bias(convolution) + weight.flatten(1) @ shift)
    _set_weight(convolution, weight * _along(scale, 1, weight))


def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Scale and shift (C,) float64 of a batch norm in evaluation."""
    assert isinstance(norm, nn.modules.batchnorm._BatchNorm)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight.double() * (norm.running_var.double() + norm.eps).rsqrt()
    return scale, norm.bias.double() - norm.running_mean.double() * scale


def _bias(convolution: nn.Conv2d | nn.Conv3d) -> Tensor:
    if convolution.bias is None:
        return torch.zeros(convolution.out_channels, dtype=torch.float64, device=convolution.weight.device)
    return convolution.bias.double()


def _set_bias(convolution: nn.Conv2d | nn.Conv3d, bias: Tensor) -> None:
    convolution.bias = nn.Parameter(bias.to(convolution.weight.dtype))


def _set_weight(convolution: nn.Conv2d | nn.Conv3d, weight: Tensor) -> None:
    convolution.weight = nn.Parameter(weight.to(convolution.weight.dtype))


def _along(values: Tensor, axis: int, weight: Tensor) -> Tensor:
    """(C,) in a shape that multiplies `weight` along its axis."""
    return values.view([-1 if i == axis else 1 for i in range(weight.ndim)])
