"""Build sizes, random changes and loaders of pictures with boxes from the settings."""

from stvit_video.data.loading.picture_datamodule import PictureDataModule, PictureRules
from stvit_video.data.loading.replacements import attempts_for
from stvit_video.data.transforms.detection_transform import DetectionTransform
from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.factories.picture_frames import build_picture_batches
from stvit_video.factories.picture_lists import build_pictures, find_options
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.train_settings import TaskSettings

__all__ = ["build_detection_transform", "build_picture_data", "build_picture_sizes"]


def build_picture_sizes(data: ClipSettings) -> PictureSizes:
    """Build the size rule and the normalisation of pictures from the `data` settings.

    Raises:
        ValueError: data.short_side is above data.long_side.
    """
    options = find_options(data.plain())
    return PictureSizes(
        short_side=data.short_side,
        long_side=options.long_side,
        antialias=options.antialias,
        mean=data.mean,
        std=data.std,
    )


def build_detection_transform(settings: TaskSettings) -> DetectionTransform:
    """Build what is done to training pictures from the `data` and `augment` settings.

    Raises:
        ValueError: two settings contradict each other.
    """
    augment = settings.augment
    return DetectionTransform(
        sizes=build_picture_sizes(settings.data),
        flip_probability=augment.flip_probability,
        short_sides=augment.short_sides or (),
        crop_probability=augment.crop_probability,
        crop_short_sides=augment.crop_short_sides,
        crop_sides=augment.crop_sides,
        scale_jitter=augment.scale_jitter,
        photometric_probability=augment.photometric_probability,
    )


def build_picture_data(settings: TaskSettings, *, masks: bool, val_masks: bool = False) -> PictureDataModule:
    """Build the lists and loaders of a detector's training.

    Args:
        settings: of the training.
        masks: whether training targets have masks.
        val_masks: whether those of validation have; the AP needs none.

    Raises:
        ValueError: settings or lists that can't be used.
    """
    data, transform = settings.data, build_detection_transform(settings)
    train, val = build_pictures(data.plain(), masks=masks)
    rules = PictureRules(
        transform=transform,
        masks=masks,
        val_masks=val_masks,
        max_attempts=attempts_for(data.max_skipped_fraction),
        max_objects=find_options(data.plain()).max_objects,
    )
    batches = build_picture_batches(data)
    return PictureDataModule(train, val, sizes=transform.sizes, rules=rules, batches=batches, seed=settings.seed)
