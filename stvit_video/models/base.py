"""What every family shares: the count of its semantic tokens, and the way from features to logits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from stvit_video.layers.numbers import is_list
from stvit_video.models.activation_checkpointing import set_recompute
from stvit_video.models.checks import resolve_token_grid
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.reducers.token_reducer import TokenReducer

if TYPE_CHECKING:
    from typing_extensions import Self


class TokenModel(nn.Module):
    """A classifier over images or clips: embed, blocks from a plan, head.

    A family sets `grid`, `head_drop` and `head`, and says how it comes to features; the count of tokens is chosen here.

    Args:
        elastic: counts, or grids, of tokens; in training every forward pass draws one of them. None = always the
            chosen one.
    """

    grid: TokenGrid  # image tokens where the few tokens are made, at the size the model was built for
    head_drop: nn.Module
    head: nn.Module
    features_only = False

    def __init__(self, *, elastic: Sequence[Any] | None = None) -> None:
        super().__init__()
        self.elastic = elastic
        self._chosen: TokenGrid | None = None
        self._drawable: tuple[TokenGrid, ...] = ()

    def reducers(self) -> list[TokenReducer]:
        """The modules that turn image tokens into few, in order; none in a dense model."""
        return [module for module in self.modules() if isinstance(module, TokenReducer)]

    def finish_tokens(self) -> None:
        """Check and keep the counts of `elastic`; a family calls it once its blocks are there.

        Raises:
            ValueError: `elastic` is no list of counts that this model can run with.
        """
        reducers = self.reducers()
        self._chosen = reducers[0].token_grid if reducers else None
        if self.elastic is None:
            return
        if not reducers or not is_list(self.elastic) or not len(self.elastic):
            raise ValueError(
                f"elastic={self.elastic!r} is not possible; give a list of token counts such as [8, 16, 32], "
                f"to a model with semantic tokens"
            )
        self._drawable = tuple(self.resolve_tokens(count) for count in self.elastic)

    @property
    def token_grid(self) -> TokenGrid | None:
        """The semantic tokens' grid that was chosen; None for a dense model."""
        return self._chosen

    def resolve_tokens(self, num_tokens: int | Sequence[int]) -> TokenGrid:
        """The grid of that many tokens in this model.

        Raises:
            ValueError: the model is dense, `num_tokens` is neither a count nor a grid, or the image tokens' grid can't
                be reduced to that many.
        """
        reducers = self.reducers()
        if not reducers:
            raise ValueError(
                f"num_tokens={num_tokens!r} is not possible: a dense model has no semantic tokens; use a stvit_ model"
            )
        token_grid = resolve_token_grid(num_tokens, self.grid, window=reducers[0].window)
        for reducer in reducers:
            reducer.check_token_grid(token_grid)
        return token_grid

    def set_num_tokens(self, num_tokens: int | Sequence[int]) -> None:
        """Run with another number of semantic tokens from now on; the weights stay as they are.

        Args:
            num_tokens: a count K, or a token grid with one size for each axis.

        Raises:
            ValueError: as `resolve_tokens`.
        """
        self._chosen = self.resolve_tokens(num_tokens)
        self._use(self._chosen)

    def _use(self, token_grid: TokenGrid) -> None:
        for reducer in self.reducers():
            reducer.set_token_grid(token_grid)

    def train(self, mode: bool = True) -> "Self":
        """As torch's; out of training the chosen count is in use again, also for the parts of a forward pass."""
        super().train(mode)
        if not mode and self._chosen is not None:
            self._use(self._chosen)
        return self

    def draw_tokens(self, *, generator: torch.Generator | None = None) -> None:
        """Draw one of the `elastic` counts in training; else nothing happens.

        A draw is no part of a compiled graph: with `fullgraph=True`, compile the model without `elastic`, or
        `forward_logits`, which draws nothing.

        Args:
            generator: source of the draw, on the CPU; None = torch's own.
        """
        if self.training and self._drawable:
            self._use(self._drawable[int(torch.randint(len(self._drawable), (), generator=generator))])

    def recompute_blocks(self, *, recompute: bool = True) -> None:
        """Whether blocks compute their activations again in the backward pass instead of keeping them, see `run_block`.

        Args:
            recompute: True = less memory for a second forward pass of every block; outputs and gradients stay the same.
        """
        for module in self.modules():
            blocks = getattr(module, "blocks", None)
            for block in blocks if isinstance(blocks, nn.ModuleList) else ():
                set_recompute(block, recompute=recompute)

    def forward_features(self, clip: Tensor) -> Tensor:
        """Features (B, C) of clips (B, in_channels, T, H, W) or images (B, in_channels, [1,] H, W)."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it comes to features")

    def forward_tokens(self, clip: Tensor) -> Tensor:
        """Tokens (B, K, C) that the classifier looks at, of clips (B, in_channels, T, H, W) or images."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it comes to tokens")

    def tokens_per_level(self) -> tuple[int, ...]:
        """Tokens of each stage in order, at the size the model was built for."""
        raise NotImplementedError(f"{type(self).__name__} does not say how many tokens its stages have")

    def forward_head(self, features: Tensor) -> Tensor:
        """Features (B, C) -> logits (B, num_classes)."""
        return self.head(self.head_drop(features))

    def forward_heads(self, features: Tensor) -> tuple[Tensor, ...]:
        """Features (B, C) -> logits (B, num_classes) of every head, that of the labels first; most models have one."""
        return (self.forward_head(features),)

    def forward_logits(self, clip: Tensor) -> tuple[Tensor, ...]:
        """Clips or images -> logits (B, num_classes) of every head; no count of tokens is drawn."""
        return self.forward_heads(self.forward_features(clip))

    def forward_pyramid(self, clip: Tensor) -> list[Tensor]:
        """The maps of all levels, channels first; of models that have levels."""
        raise NotImplementedError(f"{type(self).__name__} has no levels; use forward_tokens")

    def forward(self, clip: Tensor) -> Any:
        """Logits (B, num_classes) of clips (B, in_channels, T, H, W), or of images (B, in_channels, [1,] H, W).

        A model with `features_only` answers with `forward_pyramid`'s list instead.
        """
        self.draw_tokens()
        if self.features_only:
            return self.forward_pyramid(clip)
        return self.forward_head(self.forward_features(clip))
