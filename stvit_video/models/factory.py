"""Build a model by its name, with fresh weights or those of a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.load import load_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, check_metadata
from stvit_video.models.registry import build_model


def create_model(name: str, *, pretrained: str | Path | None = None, **options: Any) -> TokenModel:
    """Build a model by its name, with fresh weights or those of a file.

    Args:
        name: one of `list_models()`.
        pretrained: a file or exported folder that `load_checkpoint` takes; None = fresh weights. Of a model of ours by
            the same name the options that are not given are the file's; those that are given count, and the weights
            are fitted to them by the rules of `load_checkpoint` (num_tokens: centres are interpolated; num_classes:
            the head is new). Weights that don't fit are an error, none is left out.
        options: the model's settings, see `model_options(name)`; for example num_classes, num_frames, num_tokens,
            image_size, embed_dim, depth, num_heads.

    Returns:
        A module from clips (B, C, T, H, W), or images (B, C, H, W), to logits (B, num_classes).

    Raises:
        ValueError: an unknown name or option (the closest known one is named), a value out of its range, or options
            that do not go together; CheckpointError: a file that can't be read, or is of another model.
    """
    return build_model(name, **options) if pretrained is None else pretrained_model(name, pretrained, options)


def pretrained_model(name: str, path: str | Path, options: Mapping[str, Any]) -> TokenModel:
    """The model `name` with the weights of a file, see `create_model`.

    Raises:
        ValueError: as `create_model`; CheckpointError: the file can't be read, or its tensors are not this model's.
    """
    content = read_checkpoint(path)
    stored: Mapping[str, Any] = {}
    if METADATA_KEY in content:
        described = check_metadata(content[METADATA_KEY], source=repr(str(path)))["model"]
        stored = described["options"] if described["name"] == name else {}
    model = build_model(name, **{**stored, **options})
    load_checkpoint(model, content)
    return model
