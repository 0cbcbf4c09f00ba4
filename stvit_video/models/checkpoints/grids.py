"""Tables over a grid, and kernels over pixels, brought to the grid and the axes of another model."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, prod

import torch
from torch import Tensor, nn

from stvit_video.layers.pos_embed import resize_grid
from stvit_video.models.checkpoints.fit import CLASS_TOKEN, PATCHES, POSITIONS, TIME_POSITIONS, Fit

TABLES = (".centres", ".bias_table")  # over a grid that their own shape tells


@dataclass(frozen=True)
class PositionGrid:
    """What the rows of a position table stand for; the table itself is flat and does not tell.

    Args:
        sizes: the grid (H, W) or (T, H, W).
        num_class_tokens: rows before those of the grid.
    """

    sizes: tuple[int, ...]
    num_class_tokens: int


def position_grid(model: nn.Module) -> PositionGrid | None:
    """The grid of a model's position table; None for a model without one, or of others."""
    sizes = getattr(model, "position_sizes", None)
    return None if sizes is None else PositionGrid(tuple(sizes), getattr(model, "num_class_tokens", 0))


def fit_kernels(fit: Fit, wanted: Mapping[str, Tensor]) -> None:
    """Spread the kernels of image convolutions over the time of a clip's."""
    for key, target in wanted.items():
        kernel = fit.state.get(key)
        if kernel is None or kernel.ndim != 4 or target.ndim != 5 or kernel.shape[:2] != target.shape[:2]:
            continue
        if not key.endswith(TABLES):
            fit.state[key] = spread_kernel(kernel, target.shape[2])
            fit.inflated.append(key)


def spread_kernel(kernel: Tensor, num_steps: int) -> Tensor:
    """(O, I, h, w) -> (O, I, t, h, w): on t equal frames the same response as on one."""
    return kernel.unsqueeze(2).expand(-1, -1, num_steps, -1, -1) / num_steps


def fit_tables(fit: Fit, wanted: Mapping[str, Tensor], model: nn.Module) -> None:
    """Bring centres, relative biases and temporal positions to the model's grids."""
    for key in wanted:
        if key not in fit.state or not (key.endswith(TABLES) or key == TIME_POSITIONS):
            continue
        table, target = fit.state[key], wanted[key]
        if table.ndim == target.ndim - 1 == 4 and _same_ends(table, target):
            table = _fit_table(table, tuple(target.shape[2:-1]), _owner(model, key)).unsqueeze(1)
            fit.state[key] = table.expand(-1, target.shape[1], -1, -1, -1)
            fit.inflated.append(key)
        elif table.shape != target.shape and table.ndim == target.ndim and _same_ends(table, target):
            fit.state[key] = _fit_table(table, tuple(target.shape[1:-1]), _owner(model, key))
            fit.interpolated.append(key)


def _same_ends(table: Tensor, target: Tensor) -> bool:
    return table.shape[0] == target.shape[0] and table.shape[-1] == target.shape[-1] and table.numel() > 0


def _owner(model: nn.Module, key: str) -> nn.Module:
    """The module that a table belongs to."""
    return model.get_submodule(key.rpartition(".")[0])


def _fit_table(table: Tensor, sizes: tuple[int, ...], owner: nn.Module) -> Tensor:
    """Interpolate; but biases of a window that was cut to a small grid are the middle of the whole window's.

    Args:
        table: (1, *offsets, A).
        sizes: the wanted offsets, as many axes.
        owner: the attention, whose window says which offsets those are; of other tables any module.
    """
    then = tuple(table.shape[1:-1])
    whole, cut = (_offsets(owner, name, len(then)) for name in ("full_window", "grid_window"))
    if then == whole:
        for axis, size in enumerate(sizes, start=1):
            table = table.narrow(axis, (table.shape[axis] - size) // 2, size)
        return table
    if then == cut and sizes == whole:
        return _with_edges(table, sizes)
    return resize_grid(table, sizes)


def _offsets(owner: nn.Module, name: str, num_axes: int) -> tuple[int, ...] | None:
    """Offsets along the last axes of a window of an attention; None for other modules."""
    window = getattr(owner, name, None)
    return None if window is None else tuple(2 * size - 1 for size in window[-num_axes:])


def _with_edges(table: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """The table in the middle of a larger one, whose other values are those of its edges."""
    for axis, size in enumerate(sizes, start=1):
        middle = (size - table.shape[axis]) // 2
        places = torch.arange(size, device=table.device).sub(middle).clamp(0, table.shape[axis] - 1)
        table = table.index_select(axis, places)
    return table


def fit_positions(fit: Fit, wanted: Mapping[str, Tensor], then: PositionGrid | None, now: PositionGrid | None) -> None:
    """Bring the flat position table to the model's grid, once both grids are known."""
    if POSITIONS not in fit.state or POSITIONS not in wanted or now is None:
        return
    table, target = fit.state[POSITIONS], wanted[POSITIONS]
    then = then or _likely_grid(table, fit, now)
    if then is None or then == now or table.ndim != 3 or table.shape[1] != then.num_class_tokens + prod(then.sizes):
        return
    if table.shape[::2] != target.shape[::2] or not _leads_to(then, now, fit):
        return
    class_rows, rows = table.tensor_split([then.num_class_tokens], dim=1)
    rows = rows.unflatten(1, then.sizes)
    if then.sizes[-2:] != now.sizes[-2:] or (len(then.sizes) == len(now.sizes) and then.sizes != now.sizes):
        rows = resize_grid(rows, now.sizes[-len(then.sizes) :])
        fit.interpolated.append(POSITIONS)
    if len(then.sizes) < len(now.sizes):
        rows = rows.unsqueeze(1).expand(-1, now.sizes[0], -1, -1, -1)
        fit.inflated.append(POSITIONS)
    fit.state[POSITIONS] = torch.cat([class_rows[:, : now.num_class_tokens], rows.flatten(1, -2)], dim=1)


def _likely_grid(table: Tensor, fit: Fit, now: PositionGrid) -> PositionGrid | None:
    """The grid of positions of which nobody says it.

    The model's where the rows fit, or its own over another number of steps; of images and single frames else a square.
    """
    num_class_tokens = int(CLASS_TOKEN in fit.state or CLASS_TOKEN in fit.unused)
    num_rows = table.shape[1] - num_class_tokens if table.ndim == 3 else 0
    kernel = fit.state.get(PATCHES)
    of_frames = TIME_POSITIONS in fit.state or (kernel is not None and kernel.ndim == 4)
    if num_rows == prod(now.sizes) and of_frames <= (len(now.sizes) == 2):
        return PositionGrid(now.sizes, num_class_tokens)
    plane = prod(now.sizes[-2:])
    if not of_frames and len(now.sizes) == 3 and num_rows % plane == 0:
        return PositionGrid((num_rows // plane, *now.sizes[-2:]), num_class_tokens)  # of more or fewer frames
    side = isqrt(max(num_rows, 0))
    if not of_frames or side * side != num_rows:
        return None
    return PositionGrid((side, side), num_class_tokens)


def _leads_to(then: PositionGrid, now: PositionGrid, fit: Fit) -> bool:
    """Whether positions of one grid say something about another: never from clips to images, or to a class token."""
    keeps_class = then.num_class_tokens == now.num_class_tokens or CLASS_TOKEN in fit.unused
    return keeps_class and len(then.sizes) <= len(now.sizes)
