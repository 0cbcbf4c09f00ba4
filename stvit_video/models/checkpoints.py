"""Checkpoints: what ours hold beside the weights, and loading them strictly."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video import __version__
from stvit_video.layers.pos_embed import resize_grid
from stvit_video.models.build import create_model

METADATA_KEY = "stvit_video"
FORMAT_VERSION = 1
HEAD_PREFIX = "head."  # of the classifier inside the model
MODEL_PREFIX = "model."  # of the model inside the LightningModule


class CheckpointError(ValueError):
    """A checkpoint that can't be read, or does not belong to the model."""


@dataclass(frozen=True)
class LoadReport:
    """What `load_checkpoint` did.

    Args:
        format: name of the format that was recognised.
        loaded: keys whose values were taken as they are.
        interpolated: keys of tables that were resized to the model's grid.
        new: keys of a head for other classes, which kept the model's fresh weights.
    """

    format: str
    loaded: tuple[str, ...]
    interpolated: tuple[str, ...]
    new: tuple[str, ...]

    def __str__(self) -> str:
        lists = {"interpolated": self.interpolated, "new": self.new}
        rest = "".join(f", {len(keys)} {word} ({_some(keys)})" for word, keys in lists.items() if keys)
        return f"{self.format}: {len(self.loaded)} tensors loaded{rest}"


def checkpoint_metadata(
    *,
    model_name: str,
    model_options: Mapping[str, Any],
    classes: tuple[str, ...],
    preprocessing: Mapping[str, Any],
    protocol: Mapping[str, Any],
    config: Mapping[str, Any],
) -> dict[str, Any]:
    """The plain values that make a checkpoint self-contained; they load with `weights_only=True`.

    Args:
        model_name: name for `create_model`.
        model_options: options for `create_model`.
        classes: label names, in the order of the logits.
        preprocessing: frames, sizes, mean and deviation, see `stvit_video.data.transforms.Preprocessing`.
        protocol: num_clips, num_crops, average.
        config: the resolved configuration of the run.
    """
    return {
        "format": FORMAT_VERSION,
        "model": {"name": model_name, "options": dict(model_options)},
        "classes": list(classes),
        "preprocessing": dict(preprocessing),
        "protocol": dict(protocol),
        "config": dict(config),
        "versions": {"stvit_video": __version__, "torch": str(torch.__version__)},
    }


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint file, read without running any code in it.

    Raises:
        CheckpointError: no such file, or no checkpoint that torch reads with `weights_only=True`.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint file {str(path)!r}; give the path of a .ckpt file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{str(path)!r} is no checkpoint that loads safely ({first_line(error)}); "
            f"give a file written by stvit_video.train or torch.save(state_dict)"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{str(path)!r} holds a {type(content).__name__}, not a dictionary of tensors")
    return content


def first_line(error: Exception) -> str:
    """Type and first line of an error's text."""
    return f"{type(error).__name__}: {(str(error).splitlines() or ['no text'])[0]}"


def model_from_checkpoint(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """The model of one of our checkpoints, with its weights, in eval mode.

    Args:
        path: a .ckpt file written by `stvit_video.train`.

    Returns:
        The model, and the checkpoint's metadata (see `checkpoint_metadata`).

    Raises:
        CheckpointError: the file can't be read, or is not one of ours.
    """
    content = read_checkpoint(path)
    metadata = content.get(METADATA_KEY)
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT_VERSION:
        raise CheckpointError(
            f"{str(path)!r} does not say which model it holds (no {METADATA_KEY!r} entry of format {FORMAT_VERSION}); "
            f"build the model with create_model and use load_checkpoint(model, path)"
        )
    model = create_model(metadata["model"]["name"], **metadata["model"]["options"])
    load_checkpoint(model, content)
    return model.eval(), metadata


def load_checkpoint(
    model: nn.Module, path_or_state_dict: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load weights into `model`, all of them or none.

    Takes our .ckpt files, and plain state dicts of our models. Learned cluster centres of another token grid are
    interpolated to the model's.

    Args:
        model: the model that receives the weights.
        path_or_state_dict: a file, its content, or a state dict.
        new_head: whether the model's head stays as it is, for training on other classes.

    Returns:
        What was recognised, loaded, interpolated and left new.

    Raises:
        CheckpointError: the file can't be read, or its tensors are not this model's; the keys are named.
    """
    source = path_or_state_dict
    content = read_checkpoint(source) if isinstance(source, (str, Path)) else source
    format_name, state = _weights(content)
    wanted = model.state_dict()
    new = [key for key in wanted if new_head and key.startswith(HEAD_PREFIX)]
    state |= {key: wanted[key] for key in new}
    _check_keys(state, wanted)
    interpolated = [key for key in wanted if state[key].shape != wanted[key].shape]
    for key in interpolated:
        state[key] = resize_grid(state[key], tuple(wanted[key].shape[1:-1]))
    model.load_state_dict(state)
    loaded = tuple(key for key in wanted if key not in interpolated and key not in new)
    return LoadReport(format_name, loaded, tuple(interpolated), tuple(new))


def _weights(content: Mapping[str, Any]) -> tuple[str, dict[str, Tensor]]:
    """Name of the format and the model's own tensors."""
    if "state_dict" not in content:
        return "stvit_video state dict", dict(content)
    state = content["state_dict"]
    prefixed = {k.removeprefix(MODEL_PREFIX): v for k, v in state.items() if k.startswith(MODEL_PREFIX)}
    return "stvit_video checkpoint", prefixed or dict(state)


def _check_keys(state: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise unless both have the same keys, and shapes that are equal or can be interpolated."""
    missing = sorted(set(wanted) - set(state))
    unused = sorted(set(state) - set(wanted))
    shapes = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape and not _resizable(key, state[key], wanted[key])
    ]
    faults = {
        "the model's keys are missing": missing,
        "keys are not the model's": unused,
        "have another shape": shapes,
    }
    found = "; ".join(f"{len(keys)} {fault}: {_some(keys)}" for fault, keys in faults.items() if keys)
    if found:
        raise CheckpointError(
            f"the checkpoint is of another model: {found}. Build the model with its own name and options"
        )


def _resizable(key: str, table: Tensor, wanted: Tensor) -> bool:
    """Cluster centres over another token grid of as many axes fit after interpolation."""
    return key.endswith(".centres") and table.ndim == wanted.ndim and table.shape[-1] == wanted.shape[-1]


def _some(keys: list[str] | tuple[str, ...], limit: int = 5) -> str:
    """The first keys, and how many more there are."""
    more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
    return ", ".join(keys[:limit]) + more
