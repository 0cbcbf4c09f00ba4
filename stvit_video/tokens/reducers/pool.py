"""The slot filled by plain pooling: each token is the mean of the cell that it stands for."""

from torch import Tensor

from stvit_video.tokens.pooling import mean_pool_grid
from stvit_video.tokens.reducers.token_reducer import TokenReducer


class PoolReducer(TokenReducer):
    """Tokens by mean-pooling alone. The settings are those of `TokenReducer`."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B, *token_grid, C)."""
        pooled = mean_pool_grid(self.to_windows(x), self.tokens_per_window)
        return self.from_windows(pooled, tuple(x.shape[1:-1]))
