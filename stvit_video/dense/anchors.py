"""Anchors: the boxes that a detector starts from, the same ones at every cell of a map."""

from collections.abc import Sequence

import torch
from torch import Tensor

Size = tuple[int, int]  # (height, width)


def cell_anchors(sides: Sequence[float], ratios: Sequence[float], *, rounded: bool = False) -> Tensor:
    """Anchors around the origin, ratio by ratio.

    Args:
        sides: square roots of the areas, in pixels.
        ratios: heights over widths.
        rounded: whether corners are rounded to whole pixels.

    Returns:
        (len(ratios) * len(sides), 4) corners x1, y1, x2, y2.
    """
    roots = torch.tensor(ratios, dtype=torch.float32).sqrt()[:, None]
    scales = torch.tensor(sides, dtype=torch.float32)[None]
    widths, heights = (1 / roots * scales).flatten(), (roots * scales).flatten()
    corners = torch.stack([-widths, -heights, widths, heights], dim=1) / 2  # (A, 4)
    return corners.round() if rounded else corners


def octave_sides(stride: int, *, scale: float, num_sides: int, rounded: bool = False) -> list[float]:
    """Sides of the anchors of a level, evenly spaced over an octave.

    Args:
        stride: of the level, in pixels.
        scale: the first side over the stride.
        num_sides: how many.
        rounded: whether sides are cut to whole pixels.
    """
    sides = [scale * stride * 2 ** (step / num_sides) for step in range(num_sides)]
    return [float(int(side)) for side in sides] if rounded else sides


def grid_anchors(cell: Tensor, *, grid: Size, step: Size) -> Tensor:
    """The anchors of all cells of a map.

    Args:
        cell: (A, 4) anchors around the origin.
        grid: rows and columns of the map.
        step: pixels from a row to the next one, and from a column to the next one.

    Returns:
        (rows * columns * A, 4), row by row, the anchors of a cell together. That of row i and column j lies around
        the point (j * step[1], i * step[0]).
    """
    y = torch.arange(grid[0], device=cell.device, dtype=cell.dtype) * step[0]
    x = torch.arange(grid[1], device=cell.device, dtype=cell.dtype) * step[1]
    y, x = torch.meshgrid(y, x, indexing="ij")
    shifts = torch.stack([x, y, x, y], dim=-1).reshape(-1, 1, 4)  # (rows * columns, 1, 4)
    return (shifts + cell).reshape(-1, 4)


def steps(grid: Size, *, stride: int, picture: Size, of_picture: bool) -> Size:
    """Pixels between cells of a map: its stride, or by the other rule what the picture has to share out.

    Args:
        grid: rows and columns of the map.
        stride: of the level, in pixels.
        picture: height and width of the padded pictures.
        of_picture: whether steps are picture // grid.
    """
    return (picture[0] // grid[0], picture[1] // grid[1]) if of_picture else (stride, stride)


def anchors_over(size: Size, *, grids: Sequence[Size], strides: Sequence[int], num_anchors: int) -> Tensor:
    """Which anchors of a padded picture have their cell over the picture itself.

    Args:
        size: height and width of the picture.
        grids: rows and columns of every map.
        strides: of every map, in pixels.
        num_anchors: anchors of a cell.

    Returns:
        (all anchors,) bool, True = the cell begins within the picture; in the order of `grid_anchors`, level by level.
    """
    over = []
    for (rows, columns), stride in zip(grids, strides, strict=True):
        row, column = torch.arange(rows) * stride < size[0], torch.arange(columns) * stride < size[1]
        over.append((row[:, None] & column[None]).flatten().repeat_interleave(num_anchors))
    return torch.cat(over)
