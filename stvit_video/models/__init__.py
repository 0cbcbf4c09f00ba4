"""Architectures, images and video, and their checkpoints."""

from stvit_video.models.checkpoints.load import LoadReport, load_checkpoint, model_from_checkpoint
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.models.factory import create_model
from stvit_video.models.registry import list_models, model_options

__all__ = [
    "CheckpointError",
    "LoadReport",
    "create_model",
    "list_models",
    "load_checkpoint",
    "model_from_checkpoint",
    "model_options",
]
