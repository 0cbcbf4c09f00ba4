"""Checkpoint files: read without running code in them, and written as safetensors with all that a model needs."""

import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from stvit_video.models.checkpoints.metadata import METADATA_KEY
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.utils.known_folders import BUNDLE_FILE, checkpoint_of_run

SAFETENSORS = ".safetensors"
EXPORTED = "model.safetensors"  # the weights in a folder of stvit_video.export_run, and of transformers
OLDER = "pytorch_model.bin"  # in a folder of transformers before there was safetensors
PARTED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")  # weights in several files
LOADED_TYPES = ("vit", "vit_mae", "vit_msn", "deit", "videomae")  # of transformers; others are refused by their keys
ACTIVATION = "gelu"  # of all models, in transformers' word
ZIP_START = b"PK\x03\x04"


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint file, read without running any code in it.

    Args:
        path: a file of torch.save or safetensors, or a folder of `stvit_video.export_run` or of transformers.

    Returns:
        Its dictionary; of our own safetensors files {"state_dict": tensors, METADATA_KEY: metadata}, as of a .ckpt.

    Raises:
        CheckpointError: no such file, or no checkpoint that torch reads with `weights_only=True`.
    """
    file = _file_of(Path(path))
    _refuse_another_activation(file)
    try:
        if file.suffix == SAFETENSORS:
            return _read_safetensors(file)
        content = torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except PermissionError as error:
        raise CheckpointError(f"{str(file)!r} can't be read ({error.strerror}); check its permissions") from error
    except Exception as error:  # a parser that is fed with any bytes raises anything
        raise CheckpointError(
            f"{str(file)!r} is no checkpoint that loads safely: {_load_fault(file, error)}; "
            f"give a file written by stvit_video.train or torch.save(state_dict)"
        ) from None  # torch's own text advises to run the file's code
    if not isinstance(content, dict):
        raise CheckpointError(f"{str(file)!r} holds a {type(content).__name__}, not a dictionary of tensors")
    return content


def peek_checkpoint(path: str) -> dict[str, Any]:
    """Read a checkpoint as `read_checkpoint` does, but leave its tensors on the disk where possible.

    Raises:
        CheckpointError: no such file, or no checkpoint that torch reads with `weights_only=True`.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # a folder, another format, or a fault that `read_checkpoint` has the words for
        return read_checkpoint(path)
    return content if isinstance(content, dict) else read_checkpoint(path)


def _file_of(path: Path) -> Path:
    """The file that holds the tensors, of a file or of a folder."""
    if path.is_dir():
        if file := next((path / name for name in (EXPORTED, OLDER) if (path / name).is_file()), None):
            return file
        if any((path / name).is_file() for name in PARTED):
            raise CheckpointError(
                f"{str(path)!r} holds weights in several files, which are not put together here; save them in one: "
                "with transformers by model.save_pretrained(folder, max_shard_size='100GB')"
            )
        if (path / BUNDLE_FILE).is_file():
            raise CheckpointError(
                f"{str(path)!r} is a bundle for bundle= of stvit_video.predict and stvit_video.stream, which holds a "
                "graph and no weights to load; give the checkpoint that it was exported from"
            )
        if checkpoint := checkpoint_of_run(path):
            raise CheckpointError(f"{str(path)!r} is the folder of a run; give a checkpoint in it: {str(checkpoint)!r}")
        raise CheckpointError(
            f"{str(path)!r} is a folder without {EXPORTED}; give a folder made by stvit_video.export_run, or the path "
            "of a .ckpt file, such as one in it"
        )
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint file {str(path)!r}; give the path of a .ckpt file")
    return path


def _refuse_another_activation(file: Path) -> None:
    """Refuse weights of transformers whose config.json names an activation that no model here computes.

    The tensors don't tell, so the model would compute other features without a word.
    """
    config = file.with_name("config.json")
    if file.name not in (EXPORTED, OLDER) or not config.is_file():
        return
    try:
        said = json.loads(config.read_text(encoding="utf-8"))
        found = said.get("hidden_act", ACTIVATION) if said.get("model_type") in LOADED_TYPES else ACTIVATION
    except (OSError, ValueError, AttributeError):  # not transformers'
        return
    if found != ACTIVATION:
        raise CheckpointError(
            f"{str(config)!r} says hidden_act={found!r}, and the models here compute {ACTIVATION!r}; take weights that "
            "were trained with it"
        )


def _read_safetensors(file: Path) -> dict[str, Any]:
    with safe_open(file, framework="pt") as opened:
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - it is no dictionary
        metadata = (opened.metadata() or {}).get(METADATA_KEY)
    return tensors if metadata is None else {"state_dict": tensors, METADATA_KEY: json.loads(metadata)}


def _load_fault(file: Path, error: Exception) -> str:
    """Why a file could not be loaded, in our words."""
    with file.open("rb") as opened:
        start = opened.read(len(ZIP_START))
    if not start:
        return "it is empty"
    if file.suffix == SAFETENSORS:
        return "it is no whole file of safetensors"
    if start != ZIP_START:
        return "it is no zip archive written by torch.save"
    if isinstance(error, UnpicklingError):
        return "it holds Python objects other than tensors and plain values"
    return "its zip archive is cut short, damaged, or not written by torch.save"


def write_safetensors(file: Path, state: Mapping[str, Tensor], *, metadata: Mapping[str, Any]) -> None:
    """Write weights and metadata so that `read_checkpoint` gives them back.

    Args:
        file: is replaced if it is there; its name must end in .safetensors.
        state: tensors by name, on any device.
        metadata: as `checkpoint_metadata` makes them; plain values, they become JSON in the file's header.

    Raises:
        OSError: the file can't be written.
    """
    tensors = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}  # none shares memory
    content = save(tensors, metadata={"format": "pt", METADATA_KEY: json.dumps(metadata)})
    file.write_bytes(content)  # safetensors itself would keep others from reading the file
