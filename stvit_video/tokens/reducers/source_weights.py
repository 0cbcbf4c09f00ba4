"""Arithmetic of `TokenReducer.sources`: how much of each token comes from each image token."""

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor

from stvit_video.layers.attention import attention_weights
from stvit_video.layers.block import CrossBlock

TOLERANCE = 0.02  # of the largest value; bfloat16 rounds to 0.004


def mean_weights(reduce: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The weights of tokens that are weighted sums of image tokens, by derivatives, which are the weights exactly.

    Args:
        reduce: (B, *grid, C) -> (B, *sizes, C), every channel alike. Weights may depend on `x` through choices, such
            as which tokens are alike, but not through values, as a softmax does.
        x: (B, *grid, C).

    Returns:
        (B, K, N).

    Raises:
        ValueError: tokens that are no such sums.
    """
    with torch.inference_mode(mode=False), torch.enable_grad():
        x = x.detach().clone().requires_grad_()
        tokens = reduce(x).flatten(1, -2)  # (B, K, C)
        rows = [torch.autograd.grad(column.sum(), x, retain_graph=True)[0] for column in tokens[..., 0].unbind(1)]
    weights = torch.stack([row[..., 0].flatten(1) for row in rows], dim=1)
    summed, tokens = weights @ x.detach().flatten(1, -2), tokens.detach()
    if float((summed - tokens).abs().max()) > TOLERANCE * float(tokens.abs().max()):
        raise ValueError(
            "the tokens are no sums of image tokens whose weights depend on choices alone, so that the reducer itself "
            "must say where they come from; override its method sources"
        )
    return weights


def normed_sources(weights: Tensor) -> Tensor:
    """Rows (B, K, N) scaled to sum to 1, in float32; a row of zeros comes from all alike."""
    weights = weights.float()
    sums = weights.sum(dim=-1, keepdim=True)
    return torch.where(sums > 0, weights / sums.clamp_min(torch.finfo(sums.dtype).tiny), 1 / weights.shape[-1])


def numbered(x: Tensor) -> Tensor:
    """The numbers 1 to N of image tokens on their grid: (B, *grid, C) -> (1, *grid, 1) int64, so that padding is 0."""
    grid = x.shape[1:-1]
    return torch.arange(1, prod(grid) + 1, device=x.device).reshape(1, *grid, 1)


def onto_image_tokens(weights: Tensor, numbers: Tensor, *, num_tokens: int) -> Tensor:
    """Weights of the cells of windows, as weights of all image tokens; what falls on padding is left out.

    Args:
        weights: (B * num_windows, Kw, M).
        numbers: (num_windows, M), those of `numbered` in each window; repeats count each.
        num_tokens: image tokens N.

    Returns:
        (B * num_windows, Kw, N).
    """
    places = numbers.repeat(len(weights) // len(numbers), 1).unsqueeze(1).expand_as(weights)
    everywhere = weights.new_zeros(*weights.shape[:2], num_tokens + 1)
    return everywhere.scatter_add(2, places, weights)[..., 1:]


def largest_shares(places: Tensor, *, num_cells: int) -> Tensor:
    """The share of channels that pooling took from each cell: places (n, Kw, C) int64 -> (n, Kw, num_cells)."""
    shares = torch.zeros(*places.shape[:2], num_cells, device=places.device)
    return shares.scatter_add(2, places, torch.full_like(places, 1, dtype=shares.dtype) / places.shape[-1])


def layer_weights(block: CrossBlock, queries: Tensor, context: Tensor, *, kept: Tensor) -> tuple[Tensor, Tensor]:
    """How much of each output of a layer of generation comes from each token of its context, by attention.

    Args:
        block: the layer.
        queries: (n, K, C).
        context: (n, M, C).
        kept: (n, K, C), what the shortcut adds to the attended values.

    Returns:
        The attention, a mean over the heads (n, K, M) whose rows sum to 1; and the share r (n, K, 1) of it beside the
        shortcut, by the norms of both: 1 without a shortcut.
    """
    asking, asked = block.norm1(queries), block.norm1(context)
    weights = attention_weights(block.attn, asking, asked).mean(dim=1).float()
    attended = block.ls1(block.attn(asking, asked)).float().norm(dim=-1, keepdim=True)  # (n, K, 1)
    if not block.attention_shortcut:
        return weights, torch.ones_like(attended)
    both = attended + kept.float().norm(dim=-1, keepdim=True)
    return weights, torch.where(both > 0, attended / both.clamp_min(torch.finfo(both.dtype).tiny), 0.0)
