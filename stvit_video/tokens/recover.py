"""Semantic tokens back to image tokens: the R of STViT-R, for tasks that need every position."""

from torch import Tensor

from stvit_video.layers.block import CrossBlock
from stvit_video.layers.key_spans import PADDING_RULES, KeySpans, masked_spans, released_spans
from stvit_video.layers.windows import padded_sizes


class TokenRecovery(CrossBlock):
    """Image tokens ask the semantic tokens for what these have learned: cross-attention, residual, MLP.

    Args:
        window: image tokens along each axis of a window; needed with `recover_window`.
        recover_window: semantic tokens along each axis that the image tokens of a window see, those of the window in
            the middle; None = they see all. Where a window has more tokens than that, it sees its own.

    The other settings are those of `CrossBlock`.

    Attributes:
        padding_rule: with `recover_window` one of PADDING_RULES, "masked" where nobody says otherwise.

    Source: STViT-R (arXiv:2303.08685), section 3.4; docs/develop/design.md, "Refine, local and recover" and "Windowed
        STViT-R".
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_path_rate: float = 0.0,
        layer_scale_init: float | None = None,
        norm_eps: float = 1e-6,
        window: tuple[int, ...] | None = None,
        recover_window: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(
            dim,
            num_heads=num_heads,
            mlp_ratio=mlp_ratio,
            qkv_bias=qkv_bias,
            drop_path_rate=drop_path_rate,
            layer_scale_init=layer_scale_init,
            norm_eps=norm_eps,
        )
        self.window = window
        self.recover_window = recover_window
        self.padding_rule = PADDING_RULES[0]

    def arguments(
        self, image_tokens: Tensor, semantic_tokens: Tensor, in_window: tuple[int, ...]
    ) -> tuple[Tensor, Tensor, KeySpans | None]:
        """What `forward` takes for tokens on grids.

        Args:
            image_tokens: (B, *grid, C) as they were before generation.
            semantic_tokens: (B, *sizes, C), or what `project` makes of them.
            in_window: semantic tokens of a whole window along each axis.

        Returns:
            Queries, context and spans, see `CrossBlock`.
        """
        if self.recover_window is None:
            return image_tokens.flatten(1, -2), semantic_tokens.flatten(1, -2), None
        grid, sizes = tuple(image_tokens.shape[1:-1]), tuple(semantic_tokens.shape[1:-1])
        return image_tokens, semantic_tokens, self._spans(grid, sizes, in_window)

    def _spans(self, grid: tuple[int, ...], sizes: tuple[int, ...], in_window: tuple[int, ...]) -> KeySpans:
        """The semantic tokens on `sizes` that the image tokens on `grid` see."""
        assert self.window is not None
        assert self.recover_window is not None
        seen = tuple(max(pair) for pair in zip(self.recover_window, in_window, strict=True))
        if self.padding_rule == PADDING_RULES[0]:
            return masked_spans(grid, sizes, query_window=self.window, window=in_window, key_window=seen)
        padding = [p - g for p, g in zip(padded_sizes(grid, self.window), grid, strict=True)]
        return released_spans(grid, sizes, query_window=self.window, window=in_window, key_window=seen, padding=padding)
