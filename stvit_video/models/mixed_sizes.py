"""Maps of a batch whose pictures have sizes of their own, and are padded to one: each picture as if it were alone."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stvit_video.models.activation_checkpointing import BatchNorm
from stvit_video.tokens.shared_tokens import SharedTokens

FIRST_STRIDE = 4  # pixels to a cell of the first map; every later one has twice as many


def check_sizes(pictures: Tensor, sizes: Sequence[Sequence[int]]) -> None:
    """Raise unless there is a size for each picture, inside of the batch.

    Args:
        pictures: (B, in_channels, [T,] H, W).
        sizes: height and width of each picture.

    Raises:
        ValueError: there is not.
    """
    if len(sizes) != len(pictures):
        raise ValueError(f"{len(sizes)} sizes for {len(pictures)} pictures; give (height, width) for each")
    height, width = pictures.shape[-2:]
    for h, w in sizes:
        if not (1 <= h <= height and 1 <= w <= width):
            raise ValueError(
                f"size {(h, w)} is of no picture in a batch of {height}x{width} pixels; give the height and width that "
                f"each picture had before it was padded"
            )


def learns_from_batch(model: nn.Module) -> bool:
    """Whether a batch norm of the model is in training: its statistics are of the whole batch, not of one picture."""
    return any(isinstance(module, BatchNorm) and module.training for module in model.modules())


def by_size(
    run: Callable[..., list[Tensor]],
    pictures: Tensor,
    sizes: Sequence[Sequence[int]],
    shared: SharedTokens | None = None,
) -> list[Tensor]:
    """Run pictures of equal size together, without their padding, and pad the maps instead.

    Args:
        run: (n, in_channels, [T,] h, w) -> maps (n, C_i, *grid_i) of strides 4, 8, 16 and so on; with `shared`, its
            part comes as a second argument.
        pictures: (B, in_channels, [T,] H, W).
        sizes: height and width of each picture.
        shared: the semantic tokens that pictures share, those of equal size.

    Returns:
        (B, C_i, *grid_i) for every level, the grid of H x W pixels; zeros behind a picture's own map.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, size in enumerate(sizes):
        groups.setdefault(tuple(int(side) for side in size), []).append(index)
    whole = tuple(pictures.shape[-2:])
    if list(groups) == [whole] and shared is None:
        return run(pictures)
    order = [index for members in groups.values() for index in members]
    levels: list[list[Tensor]] = []
    for (height, width), members in groups.items():
        part = () if shared is None else (shared.part(members, views=[(height, width)] * len(members)),)
        maps = run(pictures[torch.tensor(members, device=pictures.device)][..., :height, :width], *part)
        levels.append([_padded(level, whole, FIRST_STRIDE * 2**i) for i, level in enumerate(maps)])
    back = torch.tensor(order, device=pictures.device).argsort()
    return [torch.cat(of_level)[back] for of_level in zip(*levels, strict=True)]


def _padded(level: Tensor, pixels: tuple[int, ...], stride: int) -> Tensor:
    """Zeros behind a map, up to that of so many pixels: (n, C, *grid)."""
    height, width = (-(-side // stride) for side in pixels)
    return F.pad(level, (0, width - level.shape[-1], 0, height - level.shape[-2]))
