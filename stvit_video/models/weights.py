"""State dicts: which tensors a checkpoint holds, whether they are the model's, and tables for another grid."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from stvit_video.layers.pos_embed import resize_grid

MODEL_PREFIX = "model."  # of the model inside the LightningModule
POSITIONS = "pos_embed"
TIME_POSITIONS = "temporal_pos_embed"
CENTRES = ".centres"


class CheckpointError(ValueError):
    """A checkpoint that can't be read, or does not belong to the model."""


@dataclass(frozen=True)
class PositionGrid:
    """What the rows of a position table stand for; the table itself is flat and does not tell.

    Args:
        sizes: the grid (H, W) or (T, H, W).
        num_class_tokens: rows before those of the grid.
    """

    sizes: tuple[int, ...]
    num_class_tokens: int


def own_tensors(content: Mapping[str, Any]) -> tuple[str, dict[str, Tensor]]:
    """Name of the format and the model's own tensors.

    Args:
        content: of a Lightning checkpoint (with a "state_dict"), or a state dict.

    Raises:
        CheckpointError: not a dictionary of tensors by name.
    """
    if "state_dict" not in content:
        return "stvit_video state dict", _tensors(content, what="the state dict")
    state = content["state_dict"]
    if not isinstance(state, Mapping):
        raise CheckpointError(
            f"the checkpoint's 'state_dict' is of type {type(state).__name__}; it must be a dictionary of tensors"
        )
    named = {key: value for key, value in state.items() if isinstance(key, str) and key.startswith(MODEL_PREFIX)}
    prefixed = {key.removeprefix(MODEL_PREFIX): value for key, value in named.items()}
    return "stvit_video checkpoint", _tensors(prefixed or state, what="the checkpoint's 'state_dict'")


def _tensors(state: Mapping[Any, Any], *, what: str) -> dict[str, Tensor]:
    others = [
        f"{key!r} ({type(value).__name__})"
        for key, value in state.items()
        if not isinstance(key, str) or not isinstance(value, Tensor)
    ]
    if others or not state:
        found = f"{len(others)} entries that are no named tensors: {some(others)}" if others else "nothing"
        raise CheckpointError(f"{what} holds {found}; give a dictionary from the names of weights to tensors")
    return dict(state)


def resized_tables(
    state: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    *,
    grid_then: PositionGrid | None,
    grid_now: PositionGrid | None,
) -> dict[str, Tensor]:
    """The tables of `state` over another grid than the model's, interpolated to it.

    Args:
        state: tensors of the checkpoint.
        wanted: tensors of the model.
        grid_then: of the checkpoint's positions; None = not known, and they are left as they are.
        grid_now: of the model's positions; None = it has none.

    Returns:
        Cluster centres, temporal positions and positions by key, of the model's shapes; none where the grids are equal
        or of another number of axes.
    """
    resized = {}
    for key in wanted:
        if key not in state:
            continue
        table, target = state[key], wanted[key]
        if key.endswith(CENTRES) or key == TIME_POSITIONS:
            if table.shape != target.shape and _same_axes(table, target):
                resized[key] = resize_grid(table, tuple(target.shape[1:-1]))
        elif key == POSITIONS and grid_then and grid_now and _resizable(table, target, grid_then, grid_now):
            class_rows, rows = table.tensor_split([grid_then.num_class_tokens], dim=1)
            rows = resize_grid(rows.unflatten(1, grid_then.sizes), grid_now.sizes).flatten(1, -2)
            resized[key] = torch.cat([class_rows, rows], dim=1)
    return resized


def _same_axes(table: Tensor, target: Tensor) -> bool:
    same_ends = table.shape[:1] == target.shape[:1] and table.shape[-1:] == target.shape[-1:]
    return table.ndim == target.ndim and same_ends and table.numel() > 0


def _resizable(table: Tensor, target: Tensor, then: PositionGrid, now: PositionGrid) -> bool:
    """Whether a flat position table is over the grid it is said to be, and that grid is another of the same kind."""
    same_kind = len(then.sizes) == len(now.sizes) and then.num_class_tokens == now.num_class_tokens
    rows_fit = _same_axes(table, target) and table.shape[1] == then.num_class_tokens + prod(then.sizes)
    return same_kind and rows_fit and then.sizes != now.sizes


def check_keys(
    state: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    *,
    grid_then: PositionGrid | None = None,
    grid_now: PositionGrid | None = None,
) -> None:
    """Raise unless both have the same keys and shapes.

    Args:
        state: tensors of the checkpoint, its tables resized.
        wanted: tensors of the model.
        grid_then: of the checkpoint's positions, for the message.
        grid_now: of the model's positions, for the message.

    Raises:
        CheckpointError: keys are missing, unused or of another shape; they are named.
    """
    shapes = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    faults = {
        "the model's keys are missing": sorted(set(wanted) - set(state)),
        "keys are not the model's": sorted(set(state) - set(wanted)),
        "have another shape": shapes,
    }
    found = "; ".join(f"{len(keys)} {fault}: {some(keys)}" for fault, keys in faults.items() if keys)
    if found:
        hint = _position_hint(state, wanted, grid_then, grid_now)
        raise CheckpointError(
            f"the checkpoint is of another model: {found}. Build the model with its own name and options{hint}"
        )


def _position_hint(
    state: Mapping[str, Tensor],
    wanted: Mapping[str, Tensor],
    then: PositionGrid | None,
    now: PositionGrid | None,
) -> str:
    """What there is to know where the position tables differ."""
    if POSITIONS not in state or POSITIONS not in wanted or state[POSITIONS].shape == wanted[POSITIONS].shape:
        return ""
    if now is None:
        return ""
    if then is None:
        return (
            f"; the grid of its {POSITIONS} is not known, so it can't be interpolated: give a .ckpt file of "
            f"stvit_video.train, whose model options say the grid, not a state dict alone"
        )
    return (
        f"; the checkpoint's {POSITIONS} is over the grid {then.sizes} with {then.num_class_tokens} class tokens, the "
        f"model's over {now.sizes} with {now.num_class_tokens}: image_size, patch_size, num_frames, base_attention or "
        f"pool differ"
    )


def some(keys: list[str] | tuple[str, ...], limit: int = 5) -> str:
    """The first keys, and how many more there are."""
    more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
    return ", ".join(keys[:limit]) + more
