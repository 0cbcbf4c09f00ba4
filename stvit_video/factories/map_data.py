"""Build sizes, random changes and loaders of pictures with label maps from the settings."""

from stvit_video.data.loading.map_datamodule import MapDataModule, MapRules
from stvit_video.data.loading.replacements import attempts_for
from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.segmentation_transform import SegmentationTransform
from stvit_video.factories.map_lists import build_maps, find_map_options
from stvit_video.factories.picture_frames import build_picture_batches
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.train_settings import TaskSettings

__all__ = ["build_map_data", "build_map_sizes", "build_map_transform"]


def build_map_sizes(data: ClipSettings) -> MapSizes:
    """Build the size rule and the normalisation of pictures from the `data` settings.

    Raises:
        ValueError: data.short_side is above data.long_side.
    """
    options = find_map_options(data.plain())
    return MapSizes(
        short_side=data.short_side,
        long_side=options.long_side,
        divisor=options.size_divisor,
        antialias=options.antialias,
        mean=data.mean,
        std=data.std,
    )


def build_map_transform(settings: TaskSettings) -> SegmentationTransform:
    """Build what is done to training pictures from the `data` and `augment` settings.

    Raises:
        ValueError: a setting is out of range.
    """
    augment = settings.augment
    return SegmentationTransform(
        sizes=build_map_sizes(settings.data),
        crop_size=settings.data.crop_size,
        scale_range=augment.scale_range,
        max_class_share=augment.max_class_share,
        flip_probability=augment.flip_probability,
        photometric_probability=augment.photometric_probability,
    )


def build_map_data(settings: TaskSettings) -> MapDataModule:
    """Build the lists and loaders of a segmenter's training.

    Args:
        settings: of the training.

    Raises:
        ValueError: settings or lists that can't be used.
    """
    data, transform = settings.data, build_map_transform(settings)
    train, val = build_maps(data.plain())
    rules = MapRules(transform=transform, max_attempts=attempts_for(data.max_skipped_fraction))
    batches = build_picture_batches(data)
    return MapDataModule(train, val, sizes=transform.sizes, rules=rules, batches=batches, seed=settings.seed)
