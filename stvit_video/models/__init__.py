"""Architectures, images and video, and their checkpoints."""

from stvit_video.models.build import create_model, list_models, model_options
from stvit_video.models.checkpoints import LoadReport, load_checkpoint, model_from_checkpoint
from stvit_video.models.weights import CheckpointError

__all__ = [
    "CheckpointError",
    "LoadReport",
    "create_model",
    "list_models",
    "load_checkpoint",
    "model_from_checkpoint",
    "model_options",
]
