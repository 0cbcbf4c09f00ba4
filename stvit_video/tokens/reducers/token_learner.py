"""The slot filled by learned attention maps: each token is a weighted mean of the image tokens."""

from math import prod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.source_weights import normed_sources
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.tokens.slot import BlockSettings, TokenSlot

if TYPE_CHECKING:
    from typing_extensions import Self

HIDDEN_CHANNELS = 64  # between the two projections of the maps


def attention_maps(scores: Tensor) -> Tensor:
    """Scores (B, N, K), one column for each map -> maps (B, K, N), rows sum to 1: softmax over the tokens."""
    return scores.softmax(dim=1).transpose(1, 2)


def weighted_means(x: Tensor, scores: Tensor) -> Tensor:
    """The mean of the tokens under every map, which is the softmax of its scores over the tokens.

    Args:
        x: (B, N, C).
        scores: (B, N, K), one column for each map.

    Returns:
        (B, K, C).
    """
    maps = attention_maps(scores)  # (B, K, N)
    return (maps.to(x.dtype) @ x).to(x.dtype)  # autocast multiplies in half precision; the tokens keep their type


class TokenLearner(TokenReducer):
    """K attention maps over the image tokens of each window; each token is the mean of these under its map.

    A map's score of an image token is an MLP of that token. All windows share the maps. K is the number of rows of the
    last projection, so the weights are for one number of tokens. A token has the place on the grid of its map, not of
    what it has seen; convolutions over the grid, as in CAS-ViT, mean nothing there.

    Args:
        dim: channels C.
        token_grid: the grid of the tokens that are left.
        window: sizes of the windows that are reduced each by itself; None = the whole grid is one window.
        image_grid: the grid of image tokens that `token_grid` is meant for; needed with `window`.
        norm_eps: added to the variance by the norm.

    Raises:
        ValueError: what TokenReducer refuses.

    Source: Ryoo et al. 2021 (TokenLearner, arXiv:2106.11297), section 2; the maps are the MLP with softmax of the
        authors' version 1.1.
    Differs: windows, where they are asked for; the paper has one map over the whole grid.
    """

    num_layers: ClassVar[int] = 1
    runs_at_any_count: ClassVar[bool] = False
    families: ClassVar[tuple[str, ...] | None] = ("deit", "swin")

    @classmethod
    def build(
        cls, dim: int, *, slot: TokenSlot, blocks: BlockSettings, drop_path_rates: tuple[float, ...], is_first: bool
    ) -> "Self":
        """The reducer of a model; a layer without shortcut has no use for its stochastic-depth rate."""
        return cls(
            dim,
            token_grid=slot.token_grid,
            window=slot.window,
            image_grid=slot.image_grid,
            norm_eps=blocks.norm_eps,
        )

    def __init__(
        self,
        dim: int,
        *,
        token_grid: TokenGrid,
        window: tuple[int, ...] | None = None,
        image_grid: TokenGrid | None = None,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__(token_grid=token_grid, window=window, image_grid=image_grid)
        num_maps = prod(self.tokens_per_window)
        norm = nn.LayerNorm(dim, eps=norm_eps)
        score = (nn.Linear(dim, HIDDEN_CHANNELS), nn.GELU(), nn.Linear(HIDDEN_CHANNELS, num_maps))
        self.layers = nn.ModuleList([nn.Sequential(norm, *score)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) -> (B, *token_grid, C)."""
        tokens = self.to_windows(x).flatten(1, -2)  # (B * num_windows, M, C)
        means = weighted_means(tokens, self.layers[0](tokens))  # (B * num_windows, Kw, C)
        return self.from_windows(means.unflatten(1, self.tokens_per_window), tuple(x.shape[1:-1]))

    @torch.no_grad()
    def sources(self, x: Tensor) -> Tensor:
        """The maps, see `TokenReducer.sources`: (B, *grid, C) -> (B, K, N)."""
        tokens = self.to_windows(x).flatten(1, -2)  # (B * num_windows, M, C)
        return normed_sources(self.spread_windows(attention_maps(self.layers[0](tokens)), x))
