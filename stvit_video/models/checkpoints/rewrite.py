"""Put something into the metadata of a checkpoint that is there already: the whole file anew, in one step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stvit_video.models.checkpoints.files import EXPORTED, SAFETENSORS, read_checkpoint, write_safetensors
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata
from stvit_video.utils.atomic_files import atomically


def add_to_metadata(path: Path, values: Mapping[str, Any]) -> Path:
    """Add entries to the metadata of one of our checkpoints; weights and other entries stay as they are.

    Args:
        path: a .ckpt file, a .safetensors file, or a folder of `stvit_video.export_run`.
        values: plain values by name; an entry of this name is replaced.

    Returns:
        The file that was written.

    Raises:
        CheckpointError: the file can't be read, or is not one of ours.
        OSError: it can't be written; it is left as it was.
    """
    file = (path / EXPORTED if path.is_dir() else path).resolve()
    content = read_checkpoint(file)
    metadata = {**check_metadata(content.get(METADATA_KEY), source=repr(str(path))), **values}
    with atomically(file) as part:
        if file.suffix == SAFETENSORS:
            write_safetensors(part, content["state_dict"], metadata=metadata)
        else:
            _save({**content, METADATA_KEY: metadata}, part)
    return file


def _save(content: Mapping[str, Any], part: Path) -> None:
    with part.open("wb") as opened:  # a path would put the name of the part into the file
        try:
            torch.save(content, opened)
        except RuntimeError as error:  # torch's writer makes it of the system's error
            raise OSError(f"{part.parent} can't be written ({error}); the checkpoint is as it was") from error
