"""What a model is asked for and fed with: checked, and turned into sizes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from stvit_video.layers.numbers import is_list, is_whole, whole_numbers
from stvit_video.layers.patch_embed import check_patches
from stvit_video.tokens.grid import TokenGrid, choose_token_grid, choose_window_tokens


def check_pool(pool: str, *, semantic: bool) -> None:
    """Raise unless `pool` is known and goes with the model.

    Raises:
        ValueError: an unknown pool, or a class token beside semantic tokens.
    """
    if pool not in ("cls", "mean"):
        raise ValueError(f'pool={pool!r} is unknown; choose "cls" or "mean"')
    if pool == "cls" and semantic:
        raise ValueError('pool="cls" is not possible with semantic tokens, whose mean is the feature; use pool="mean"')


def checked_clip(clip: Tensor, *, num_axes: int, in_channels: int, dtype: torch.dtype) -> Tensor:
    """The input as (B, in_channels, *sizes) with `num_axes` sizes; images may come as clips of one frame.

    It is of the weights' type; under autocast any floating point type passes. Only types and sizes are looked at,
    never values, so that tracing and compiling see constants.

    Args:
        clip: what the model was called with.
        num_axes: 3 for clips, 2 for images.
        in_channels: channels of a pixel.
        dtype: of the model's weights.

    Returns:
        `clip`; for images (B, in_channels, 1, H, W) without the axis of the frame.

    Raises:
        ValueError: no tensor, another number of axes or channels, more than one frame for an image model, or another
            type.
    """
    what, axes = ("clip", "T, H, W") if num_axes == 3 else ("image", "H, W")
    if not isinstance(clip, Tensor):
        raise ValueError(f"{what} is a {type(clip).__name__}; give a torch tensor (B, {in_channels}, {axes})")
    if not clip.is_floating_point():
        raise ValueError(f"{what} is {clip.dtype}; give floating point, normalised (see Preprocessing)")
    given = tuple(clip.shape)
    if num_axes == 2 and clip.ndim == 5:
        if given[2] != 1:
            raise ValueError(
                f"input of shape {given} has {given[2]} frames, an image model takes one: give "
                f"(B, {in_channels}, H, W) or (B, {in_channels}, 1, H, W), or use a model with video in its name"
            )
        clip = clip.squeeze(2)  # (B, in_channels, H, W)
    if clip.ndim != 2 + num_axes or clip.shape[1] != in_channels:
        raise ValueError(
            f"input of shape {given} does not fit this model; give (B, {in_channels}, {axes}), "
            f"channels before {'frames' if num_axes == 3 else 'pixels'}"
        )
    if clip.dtype != dtype and not torch.is_autocast_enabled(clip.device.type):
        raise ValueError(
            f"{what} is {clip.dtype}, the model's weights are {dtype}; give {what}.to({dtype}), "
            f"or run under torch.autocast"
        )
    return clip


def image_token_grid(input_size: tuple[int, ...], patch_size: tuple[int, ...]) -> TokenGrid:
    """The grid of patches of an input.

    Raises:
        ValueError: a size is no multiple of its patch size, or smaller.
    """
    check_patches(input_size, patch_size)
    return TokenGrid(tuple(size // patch for size, patch in zip(input_size, patch_size, strict=True)))


def resolve_token_grid(
    num_tokens: int | Sequence[int], image_grid: TokenGrid, *, window: tuple[int, ...] | None = None
) -> TokenGrid:
    """The semantic tokens' grid from a count, or from the grid itself.

    Args:
        num_tokens: a count K, or sizes of the grid.
        image_grid: the grid of image tokens they come from.
        window: sizes of the windows that share a count evenly; None = no windows.

    Raises:
        ValueError: neither a count nor a grid, or no grid of that many tokens fits in `image_grid`.
    """
    if is_list(num_tokens):
        token_grid = TokenGrid(whole_numbers("num_tokens", num_tokens))
        if not token_grid.fits_in(image_grid):
            raise ValueError(
                f"num_tokens={token_grid.sizes} does not fit the image tokens' grid {image_grid.sizes}; "
                f"choose at most as many along each axis"
            )
        return token_grid
    if not is_whole(num_tokens):
        example = (4,) * len(image_grid.sizes)
        raise ValueError(
            f"num_tokens={num_tokens!r} is no number of tokens; give a whole number, or a grid with one size for "
            f"each axis, such as {example}"
        )
    if window is not None and window != image_grid.sizes:
        return choose_window_tokens(int(num_tokens), image_grid, window)
    return choose_token_grid(int(num_tokens), image_grid)
