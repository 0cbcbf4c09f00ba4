"""Detectors and segmenters of our own checkpoints, built from what a checkpoint says and filled with its weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stvit_video import __version__
from stvit_video.dense.create_dense import build_described
from stvit_video.dense.dense_model import DenseModel
from stvit_video.dense.load_dense import load_dense
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata, dense_description, written_by
from stvit_video.models.checkpoints.state_dict import CheckpointError

__all__ = ["dense_from_checkpoint"]


def dense_from_checkpoint(
    path: str | Path, *, tasks: Sequence[str], options: Mapping[str, Any] | None = None
) -> tuple[DenseModel, dict[str, Any]]:
    """The model of one of our checkpoints, with its weights, in eval mode on the CPU.

    Args:
        path: a .ckpt file, or an exported folder.
        tasks: of which the checkpoint may be.
        options: of the head, in place of those of the checkpoint.

    Returns:
        The model, and the checkpoint's metadata.

    Raises:
        CheckpointError: the file can't be read, is of another task, or its model can't be built here.
        ValueError: an option is out of range.
    """
    content, source = read_checkpoint(path), repr(str(path))
    metadata = check_metadata(content.get(METADATA_KEY), source=source, tasks=tasks)
    model = _described(metadata, options or {}, source=source)
    load_dense(model, content)
    return model.eval(), metadata


def _described(metadata: Mapping[str, Any], options: Mapping[str, Any], *, source: str) -> DenseModel:
    description = dense_description(metadata)
    try:
        as_trained: DenseModel = build_described(description)
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"the model of {source} can't be built: {error}; the file was written by stvit_video "
            f"{written_by(metadata)}, this is {__version__}"
        ) from error
    if not options:
        return as_trained
    changed: DenseModel = build_described({**description, "options": {**description["options"], **options}})
    return changed
