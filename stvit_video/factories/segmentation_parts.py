"""Build the parts of a segmenter's training from its settings: segmenter in its LightningModule, data."""

from stvit_video.data.loading.map_datamodule import MapDataModule
from stvit_video.dense.segmenter import Segmenter
from stvit_video.factories.dense_parts import build_dense, start_dense, training_arguments
from stvit_video.factories.map_data import build_map_data
from stvit_video.models.checkpoints.metadata import segmenter_metadata
from stvit_video.settings.segmentation_settings import SegmentationSettings
from stvit_video.training.segmentation_module import SegmentationModule

__all__ = ["build_segmentation"]


def build_segmentation(settings: SegmentationSettings) -> tuple[SegmentationModule, MapDataModule]:
    """Build the segmenter in its LightningModule, and the data.

    Raises:
        ValueError: settings or lists of pictures that can't be used.
    """
    data = build_map_data(settings)
    segmenter = build_dense(settings, num_classes=len(data.classes))
    assert isinstance(segmenter, Segmenter)
    start_dense(segmenter, settings)
    metadata = segmenter_metadata(
        description=segmenter.describe(),
        classes=data.classes,
        preprocessing=data.sizes.to_dict(),
        config=settings.plain(),
    )
    module = SegmentationModule(
        segmenter,
        metadata=metadata,
        picture_ids=[picture.picture_id for picture in data.val_manifest.pictures],
        classes=data.classes,
        **training_arguments(settings, data.train_manifest),
    )
    return module, data
