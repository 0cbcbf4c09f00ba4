"""Image tokens to semantic tokens where both layers of generation look at windows, as in the STViT-R detectors."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from stvit_video.layers.key_spans import PADDING_RULES, KeySpans, masked_spans, released_spans
from stvit_video.layers.pos_embed import resize_grid
from stvit_video.layers.windows import check_key_window, padded_sizes
from stvit_video.tokens.pooling import max_pool_grid
from stvit_video.tokens.reducers.semantic import SemanticTokenGenerator
from stvit_video.tokens.slot import BlockSettings, TokenSlot

if TYPE_CHECKING:
    from typing_extensions import Self


class WindowedTokenGenerator(SemanticTokenGenerator):
    """Semantic tokens of the windows of an image, which see the image tokens around their window in both layers.

    `s0 = max-pool(x)`; layer 1 attends from the tokens of a window to the image tokens of its key window, layer 2 to
    those of its centre window. No semantic tokens are among the keys. Weights and their names are those of
    `SemanticTokenGenerator`; the cost grows with the number of windows, not with its square.

    Attributes:
        center_window: sizes of the windows of image tokens that layer 2 sees.
        padding_rule: one of PADDING_RULES, "masked" where nobody says otherwise. "masked": windows end with the grid;
            tokens whose cells lie outside are not made. "released detector": zeros fill up the windows.

    Source: the STViT-R authors' detector, as released (docs/develop/design.md, "Windowed STViT-R").
    Differs: keys and values are projected once for each image token, and windows are cut afterwards.
    """

    center_window: tuple[int, ...]
    padding_rule: str

    @classmethod
    def build(
        cls, dim: int, *, slot: TokenSlot, blocks: BlockSettings, drop_path_rates: tuple[float, ...], is_first: bool
    ) -> "Self":
        """The generator of a model, whose slot has windows, key windows and centre windows.

        Raises:
            ValueError: a window is larger than its key window or its centre window.
        """
        generator = super().build(dim, slot=slot, blocks=blocks, drop_path_rates=drop_path_rates, is_first=is_first)
        assert slot.window is not None
        assert slot.center_window is not None
        check_key_window(slot.window, slot.center_window, name="center_window")
        generator.center_window = slot.center_window
        generator.cut_windows = True
        generator.padding_rule = PADDING_RULES[0]
        return generator

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) image tokens -> (B, *sizes, C) semantic tokens."""
        s0 = self._pooled(x)
        sizes = tuple(s0.shape[1:-1])
        s1 = self.layers[0](s0, x, self._spans(sizes, tuple(x.shape[1:-1]), self.key_window))
        queries = s1 if self.centres is None else s1 + self._centres(sizes)
        return self.layers[1](queries, x, self._spans(sizes, tuple(x.shape[1:-1]), self.center_window))

    def sources(self, x: Tensor) -> Tensor:
        """Refused.

        Raises:
            ValueError: always; no picture of the tokens of detectors and segmenters is made.
        """
        raise ValueError(
            "where the semantic tokens of detectors and segmenters come from is not traced, as both their layers see "
            "windows; use a model that labels videos or pictures"
        )

    attention_share = sources

    def _pooled(self, x: Tensor) -> Tensor:
        """The largest values of every cell: (B, H, W, C) -> (B, *sizes, C)."""
        if self.padding_rule == PADDING_RULES[0]:
            return self.reduce(x, lambda windows, sizes: self.pool(windows, sizes, torch.amax))
        pooled = max_pool_grid(self.to_windows(x), self.tokens_per_window)
        return self.from_windows(pooled, tuple(x.shape[1:-1]))

    def _centres(self, sizes: tuple[int, ...]) -> Tensor:
        """The learned centres (1, *sizes, C) of a token grid."""
        assert self.centres is not None
        return resize_grid(self.centres, sizes)

    def _spans(self, sizes: tuple[int, ...], grid: tuple[int, ...], key_window: tuple[int, ...] | None) -> KeySpans:
        """The image tokens on `grid` that the semantic tokens on `sizes` see."""
        assert self.window is not None
        assert key_window is not None
        tokens = self.tokens_per_window
        if self.padding_rule == PADDING_RULES[0]:
            return masked_spans(sizes, grid, query_window=tokens, window=self.window, key_window=key_window)
        padding = [p - g for p, g in zip(padded_sizes(grid, self.window), grid, strict=True)]
        return released_spans(
            sizes, grid, query_window=tokens, window=self.window, key_window=key_window, padding=padding
        )
