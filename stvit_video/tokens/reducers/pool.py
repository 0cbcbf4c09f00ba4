"""The slot filled by plain pooling: each token is the mean of the cell that it stands for."""

import torch
from torch import Tensor

from stvit_video.tokens.reducers.token_reducer import TokenReducer


class PoolReducer(TokenReducer):
    """Tokens by mean-pooling alone. The settings are those of `TokenReducer`."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B, *token_grid, C)."""
        return self.reduce(x, lambda windows, sizes: self.pool(windows, sizes, torch.mean))
