"""Build the parts of a detector's training from its settings: detector in its LightningModule, data."""

from stvit_video.data.loading.picture_datamodule import PictureDataModule
from stvit_video.data.loading.true_objects import true_objects
from stvit_video.dense.create_dense import HEADS
from stvit_video.dense.detector import Detector
from stvit_video.factories.dense_parts import build_dense, start_dense, training_arguments
from stvit_video.factories.picture_data import build_picture_data
from stvit_video.models.checkpoints.metadata import detector_metadata
from stvit_video.settings.detection_settings import DetectionSettings
from stvit_video.training.detection_module import DetectionModule

__all__ = ["build_detection"]


def build_detection(settings: DetectionSettings) -> tuple[DetectionModule, PictureDataModule]:
    """Build the detector in its LightningModule, and the data.

    Raises:
        ValueError: settings or lists of pictures that can't be used.
    """
    masks = HEADS[settings.head.name].masks
    scores_masks = settings.task == "instance"
    data = build_picture_data(settings, masks=masks, val_masks=False)
    detector = build_dense(settings, num_classes=len(data.classes))
    assert isinstance(detector, Detector)
    start_dense(detector, settings)
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
        truth=true_objects(data.val_manifest, masks=scores_masks),
        classes=data.classes,
        masks=scores_masks,
        **training_arguments(settings, data.train_manifest),
    )
    return module, data
