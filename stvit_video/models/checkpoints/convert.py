"""From the weights of one model to another of the same family: images to video, dense to semantic, other grids."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stvit_video.models.checkpoints.dense_to_semantic import fill_slots, is_dense, make_room, ordinary_blocks
from stvit_video.models.checkpoints.fit import (
    CLASS_TOKEN,
    DISTILLATION_HEAD,
    DISTILLATION_TOKEN,
    POSITIONS,
    TIME_POSITIONS,
    Fit,
)
from stvit_video.models.checkpoints.grids import PositionGrid, fit_kernels, fit_positions, fit_tables
from stvit_video.models.checkpoints.moved_generation import move_generation
from stvit_video.models.registry import layer_groups

GAINS = (".ls1.gamma", ".ls2.gamma")
NO_WEIGHTS = (".num_batches_tracked", "window_rule", "padding_rule")
MAP_NORMS = "norms."  # of a model with features_only


def fit_state(
    state: Mapping[str, Tensor],
    model: nn.Module,
    *,
    grid_then: PositionGrid | None,
    grid_now: PositionGrid | None,
    new_head: bool = False,
) -> Fit:
    """Everything that is known to lead from the checkpoint's weights to the model's; what does not fit stays as it is.

    Args:
        state: tensors of the checkpoint, by our keys.
        model: the model that is to receive them.
        grid_then: of the checkpoint's positions; None = not known.
        grid_now: of the model's positions; None = it has none.
        new_head: whether the model keeps its head.
    """
    wanted, fit = model.state_dict(), Fit(dict(state))
    move_generation(fit, model)
    from_dense = is_dense(fit.state, model)
    from_images = _are_of_images(fit, wanted)
    if from_dense:
        fill_slots(fit, model)
    elif from_images:
        make_room(fit, model)
    if from_images:
        _start_time(fit, wanted)
    _leave_distillation(fit, wanted)
    if from_images or from_dense:
        _leave_class_token(fit, wanted)
    fit_tables(fit, wanted, model)
    fit_positions(fit, wanted, grid_then, grid_now)
    fit_kernels(fit, wanted)
    _keep_heads(fit, wanted, layer_groups(model).heads, new_head=new_head)
    _start_gains(fit, model)
    return fit


def _start_gains(fit: Fit, model: nn.Module) -> None:
    """Gains of ordinary blocks, where a checkpoint has none of them at all: 1, which is what having none means."""
    ordinary = ordinary_blocks(model)
    gains = {
        key: value for key, value in model.state_dict().items() if key.endswith(GAINS) and key.startswith(ordinary)
    }
    if not any(key in fit.state for key in gains):
        fit.state |= {key: torch.ones_like(value) for key, value in gains.items()}
        fit.new += gains


def defaults(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the model has where a checkpoint says nothing: counts of batches, the rule for windows; never weights."""
    return {key: value for key, value in wanted.items() if key.endswith(NO_WEIGHTS) and key not in state}


def _are_of_images(fit: Fit, wanted: Mapping[str, Tensor]) -> bool:
    """Whether the weights know no time and the model does: by their axes, or as nothing of theirs is over time."""
    axes = {(fit.state[key].ndim, wanted[key].ndim) for key in wanted if key in fit.state}
    lacks_time = TIME_POSITIONS in wanted and TIME_POSITIONS not in fit.state
    return (4, 5) in axes or (lacks_time and (5, 5) not in axes)


def _start_time(fit: Fit, wanted: Mapping[str, Tensor]) -> None:
    """Temporal positions that the weights don't have are zero, so that a still clip stays the image."""
    if TIME_POSITIONS in wanted and TIME_POSITIONS not in fit.state:
        fit.state[TIME_POSITIONS] = torch.zeros_like(wanted[TIME_POSITIONS])
        fit.inflated.append(TIME_POSITIONS)


def _leave_class_token(fit: Fit, wanted: Mapping[str, Tensor]) -> None:
    """Models that take the mean over their tokens have no place for the class token of image models."""
    if CLASS_TOKEN in fit.state and CLASS_TOKEN not in wanted:
        del fit.state[CLASS_TOKEN]
        fit.unused.append(CLASS_TOKEN)


def _leave_distillation(fit: Fit, wanted: Mapping[str, Tensor]) -> None:
    """No model has a place for the token, the position and the head with which a distilled DeiT learned."""
    if DISTILLATION_TOKEN not in fit.state or DISTILLATION_TOKEN in wanted:
        return
    for key in [key for key in fit.state if key == DISTILLATION_TOKEN or key.startswith(DISTILLATION_HEAD)]:
        del fit.state[key]
        fit.unused.append(key)
    if (table := fit.state.get(POSITIONS)) is not None and table.ndim == 3:
        fit.state[POSITIONS] = torch.cat([table[:, :1], table[:, 2:]], dim=1)  # (1, 1 + N, C)


def _keep_heads(fit: Fit, wanted: Mapping[str, Tensor], heads: tuple[str, ...], *, new_head: bool) -> None:
    """Leave the model's head as it is where that is asked for, or where the checkpoint's is for other classes.

    A backbone for maps has norms of its levels instead, which no classifier knows.
    """
    if maps := [key for key in wanted if key.startswith(MAP_NORMS) and key not in fit.state]:
        fit.new += maps
        for key in [key for key in fit.state if key.startswith((*heads, "norm."))]:
            del fit.state[key]
            fit.unused.append(key)
    ours = [key for key in wanted if key.startswith(heads)]
    others = [key for key in ours if key in fit.state and fit.state[key].shape[:1] != wanted[key].shape[:1]]
    if new_head or (others and _agree(fit, others, heads)):
        fit.new += ours
        for key in [key for key in fit.state if key.startswith(heads)]:
            del fit.state[key]
            fit.unused.append(key)


def _agree(fit: Fit, keys: list[str], heads: tuple[str, ...]) -> bool:
    """Whether the tensors of every head are for one and the same number of classes; else one of them is damaged."""
    counts: dict[str, set[int]] = {}
    for key, value in fit.state.items():
        if key.startswith(heads) and value.ndim:
            counts.setdefault(key.partition(".")[0], set()).add(value.shape[0])
    return all(len(counts[key.partition(".")[0]]) == 1 for key in keys)
