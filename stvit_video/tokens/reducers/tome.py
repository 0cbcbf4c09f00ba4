"""The slot filled by token merging: the most similar tokens become one. Merged tokens only keep their order."""

from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F

from stvit_video.tokens.reducers.token_reducer import TokenReducer


def merge_tokens(x: Tensor, num_tokens: int) -> Tensor:
    """Merge the most similar tokens of two alternating sets until `num_tokens` are left, weighted by their sizes.

    Args:
        x: (B, N, C).
        num_tokens: tokens to leave, at most N.

    Returns:
        (B, num_tokens, C), each the mean of the tokens it was merged from.

    Source: Bolya et al. 2023 (ToMe), section 3, bipartite soft matching.
    Differs: similarity is that of the tokens, not of a block's keys, and all merging happens in one place; attention is
        not weighted by size, which the authors use for weights that were trained without merging.
    """
    means, sizes = x.float(), torch.ones_like(x[..., :1], dtype=torch.float32)  # sums overflow half precision
    while means.shape[1] > num_tokens:
        means, sizes = _merge_once(means, sizes, min(means.shape[1] // 2, means.shape[1] - num_tokens))
    return means.to(x.dtype)


def _merge_once(x: Tensor, sizes: Tensor, num_merged: int) -> tuple[Tensor, Tensor]:
    """Merge `num_merged` tokens at even places into their closest ones at odd places."""
    normed = F.normalize(x, dim=-1)
    score, target = (normed[:, ::2] @ normed[:, 1::2].transpose(1, 2)).max(dim=-1)  # (B, N/2)
    order = score.argsort(dim=-1, descending=True, stable=True)
    merged, kept = order[:, :num_merged], order[:, num_merged:].sort(dim=-1).values
    weighted = torch.cat([x * sizes, sizes], dim=-1)  # sums of values, then sizes
    even, odd = weighted[:, ::2], weighted[:, 1::2]
    odd = odd.scatter_add(1, _rows(target.gather(1, merged), odd), even.gather(1, _rows(merged, even)))
    sums = torch.cat([even.gather(1, _rows(kept, even)), odd], dim=1)
    return sums[..., :-1] / sums[..., -1:], sums[..., -1:]


def _rows(index: Tensor, values: Tensor) -> Tensor:
    """(B, M) -> (B, M, C), for gathering whole rows."""
    return index.unsqueeze(-1).expand(-1, -1, values.shape[-1])


def _merge_windows(windows: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """(n, *window, C) -> (n, *sizes, C)."""
    return merge_tokens(windows.flatten(1, -2), prod(sizes)).unflatten(1, sizes)


class ToMeReducer(TokenReducer):
    """Tokens by merging similar ones, see `merge_tokens`. The settings are those of `TokenReducer`."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B, *token_grid, C)."""
        return self.reduce(x, _merge_windows)
