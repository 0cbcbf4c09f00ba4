"""What every family shares: where and how many semantic tokens are generated, and the way from features to logits."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from stvit_video.layers.numbers import is_list
from stvit_video.models.activation_checkpointing import set_recompute
from stvit_video.models.checks import resolve_token_grid
from stvit_video.models.mixed_sizes import by_size, check_sizes, learns_from_batch
from stvit_video.tokens.generation_places import Places, check_place, reducer_index, run_order
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.recover import TokenRecovery
from stvit_video.tokens.reducers.token_reducer import TokenReducer
from stvit_video.tokens.shared_tokens import SharedTokens

if TYPE_CHECKING:
    from typing_extensions import Self


Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class Choice:
    """What one step of an elastic model runs with; None = as chosen.

    Args:
        token_grid: the grid of the semantic tokens.
        place: blocks before they are generated.
    """

    token_grid: TokenGrid | None = None
    place: int | None = None


class TokenModel(nn.Module):
    """A classifier over images or clips: embed, blocks from a plan, head.

    A family sets `grid`, `head_drop` and `head`, and says how it comes to features; how many tokens are generated, and
    behind which block, is chosen here. A module of it with blocks by a plan has `blocks`, `kinds` and `order`, see
    `stvit_video.tokens.generation_places.run_order`.

    Args:
        elastic: counts, or grids, of tokens; in training every forward pass draws one of them. None = always the
            chosen one.
        places: where tokens are generated, and those places of which training draws one; None = where the plan says.
    """

    grid: TokenGrid  # image tokens where the few tokens are made, at the size the model was built for
    head_drop: nn.Module
    head: nn.Module
    features_only = False

    def __init__(self, *, elastic: Sequence[Any] | None = None, places: Places | None = None) -> None:
        super().__init__()
        self.elastic = elastic
        self.places = places
        self._chosen: TokenGrid | None = None
        self._drawable: tuple[TokenGrid, ...] = ()
        self._built: TokenGrid | None = None
        self._place: int | None = None

    def reducers(self) -> list[TokenReducer]:
        """The modules that turn image tokens into few, in order; none in a dense model."""
        return [module for module in self.modules() if isinstance(module, TokenReducer)]

    def finish_tokens(self) -> None:
        """Check and keep the counts of `elastic`; a family calls it once its blocks are there.

        Raises:
            ValueError: `elastic` is no list of counts that this model can run with.
        """
        reducers = self.reducers()
        self._chosen = self._built = reducers[0].token_grid if reducers else None
        self._place = None if self._movable() is None else self.num_image_blocks
        if self.places is not None and self._place is not None:
            self._place = check_place(self.places.chosen, num_image_blocks=self.num_image_blocks)
            self._use_place(self._place)
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

    @property
    def generate_at(self) -> int | None:
        """Blocks before generation, in a pyramid of level 3; None where nothing is generated, or in fixed units."""
        return self._place

    @property
    def trained_counts(self) -> tuple[int, ...]:
        """The counts of semantic tokens that training runs with, ascending; none of a dense model."""
        grids = self._drawable or (() if self._built is None else (self._built,))
        return tuple(sorted({grid.count for grid in grids}))

    @property
    def trained_places(self) -> tuple[int, ...]:
        """The places of generation that training runs at, ascending; none where generation can't be moved."""
        if self._place is None:
            return ()
        return (self.num_image_blocks,) if self.places is None else self.places.trained

    @property
    def num_image_blocks(self) -> int:
        """Blocks that generation can follow; 0 where it can't be moved."""
        found = self._movable()
        return 0 if found is None else reducer_index(found.kinds) or 0

    def _movable(self) -> Any:
        """The module with the only reducer among its blocks; None where there is none, or more than one."""
        planned: list[Any] = [module for module in self.modules() if isinstance(getattr(module, "kinds", None), tuple)]
        found = [module for module in planned if reducer_index(module.kinds) is not None]
        return found[0] if len(found) == 1 and len(self.reducers()) == 1 else None

    def set_generate_at(self, place: int) -> None:
        """Generate tokens behind that many blocks from now on; the weights stay as they are.

        Image blocks that are no longer before generation run among the tokens, with the same weights.

        Args:
            place: blocks before generation, in a pyramid of level 3.

        Raises:
            ValueError: not 1 to `num_image_blocks`, a dense model, or one that generates in several units.

        Warns:
            UserWarning: the place is none of `trained_places`.
        """
        if self._movable() is None:
            way = "generates in units of fixed blocks" if self.reducers() else "has no semantic tokens"
            raise ValueError(
                f"generate_at={place!r} is not possible: this model {way}; use a stvit_ model, or leave it out"
            )
        place = check_place(place, num_image_blocks=self.num_image_blocks)
        if place not in self.trained_places:
            trained = ", ".join(map(str, self.trained_places))
            warnings.warn(
                f"generate_at={place} is a place that this model was not trained for; it was trained for {trained}: "
                f"expect a lower accuracy, or fine-tune with model.elastic_generate_at",
                stacklevel=2,
            )
        self._place = place
        self._use_place(place)

    def _use_place(self, place: int) -> None:
        found = self._movable()
        found.order = run_order(found.kinds, place)

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
        """As torch's; out of training the chosen count and place are in use again, for parts of a forward pass too."""
        super().train(mode)
        if not mode and self._chosen is not None:
            self._use(self._chosen)
        if not mode and self._place is not None:
            self._use_place(self._place)
        return self

    def use_choice(self, choice: Choice) -> None:
        """Run with these tokens until the next choice or the end of training; `token_grid` and `generate_at` stay."""
        if choice.token_grid is not None:
            self._use(choice.token_grid)
        if choice.place is not None:
            self._use_place(choice.place)

    def sandwich_choices(self, *, generator: torch.Generator | None = None) -> tuple[Choice, ...]:
        """The costliest choice of an elastic model, the cheapest, and one that is drawn.

        Args:
            generator: source of the draw, on the CPU; None = torch's own.
        """
        grids: list[Any] = sorted(self._drawable, key=lambda grid: grid.count) or [None]
        places: list[Any] = sorted(self.places.drawn if self.places else ()) or [None]
        drawn = (_draw(self._drawable, generator), _draw(self.places.drawn if self.places else (), generator))
        return (Choice(grids[-1], places[-1]), Choice(grids[0], places[0]), Choice(*drawn))

    def draw_tokens(self, *, generator: torch.Generator | None = None) -> None:
        """Draw one of the `elastic` counts and one of the elastic places in training; else nothing happens.

        A draw is no part of a compiled graph: with `fullgraph=True`, compile the model without `elastic`, or
        `forward_logits`, which draws nothing.

        Args:
            generator: source of the draw, on the CPU; None = torch's own.
        """
        if self.training:
            drawn = _draw(self._drawable, generator)  # first, as in trainings of before there were places
            self.use_choice(Choice(drawn, _draw(self.places.drawn if self.places else (), generator)))

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

    def forward_pyramid(self, clip: Tensor, shared: SharedTokens | None = None) -> list[Tensor]:
        """The maps of all levels, channels first; of models that have levels."""
        raise NotImplementedError(f"{type(self).__name__} has no levels; use forward_tokens")

    def forward_pyramid_of_sizes(
        self, pictures: Tensor, sizes: Sequence[Sequence[int]], shared: SharedTokens | None = None
    ) -> list[Tensor]:
        """The maps of all levels of pictures that were padded to one size, as if each were alone.

        While batch norms learn from the batch, in training, all pictures run together, padding included.

        Args:
            pictures: (B, in_channels, H, W) or, for clips, (B, in_channels, T, H, W), zeros below and to the right.
            sizes: height and width of each picture in pixels.
            shared: the semantic tokens that pictures share; None = each has its own.

        Returns:
            (B, C_i, *grid_i) for every level; zeros where a picture has no map.

        Raises:
            ValueError: not one size for each picture, or one that is none of a picture in the batch.
        """
        check_sizes(pictures, sizes)
        if learns_from_batch(self):
            return self.forward_pyramid(pictures, shared)
        return by_size(self.forward_pyramid, pictures, sizes, shared)

    @property
    def can_share_tokens(self) -> bool:
        """Whether it brings semantic tokens back, which other frames could be recovered from."""
        return any(isinstance(module, TokenRecovery) for module in self.modules())

    def check_shared(self, clip: Tensor, shared: SharedTokens | None) -> None:
        """Raise unless the model has tokens to share, and `shared` a run for each row of the batch.

        Raises:
            ValueError: it has not.
        """
        if shared is None:
            return
        if not self.can_share_tokens:
            raise ValueError(
                "a model that brings no semantic tokens back has none that frames could share (key_every, "
                "clip_frames); use a stvit_r_ model, or share nothing"
            )
        if len(shared.runs) != len(clip):
            raise ValueError(f"{len(shared.runs)} runs came for {len(clip)} frames; give the run of each")

    def forward(
        self, clip: Tensor, sizes: Sequence[Sequence[int]] | None = None, shared: SharedTokens | None = None
    ) -> Any:
        """Logits (B, num_classes) of clips (B, in_channels, T, H, W), or of images (B, in_channels, [1,] H, W).

        A model with `features_only` answers with `forward_pyramid`'s list instead, and with that of
        `forward_pyramid_of_sizes` where `sizes` are given.

        Raises:
            ValueError: `sizes` or `shared` for a classifier, or such that don't fit the batch.
        """
        self.draw_tokens()
        if self.features_only and sizes is None:
            return self.forward_pyramid(clip, shared)
        if self.features_only and sizes is not None:
            return self.forward_pyramid_of_sizes(clip, sizes, shared)
        if sizes is not None or shared is not None:
            raise ValueError("sizes and shared are for models that give maps; build the model with features_only=True")
        return self.forward_head(self.forward_features(clip))


def _draw(from_these: Sequence[Drawn], generator: torch.Generator | None) -> Drawn | None:
    """One of them; None = there are none, and nothing is drawn."""
    return from_these[int(torch.randint(len(from_these), (), generator=generator))] if from_these else None
