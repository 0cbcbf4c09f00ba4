"""The levels of a CAS-ViT as sizes and plans: grids, counts of tokens, and where work per frame ends."""

from collections.abc import Sequence
from math import prod

from stvit_video.layers.numbers import whole_number, whole_numbers
from stvit_video.models.build_blocks import Maker, slot_makers
from stvit_video.tokens.grid import TokenGrid
from stvit_video.tokens.plan_text import Stage, block_kinds
from stvit_video.tokens.reducers.reducer_names import REDUCERS
from stvit_video.tokens.slot import TokenSlot

LEAST_PIXELS = 32  # of a side: one position in level 4
Plan = tuple[tuple[Stage, ...], ...]


def check_pixels(input_size: tuple[int, ...]) -> None:
    """Raise unless every level has a position, and a clip a frame.

    Args:
        input_size: (H, W) pixels, or (T, H, W) frames and pixels.

    Raises:
        ValueError: another number of axes, no frame, or less than 32 pixels a side.
    """
    if len(input_size) not in (2, 3) or min(input_size) < 1 or min(input_size[-2:]) < LEAST_PIXELS:
        raise ValueError(
            f"input of size {tuple(input_size)} is too small; give (H, W) or (T, H, W) with at least {LEAST_PIXELS} "
            f"pixels in height and width, and 1 frame"
        )


def level_grid(input_size: tuple[int, ...], level: int) -> TokenGrid:
    """The grid of image tokens in a level; convolutions of stride 2 lead there, which round up.

    Args:
        input_size: (H, W) pixels, or (T, H, W) frames and pixels.
        level: counted from 0.

    Raises:
        ValueError: as `check_pixels`.
    """
    check_pixels(input_size)
    sizes = input_size
    for _ in range(2 + level):
        sizes = _halved(sizes)
    return TokenGrid(sizes)


def _halved(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Height and width behind a convolution of stride 2; time stays."""
    return (*sizes[:-2], *(-(-size // 2) for size in sizes[-2:]))


def level_dims(embed_dims: Sequence[int], *, num_levels: int) -> tuple[int, ...]:
    """Channels of each level, checked.

    Raises:
        ValueError: not one number for each level, or an odd one for the first, half of which the stem begins with.
    """
    dims = whole_numbers("embed_dims", embed_dims)
    if len(dims) != num_levels or dims[0] % 2:
        raise ValueError(
            f"embed_dims={dims} does not fit {num_levels} levels; give one number of channels for each, the first even"
        )
    return dims


def slot_level(plan: Plan) -> int:
    """The level in which work on every frame alone ends.

    Args:
        plan: of `parse_plan`; mixers alone for a dense model, in which all of the work is of that kind.
    """
    kinds = [block_kinds(stages) for stages in plan]
    return next((i for i, level in enumerate(kinds) if set(level) != {"mixer"}), len(kinds) - 1)


def check_pyramid(plan: Plan) -> None:
    """Raise unless every level ends with image tokens.

    Raises:
        ValueError: semantic tokens that no block recovers from.
    """
    kinds = [kind for stages in plan for kind in block_kinds(stages)]
    if any(kind in REDUCERS for kind in kinds) and "recover" not in kinds:
        raise ValueError(
            "semantic tokens have no map of every level; use a stvit_r_ model (recover=True), which brings the image "
            "tokens back"
        )


def tokens_per_level(plan: Plan, first_grid: TokenGrid, token_grid: TokenGrid | None) -> tuple[int, ...]:
    """Tokens that the last block of each level works on.

    Args:
        plan: of `parse_plan`.
        first_grid: of image tokens in the first level.
        token_grid: of the semantic tokens; None for a dense model.
    """
    counts, image_sizes, sizes = [], first_grid.sizes, first_grid.sizes
    for i, stages in enumerate(plan):
        sizes = _halved(sizes) if i else sizes
        for kind in block_kinds(stages):
            if kind in REDUCERS and token_grid is not None:
                image_sizes, sizes = sizes, token_grid.sizes
            elif kind == "recover":
                sizes = image_sizes
        counts.append(prod(sizes))
    return tuple(counts)


def attention_makers(dim: int, slot: TokenSlot, *, head_dim: int, mlp_ratio: float) -> dict[str, Maker]:
    """What builds the blocks that generate, refine and recover.

    Refine blocks have the slot's layer scale: no image weights are meant for them, and so they start as next to
    nothing between mixers that have some.

    Args:
        dim: channels C of level 3.
        slot: how the few tokens are made.
        head_dim: channels of an attention head.
        mlp_ratio: hidden channels of the MLPs over C.

    Raises:
        ValueError: `head_dim` does not divide the channels.
    """
    head_dim = whole_number("head_dim", head_dim)
    if dim % head_dim:
        raise ValueError(f"head_dim={head_dim} does not divide the {dim} channels of level 3; choose one that does")
    num_heads, scale = dim // head_dim, slot.layer_scale_init
    return slot_makers(dim, slot, num_heads=num_heads, mlp_ratio=mlp_ratio, qkv_bias=True, refine_layer_scale=scale)
