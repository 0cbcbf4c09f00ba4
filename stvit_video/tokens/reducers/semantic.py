"""Image tokens to semantic tokens: pooled over the grid, then sharpened by attention in two layers."""

from math import prod
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from stvit_video.layers.block import CrossBlock
from stvit_video.layers.pos_embed import new_table, resize_grid
from stvit_video.layers.windows import check_key_window, overlapping_windows, pad_grid
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.pooling import max_pool_grid, max_pool_places
from stvit_video.tokens.reducers.source_weights import (
    largest_shares,
    layer_weights,
    normed_sources,
    numbered,
    onto_image_tokens,
)
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.tokens.slot import BlockSettings, TokenSlot

if TYPE_CHECKING:
    from typing_extensions import Self


class SemanticTokenGenerator(TokenReducer):
    """Cluster centres of the image tokens: `s0 = max-pool(x)`, two cross-attention layers on top.

    Layer 1 attends, inside each window, from the pooled tokens to themselves and the window's image tokens;
    layer 2 adds the learned global centres to the queries and attends to the tokens of layer 1 and all image
    tokens. One code path serves (H, W) and (T, H, W). The centres are a table over a token grid and are
    resized to the grid in use, so weights of one token count run at every other.

    Args:
        dim: channels C.
        num_heads: attention heads.
        token_grid: the semantic tokens' grid; also the size of the learned centres.
        window: sizes of the windows of layer 1; None = the whole grid is one window.
        image_grid: the grid of image tokens that `token_grid` is meant for; needed with `window`.
        key_window: sizes of the overlapping windows whose image tokens are the keys of layer 1; None = `window`.
        mlp_ratio: hidden channels of the MLPs over C.
        qkv_bias: whether the attention projections have a bias.
        drop_path_rates: stochastic-depth rate of the two layers.
        layer_scale_init: start value of the branches' gains; None = no gains.
        attention_shortcut: whether the attention of layer 1 has a residual connection; that of layer 2 always has.
        global_centers: whether there are learned centres; without, layer 2 asks with the tokens of layer 1 alone.
        norm_eps: added to the variance by the norms.

    Raises:
        ValueError: `key_window` without `window` or smaller than it, or what TokenReducer refuses.

    Source: STViT (arXiv:2303.08685), section 3.2; docs/develop/design.md, "Generation".
    """

    num_layers: ClassVar[int] = 2
    takes_block_weights: ClassVar[bool] = True

    @classmethod
    def build(
        cls, dim: int, *, slot: TokenSlot, blocks: BlockSettings, drop_path_rates: tuple[float, ...], is_first: bool
    ) -> "Self":
        """The generator of a model; those behind the first of a level have no learned centres."""
        return cls(
            dim,
            token_grid=slot.token_grid,
            window=slot.window,
            image_grid=slot.image_grid,
            key_window=slot.key_window,
            layer_scale_init=slot.layer_scale_init,
            attention_shortcut=slot.attention_shortcut,
            global_centers=slot.global_centers and is_first,
            drop_path_rates=drop_path_rates,
            num_heads=blocks.num_heads,
            mlp_ratio=blocks.mlp_ratio,
            qkv_bias=blocks.qkv_bias,
            norm_eps=blocks.norm_eps,
        )

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        token_grid: TokenGrid,
        window: tuple[int, ...] | None = None,
        image_grid: TokenGrid | None = None,
        key_window: tuple[int, ...] | None = None,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_path_rates: tuple[float, ...] = (0.0, 0.0),
        layer_scale_init: float | None = 1e-5,
        attention_shortcut: bool = True,
        global_centers: bool = True,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__(token_grid=token_grid, window=window, image_grid=image_grid)
        if key_window is not None and window is None:
            raise ValueError(f"key_window={key_window} needs a window; give window too, or leave both out")
        if key_window is not None and window is not None:
            check_key_window(window, key_window)
        self.key_window = key_window
        self.centres = new_table(1, *token_grid.sizes, dim) if global_centers else None
        self.layers = nn.ModuleList(
            CrossBlock(
                dim,
                num_heads=num_heads,
                mlp_ratio=mlp_ratio,
                qkv_bias=qkv_bias,
                drop_path_rate=rate,
                layer_scale_init=layer_scale_init,
                attention_shortcut=shortcut,
                norm_eps=norm_eps,
            )
            for rate, shortcut in zip(drop_path_rates, (attention_shortcut, True), strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, *grid, C) image tokens -> (B, *token_grid, C) semantic tokens."""
        s1 = self._attend_in_windows(x)
        sizes = tuple(s1.shape[1:-1])
        queries = s1 if self.centres is None else s1 + resize_grid(self.centres, sizes)
        context = torch.cat([s1.flatten(1, -2), x.flatten(1, -2)], dim=1)  # (B, K + N, C)
        return self.layers[1](queries.flatten(1, -2), context).unflatten(1, sizes)

    def _attend_in_windows(self, x: Tensor) -> Tensor:
        """Layer 1: (B, *grid, C) -> (B, *token_grid, C)."""
        windows, sizes = self.to_windows(x), self.window_tokens(tuple(x.shape[1:-1]))  # (B * num_windows, *window, C)
        pooled = max_pool_grid(windows, sizes).flatten(1, -2)
        s1 = self.layers[0](pooled, torch.cat([pooled, self._key_windows(x).flatten(1, -2)], dim=1))
        return self.from_windows(s1.unflatten(1, sizes), tuple(x.shape[1:-1]))

    def _key_windows(self, x: Tensor) -> Tensor:
        """The image tokens that each window sees in layer 1: (B, *grid, C) -> (B * num_windows, *key_window, C)."""
        if self.window is None or self.key_window is None:
            return self.to_windows(x)
        return overlapping_windows(pad_grid(x, self.window), window=self.window, key_window=self.key_window)

    def sources(self, x: Tensor) -> Tensor:
        """How much of each token comes from each image token, by what layers mix and in which proportion.

        A token begins as the share of channels that max-pooling took from each image token. A layer then mixes in what
        its attention gathers, a mean over the heads, by the share that this has beside the shortcut: the norm of the
        attended values over the sum of both norms, see `attention_share`. MLPs act on each token alone, and the learned
        centres come from no image token; neither changes the shares.

        It tells where a token comes from, in a linear account of layers that are not linear. It does not tell what the
        token says, nor what an image token had gathered from others before generation.

        Args:
            x: (B, *grid, C).

        Returns:
            (B, K, N) float32, rows sum to 1, see `TokenReducer.sources`.

        Source: Abnar & Zuidema 2020 (attention rollout, arXiv:2005.00928); Kobayashi et al. 2021 (norms of attention
            and shortcut, arXiv:2109.07152).
        Differs: rollout weighs shortcut and attention alike; here their norms do. Heads count alike, and the norms are
            those of whole outputs, not of the part of each image token.
        """
        return self._rollout(x)[0]

    def attention_share(self, x: Tensor) -> Tensor:
        """The share (B, K) of `sources` that came through attention at least once; the pooling supplies the rest."""
        return self._rollout(x)[1]

    @torch.no_grad()
    def _rollout(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, *grid, C) -> sources (B, K, N), and the share of attention (B, K)."""
        grid = tuple(x.shape[1:-1])
        s1 = self._attend_in_windows(x)
        sizes, s1 = tuple(s1.shape[1:-1]), s1.flatten(1, -2)  # (B, K, C)
        in_s1, in_windows = self._window_rollout(x)
        queries = s1 if self.centres is None else s1 + resize_grid(self.centres, sizes).flatten(1, -2)
        context = torch.cat([s1, x.flatten(1, -2)], dim=1)  # (B, K + N, C)
        weights, share = layer_weights(self.layers[1], queries, context, kept=s1)  # type: ignore[arg-type]
        among_tokens, among_image_tokens = weights.split([s1.shape[1], prod(grid)], dim=-1)
        gathered = among_tokens @ in_s1 + among_image_tokens  # (B, K, N)
        return normed_sources(in_s1.lerp(gathered, share)), (1 - (1 - in_windows) * (1 - share)).squeeze(-1)

    def _window_rollout(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Layer 1 of `_rollout`: (B, *grid, C) -> sources (B, K, N), and the share of attention (B, K, 1)."""
        grid = tuple(x.shape[1:-1])
        windows, sizes, num_tokens = self.to_windows(x), self.window_tokens(grid), prod(grid)
        own, keys = (part(numbered(x)).flatten(1) for part in (self.to_windows, self._key_windows))
        shares = largest_shares(max_pool_places(windows, sizes).flatten(1, -2), num_cells=own.shape[1])
        in_pooled = onto_image_tokens(shares, own, num_tokens=num_tokens)  # (B * num_windows, Kw, N)
        pooled = max_pool_grid(windows, sizes).flatten(1, -2)
        context = torch.cat([pooled, self._key_windows(x).flatten(1, -2)], dim=1)
        weights, share = layer_weights(self.layers[0], pooled, context, kept=pooled)  # type: ignore[arg-type]
        among_tokens, among_keys = weights.split([pooled.shape[1], keys.shape[1]], dim=-1)
        gathered = among_tokens @ in_pooled + onto_image_tokens(among_keys, keys, num_tokens=num_tokens)
        mixed = torch.cat([in_pooled.lerp(gathered, share), share], dim=-1)  # (B * num_windows, Kw, N + 1)
        placed = self.from_windows(mixed.unflatten(1, sizes), grid).flatten(1, -2)  # (B, K, N + 1)
        return placed[..., :-1], placed[..., -1:]
