"""Build the parts of a detector's training from its settings: detector in its LightningModule, data."""

import torch
from lightning.pytorch.utilities import rank_zero_only

from stvit_video.data.loading.picture_datamodule import PictureDataModule
from stvit_video.data.loading.true_objects import true_objects
from stvit_video.dense.create_detector import HEADS, create_dense
from stvit_video.dense.detector import Detector
from stvit_video.dense.formats import BACKBONE
from stvit_video.dense.load_detector import start_detector
from stvit_video.factories.network import given_options
from stvit_video.factories.picture_data import build_picture_data
from stvit_video.factories.training import build_optim, scaled_learning_rate, video_namer
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.metadata import detector_metadata
from stvit_video.models.checkpoints.state_dict import CheckpointError, shorten
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.training.detection_module import DetectionModule
from stvit_video.training.nonfinite import NonFiniteGuard

__all__ = ["build_detection", "build_detector", "meta_detector"]


def build_detector(settings: DetectionSettings, *, num_classes: int) -> Detector:
    """Build the detector of the `head` and `model` settings.

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


def meta_detector(settings: DetectionSettings) -> Detector:
    """The detector on the meta device: at once, without memory, with 80 classes as COCO has.

    Raises:
        ValueError: as `create_dense`.
    """
    with torch.device("meta"):
        return build_detector(settings, num_classes=80)


def build_detection(settings: DetectionSettings) -> tuple[DetectionModule, PictureDataModule]:
    """Build the detector in its LightningModule, and the data.

    Raises:
        ValueError: settings or lists of pictures that can't be used.
    """
    masks = HEADS[settings.head.name].masks
    scores_masks = settings.task == "instance"
    data = build_picture_data(settings, masks=masks, val_masks=False)
    detector = build_detector(settings, num_classes=len(data.classes))
    assert isinstance(detector.backbone, TokenModel)
    detector.backbone.recompute_blocks(recompute=settings.trainer.gradient_checkpointing)
    if settings.init_from:
        try:
            report = start_detector(detector, settings.init_from, new_head=settings.init_head == "new")
        except CheckpointError as error:
            raise CheckpointError(f"init_from={settings.init_from}: {error}") from error
        if settings.init_head == "keep" and (new := [key for key in report.new if not key.startswith(BACKBONE)]):
            raise CheckpointError(
                f"init_head=keep takes neck and head of init_from={settings.init_from} along, and {len(new)} of their "
                f"tensors are not there, or are not for the {len(data.classes)} classes of the data: {shorten(new)}; "
                f"leave init_head out, and these start new"
            )
        rank_zero_only(print)(f"weights of {settings.init_from}: {report}")
    metadata = detector_metadata(
        task=settings.task,
        description=detector.describe(),
        classes=data.classes,
        category_ids=data.train_manifest.category_ids,
        preprocessing=data.sizes.to_dict(),
        config=settings.plain(),
    )
    module = DetectionModule(
        detector,
        metadata=metadata,
        optim=build_optim(settings, learning_rate_factor=scaled_learning_rate(settings, None)),
        max_skipped_fraction=settings.data.max_skipped_fraction,
        truth=true_objects(data.val_manifest, masks=scores_masks),
        classes=data.classes,
        masks=scores_masks,
        guard=NonFiniteGuard(
            max_in_a_row=settings.trainer.max_nonfinite_steps, name_of=video_namer(data.train_manifest)
        ),
        seed=settings.seed,
    )
    return module, data
