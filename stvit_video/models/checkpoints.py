"""Checkpoints: reading them without running their code, and loading them strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from stvit_video import __version__
from stvit_video.models.build import create_model
from stvit_video.models.deit import DeiT
from stvit_video.models.metadata import METADATA_KEY, check_metadata, check_resume, checkpoint_metadata, written_by
from stvit_video.models.weights import CheckpointError, PositionGrid, check_keys, own_tensors, resized_tables, some

__all__ = [
    "METADATA_KEY",
    "CheckpointError",
    "LoadReport",
    "check_resume",
    "check_weights",
    "checkpoint_metadata",
    "load_checkpoint",
    "model_from_checkpoint",
    "read_checkpoint",
]

HEAD_PREFIX = "head."  # of the classifier inside the model
SLIM = {"embed_dim": 8, "num_heads": 1, "num_classes": 1}  # options without a meaning for the grid
ZIP_START = b"PK\x03\x04"


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
        rest = "".join(f", {len(keys)} {word} ({some(keys)})" for word, keys in lists.items() if keys)
        return f"{self.format}: {len(self.loaded)} tensors loaded{rest}"


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint file, read without running any code in it.

    Raises:
        CheckpointError: no such file, or no checkpoint that torch reads with `weights_only=True`.
    """
    if Path(path).is_dir():
        raise CheckpointError(f"{str(path)!r} is a folder; give the path of a .ckpt file, such as one in it")
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint file {str(path)!r}; give the path of a .ckpt file")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except PermissionError as error:
        raise CheckpointError(f"{str(path)!r} can't be read ({error.strerror}); check its permissions") from error
    except Exception as error:  # a parser that is fed with any bytes raises anything
        raise CheckpointError(
            f"{str(path)!r} is no checkpoint that loads safely: {_load_fault(path, error)}; "
            f"give a file written by stvit_video.train or torch.save(state_dict)"
        ) from None  # torch's own text advises to run the file's code
    if not isinstance(content, dict):
        raise CheckpointError(f"{str(path)!r} holds a {type(content).__name__}, not a dictionary of tensors")
    return content


def _load_fault(path: str | Path, error: Exception) -> str:
    """Why torch could not load a file, in our words."""
    with Path(path).open("rb") as file:
        start = file.read(len(ZIP_START))
    if not start:
        return "it is empty"
    if start != ZIP_START:
        return "it is no zip archive written by torch.save"
    if isinstance(error, UnpicklingError):
        return "it holds Python objects other than tensors and plain values"
    return "its zip archive is cut short, damaged, or not written by torch.save"


def model_from_checkpoint(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """The model of one of our checkpoints, with its weights, in eval mode.

    Args:
        path: a .ckpt file written by `stvit_video.train`.

    Returns:
        The model, and the checkpoint's metadata (see `checkpoint_metadata`).

    Raises:
        CheckpointError: the file can't be read, is not one of ours, or its model can't be built here.
    """
    content = read_checkpoint(path)
    metadata = check_metadata(content.get(METADATA_KEY), source=repr(str(path)))
    model = _described_model(metadata, source=repr(str(path)))
    load_checkpoint(model, content)
    num_logits, num_classes = model.state_dict()[f"{HEAD_PREFIX}weight"].shape[0], len(metadata["classes"])
    if num_logits != num_classes:
        raise CheckpointError(
            f"{str(path)!r} names {num_classes} classes for {num_logits} logits; "
            f"give a file as stvit_video.train wrote it"
        )
    return model.eval(), metadata


def _described_model(metadata: Mapping[str, Any], *, source: str) -> nn.Module:
    """The model that checked metadata names, with fresh weights."""
    described = metadata["model"]
    try:
        return create_model(described["name"], **described["options"])
    except (ValueError, TypeError) as error:
        raise CheckpointError(
            f"the model of {source} can't be built: {error}; the file was written by stvit_video "
            f"{written_by(metadata)}, this is {__version__}"
        ) from error


def load_checkpoint(
    model: nn.Module, path_or_state_dict: str | Path | Mapping[str, Any], *, new_head: bool = False
) -> LoadReport:
    """Load weights into `model`, all of them or none.

    Takes our .ckpt files, and plain state dicts of our models. Learned cluster centres of another token grid and
    temporal positions of another number of frames are interpolated to the model's; so are the positions of another
    image size, out of .ckpt files alone, whose options say which grid they are over.

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
    format_name, state = own_tensors(_dictionary(content))
    wanted = model.state_dict()
    new = [key for key in wanted if new_head and key.startswith(HEAD_PREFIX)]
    state |= {key: wanted[key] for key in new}
    grids = {"grid_then": _stored_grid(content), "grid_now": _position_grid(model)}
    resized = resized_tables(state, wanted, **grids)
    state |= resized
    check_keys(state, wanted, **grids)
    model.load_state_dict(state)
    loaded = tuple(key for key in wanted if key not in resized and key not in new)
    return LoadReport(format_name, loaded, tuple(resized), tuple(new))


def check_weights(model: nn.Module, content: Mapping[str, Any]) -> None:
    """Raise unless `load_checkpoint` could take `content` into `model` with no table interpolated; loads nothing.

    Args:
        model: the model that would receive the weights.
        content: of a checkpoint (`read_checkpoint`), or a state dict.

    Raises:
        CheckpointError: keys are missing, unused or of another shape; they are named.
    """
    _, state = own_tensors(_dictionary(content))
    check_keys(state, model.state_dict(), grid_then=_stored_grid(content), grid_now=_position_grid(model))


def _dictionary(content: object) -> Mapping[str, Any]:
    if not isinstance(content, Mapping):
        raise CheckpointError(f"a {type(content).__name__} is no checkpoint; give a path or a dictionary of tensors")
    return content


def _position_grid(model: nn.Module) -> PositionGrid | None:
    """The grid of a model's positions; None for a model that is not ours."""
    return PositionGrid(model.position_sizes, model.num_class_tokens) if isinstance(model, DeiT) else None


def _stored_grid(content: Mapping[str, Any]) -> PositionGrid | None:
    """The grid of a checkpoint's positions, of its model built with few channels; None where its metadata tell none."""
    try:
        metadata = check_metadata(content.get(METADATA_KEY), source="the checkpoint")
        slim = {"name": metadata["model"]["name"], "options": metadata["model"]["options"] | SLIM}
        with torch.random.fork_rng(devices=[]):  # the caller's random numbers stay as they are
            return _position_grid(_described_model({**metadata, "model": slim}, source="the checkpoint"))
    except CheckpointError:
        return None  # the weights alone may be all that is asked for; who needs the grid says that it is unknown
