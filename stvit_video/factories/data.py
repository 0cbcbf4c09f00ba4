"""Build the parts of the data from the settings: transforms, sampling, loaders."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from stvit_video.data.loading.clip_dataset import attempts_for
from stvit_video.data.loading.datamodule import VideoDataModule
from stvit_video.data.loading.multi_scale import MultiScale
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.transforms.mixup import Mixing
from stvit_video.data.transforms.pixel_augment import PixelAugment
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.factories.manifests import build_frame_reader, build_manifests

Settings = Mapping[str, Any]


def build_preprocessing(data: Settings) -> Preprocessing:
    """Build the preprocessing (frames, sizes, normalisation) from the `data` settings.

    Raises:
        ValueError: a value is out of range.
    """
    return Preprocessing(
        num_frames=data["num_frames"],
        frame_stride=data["frame_stride"],
        short_side=data["short_side"],
        crop_size=data["crop_size"],
        mean=tuple(data["mean"]),
        std=tuple(data["std"]),
        frame_difference=data.get("frame_difference", False),
        interpolation=data.get("interpolation", "bilinear"),
    )


def build_train_transform(augment: Settings, preprocessing: Preprocessing) -> TrainTransform:
    """Build the transform of training clips from the `augment` settings.

    Raises:
        ValueError: a value is out of range, or two contradict each other.
    """
    jitter = augment["short_side_jitter"]
    return TrainTransform(
        preprocessing,
        scale=tuple(augment["scale"]),
        ratio=tuple(augment["ratio"]),
        flip_probability=augment["flip_probability"],
        crop=augment["crop"],
        short_side_jitter=tuple(jitter) if jitter else None,
        pixels=PixelAugment(
            colour_jitter=augment["colour_jitter"],
            hue_jitter=augment["hue_jitter"],
            rand_augment=augment["rand_augment"],
            erase_probability=augment["erase_probability"],
            erase_count=augment["erase_count"],
        ),
        on_device=augment["on_device"],
    )


def build_mixing(augment: Settings) -> Mixing | None:
    """Build mixup and cutmix from the `augment` settings; None = both are off.

    Raises:
        ValueError: a value is out of range.
    """
    if not augment["mix_probability"] or not max(augment["mixup_alpha"], augment["cutmix_alpha"]):
        return None
    return Mixing(
        mixup_alpha=augment["mixup_alpha"],
        cutmix_alpha=augment["cutmix_alpha"],
        probability=augment["mix_probability"],
        cutmix_share=augment["cutmix_share"],
    )


def build_multi_scale(data: Settings) -> MultiScale | None:
    """Build the picture sizes of training batches from the `data` settings; None = always crop_size.

    Raises:
        ValueError: there are not two different sizes, or a batch of less than one video.
    """
    if data["multi_scale"] is None:
        return None
    return MultiScale(
        sizes=tuple(data["multi_scale"]),
        crop_size=data["crop_size"],
        videos_per_batch=data["batch_size"] // data["num_repeats"],
        batch=data["multi_scale_batch"],
    )


def build_sampling(data: Settings) -> ClipSampling:
    """Build the frame sampling of training clips from the `data` settings.

    Raises:
        ValueError: a value is unknown or out of range, or two contradict each other.
    """
    return ClipSampling(sampling=data["sampling"], target_fps=data["target_fps"], short_video=data["short_video"])


class ClipParts:
    """How training clips are chosen and changed. A part is built when it is first asked for, and kept.

    The checks before a training ask for each part to find what is wrong with its settings; the training uses the same
    ones.

    Args:
        settings: the training configuration, its groups `data` and `augment`.

    Raises:
        ValueError: by any attribute: a value is out of range, or two contradict each other.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = settings

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """Frames, sizes and normalisation."""
        return build_preprocessing(self._settings["data"])

    @cached_property
    def train_transform(self) -> TrainTransform:
        """Crop, flip and pixel operations."""
        return build_train_transform(self._settings["augment"], self.preprocessing)

    @cached_property
    def sampling(self) -> ClipSampling:
        """Which frames a clip takes."""
        return build_sampling(self._settings["data"])

    @cached_property
    def mixing(self) -> Mixing | None:
        """Mixup and cutmix; None where both are off."""
        return build_mixing(self._settings["augment"])

    @cached_property
    def multi_scale(self) -> MultiScale | None:
        """Sizes of the batches; None where these are always of crop_size."""
        return build_multi_scale(self._settings["data"])


def build_data(settings: Settings, clips: ClipParts) -> VideoDataModule:
    """Build the manifests and loaders of a training.

    Args:
        settings: the training configuration.
        clips: built of the same settings.

    Raises:
        ValueError: settings or manifests that can't be used.
    """
    data = settings["data"]
    train_manifest, val_manifest = build_manifests(data)
    return VideoDataModule(
        train_manifest,
        val_manifest,
        preprocessing=clips.preprocessing,
        train_transform=clips.train_transform,
        sampling=clips.sampling,
        num_repeats=data["num_repeats"],
        multi_scale=clips.multi_scale,
        max_attempts=attempts_for(data["max_skipped_fraction"]),
        read_frames=build_frame_reader(data, train_manifest),
        batch_size=data["batch_size"],
        val_batch_size=data["val_batch_size"],
        num_workers=data["num_workers"],
        backend=data["backend"],
        cache=data["cache"],
        cache_short_side=data["cache_short_side"],
        cache_limit_gb=data["cache_limit_gb"],
        seed=settings["seed"],
    )
