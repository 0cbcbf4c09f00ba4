"""Image tokens to semantic tokens: pooled over the grid, then sharpened by attention in two layers."""

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from stvit_video.layers.block import CrossBlock
from stvit_video.layers.pos_embed import new_table, resize_grid
from stvit_video.layers.windows import check_key_window, overlapping_windows, pad_grid
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.pooling import max_pool_grid
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
        keys = windows
        if self.window is not None and self.key_window is not None:
            keys = overlapping_windows(pad_grid(x, self.window), window=self.window, key_window=self.key_window)
        pooled = max_pool_grid(windows, sizes).flatten(1, -2)
        s1 = self.layers[0](pooled, torch.cat([pooled, keys.flatten(1, -2)], dim=1))
        return self.from_windows(s1.unflatten(1, sizes), tuple(x.shape[1:-1]))
