"""The slot filled by random drop: the least that any other reducer has to beat."""

from math import prod
from random import Random

import torch
from torch import Tensor

from stvit_video.tokens.reducers.token_reducer import TokenReducer

EVALUATION_SEED = 0  # of the tokens that random drop keeps outside training


def evaluation_places(num_tokens: int, num_kept: int) -> list[int]:
    """The places, ascending, that random drop keeps outside training; by Python, so that compilers see constants."""
    return sorted(Random(EVALUATION_SEED).sample(range(num_tokens), num_kept))


class RandomReducer(TokenReducer):
    """Tokens drawn at random, anew for every window in training; outside of it the same places for all.

    The settings are those of `TokenReducer`.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B, *token_grid, C), in the order of the grid."""
        return self.reduce(x, self._draw)

    def _draw(self, windows: Tensor, sizes: tuple[int, ...]) -> Tensor:
        """(n, *window, C) -> (n, *sizes, C)."""
        tokens = windows.flatten(1, -2)
        num_windows, num_tokens = tokens.shape[:2]
        if self.training:
            noise = torch.rand(num_windows, num_tokens, device=windows.device)
            kept = noise.argsort(dim=1)[:, : prod(sizes)].sort(dim=1).values
            tokens = tokens.take_along_dim(kept.unsqueeze(-1), dim=1)
        else:
            places = evaluation_places(num_tokens, prod(sizes))
            tokens = tokens.index_select(1, torch.tensor(places, device=windows.device))
        return tokens.unflatten(1, sizes)
