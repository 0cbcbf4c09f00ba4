"""Build the model of a detector's or segmenter's training from its settings, and give it the weights it starts from."""

from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_only

from stvit_video.data.manifests.manifest import Manifest
from stvit_video.dense.create_dense import create_dense
from stvit_video.dense.dense_model import DenseModel
from stvit_video.dense.formats import BACKBONE
from stvit_video.dense.load_dense import load_start
from stvit_video.factories.network import given_options
from stvit_video.factories.training import build_optim, scaled_learning_rate, video_namer
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.state_dict import CheckpointError, shorten
from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.training.nonfinite import NonFiniteGuard

__all__ = ["build_dense", "meta_dense", "start_dense", "training_arguments"]

OF_PUBLISHED_DATA = 80  # classes of the model without memory; COCO has as many


def build_dense(settings: DenseSettings, *, num_classes: int) -> DenseModel:
    """Build the detector or segmenter of the `head` and `model` settings.

    Raises:
        ValueError: as `create_dense`.
    """
    options = {name: value for name, value in given_options(settings.model).items() if name != "features_only"}
    return create_dense(
        settings.head.name,
        backbone=settings.model.name,
        num_classes=num_classes,
        head_rule=settings.head.head_rule,
        backbone_options=options,
        **settings.head.options,
    )


def meta_dense(settings: DenseSettings) -> DenseModel:
    """The model on the meta device: at once, without memory, with 80 classes.

    Raises:
        ValueError: as `create_dense`.
    """
    with torch.device("meta"):
        return build_dense(settings, num_classes=OF_PUBLISHED_DATA)


def start_dense(model: DenseModel, settings: DenseSettings) -> None:
    """Make a new model ready for its training: the weights of `init_from`, memory for its gradients.

    Args:
        model: with as many classes as the data.
        settings: of the training.

    Raises:
        CheckpointError: `init_from` does not fit.
    """
    assert isinstance(model.backbone, TokenModel)
    model.backbone.recompute_blocks(recompute=settings.trainer.gradient_checkpointing)
    if not settings.init_from:
        return
    try:
        report = load_start(model, settings.init_from, new_head=settings.init_head == "new")
    except CheckpointError as error:
        raise CheckpointError(f"init_from={settings.init_from}: {error}") from error
    if settings.init_head == "keep" and (new := [key for key in report.new if not key.startswith(BACKBONE)]):
        raise CheckpointError(
            f"init_head=keep takes neck and head of init_from={settings.init_from} along, and {len(new)} of their "
            f"tensors are not there, or are not for the {model.num_classes} classes of the data: {shorten(new)}; "
            f"leave init_head out, and these start new"
        )
    rank_zero_only(print)(f"weights of {settings.init_from}: {report}")


def training_arguments(settings: DenseSettings, listed: Manifest) -> dict[str, Any]:
    """What the LightningModules of all dense tasks are built with, besides model, metadata and truth.

    Args:
        settings: of the training.
        listed: the training pictures.
    """
    return {
        "optim": build_optim(settings, learning_rate_factor=scaled_learning_rate(settings, None)),
        "max_skipped_fraction": settings.data.max_skipped_fraction,
        "guard": NonFiniteGuard(max_in_a_row=settings.trainer.max_nonfinite_steps, name_of=video_namer(listed)),
        "seed": settings.seed,
    }
