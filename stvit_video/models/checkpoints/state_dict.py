"""State dicts: taken out of what they are wrapped in, and checked against a model's."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from stvit_video.models.checkpoints.fit import POSITIONS
from stvit_video.models.checkpoints.grids import PositionGrid

MODEL_PREFIX = "model."  # of the model inside the LightningModule
WRAPPERS = ("state_dict", "model_state_dict", "model", "module")  # entries under which projects save their weights
PREFIXES = ("module.", "model.", "_orig_mod.", "backbone.")  # of data-parallel, Lightning, compiled modules, detectors


class CheckpointError(ValueError):
    """A checkpoint that can't be read, or does not belong to the model."""


def unwrapped(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, out of the dictionaries and prefixes that trainers put around them.

    Args:
        content: of a checkpoint (with an entry of WRAPPERS), or a state dict.

    Raises:
        CheckpointError: not a dictionary of tensors by name.
    """
    what = "the state dict"
    while wrapper := next((name for name in WRAPPERS if name in content and not isinstance(content[name], Tensor)), ""):
        inner, what = content[wrapper], f"the checkpoint's {wrapper!r}"
        if not isinstance(inner, Mapping):
            raise CheckpointError(f"{what} is of type {type(inner).__name__}; it must be a dictionary of tensors")
        content = inner
    if what == "the checkpoint's 'state_dict'":  # a training's, which has metrics beside its model
        own = {key: value for key, value in content.items() if isinstance(key, str) and key.startswith(MODEL_PREFIX)}
        content = own or content
    state = _tensors(content, what=what)
    while prefix := next((prefix for prefix in PREFIXES if all(key.startswith(prefix) for key in state)), ""):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _tensors(state: Mapping[Any, Any], *, what: str) -> dict[str, Tensor]:
    others = [
        f"{key!r} ({type(value).__name__})"
        for key, value in state.items()
        if not isinstance(key, str) or not isinstance(value, Tensor)
    ]
    if others or not state:
        found = f"{len(others)} entries that are no named tensors: {shorten(others)}" if others else "nothing"
        raise CheckpointError(f"{what} holds {found}; give a dictionary from the names of weights to tensors")
    return dict(state)


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
        "of the model's keys are missing": sorted(set(wanted) - set(state)),
        "keys are not the model's": sorted(set(state) - set(wanted)),
        "have another shape": shapes,
    }
    found = "; ".join(f"{len(keys)} {fault}: {shorten(keys)}" for fault, keys in faults.items() if keys)
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
    if now is None or then == now:
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


def shorten(keys: list[str] | tuple[str, ...], limit: int = 5) -> str:
    """The first keys, and how many more there are."""
    more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
    return ", ".join(keys[:limit]) + more
