"""Build the parts of the data from the settings: transforms, sampling, loaders."""

from functools import cached_property

from stvit_video.data.loading.datamodule import Batches, TrainingClips, VideoDataModule
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.multi_scale import MultiScale
from stvit_video.data.loading.replacements import attempts_for
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.transforms.mixup import Mixing
from stvit_video.data.transforms.pixel_augment import PixelAugment
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.factories.manifests import build_frame_reader, build_manifests
from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.train_settings import TrainSettings


def build_preprocessing(data: ClipSettings) -> Preprocessing:
    """Build the preprocessing (frames, sizes, normalisation) from the `data` settings.

    Raises:
        ValueError: crop_size is larger than short_side.
    """
    return Preprocessing(
        num_frames=data.num_frames,
        frame_stride=data.frame_stride,
        short_side=data.short_side,
        crop_size=data.crop_size,
        mean=data.mean,
        std=data.std,
        frame_difference=data.frame_difference,
        interpolation=data.interpolation,
        static_clip=data.static_clip,
    )


def build_train_transform(augment: AugmentSettings, preprocessing: Preprocessing) -> TrainTransform:
    """Build the transform of training clips from the `augment` settings.

    Raises:
        ValueError: two settings contradict each other.
    """
    return TrainTransform(
        preprocessing,
        scale=augment.scale,
        ratio=augment.ratio,
        flip_probability=augment.flip_probability,
        crop=augment.crop,
        short_side_jitter=augment.short_side_jitter,
        pixels=PixelAugment(
            colour_jitter=augment.colour_jitter,
            hue_jitter=augment.hue_jitter,
            rand_augment=augment.rand_augment,
            erase_probability=augment.erase_probability,
            erase_count=augment.erase_count,
        ),
        on_device=augment.on_device,
    )


def build_mixing(augment: AugmentSettings) -> Mixing | None:
    """Build mixup and cutmix from the `augment` settings; None = both are off."""
    if not augment.mix_probability or not max(augment.mixup_alpha, augment.cutmix_alpha):
        return None
    return Mixing(
        mixup_alpha=augment.mixup_alpha,
        cutmix_alpha=augment.cutmix_alpha,
        probability=augment.mix_probability,
        cutmix_share=augment.cutmix_share,
    )


def build_multi_scale(data: ClipSettings) -> MultiScale | None:
    """Build the picture sizes of training batches from the `data` settings; None = always crop_size.

    Raises:
        ValueError: there are not two different sizes.
    """
    if data.multi_scale is None:
        return None
    return MultiScale(
        sizes=data.multi_scale,
        crop_size=data.crop_size,
        videos_per_batch=max(1, data.batch_size // data.num_repeats),  # another check refuses less than one video
        batch=data.multi_scale_batch,
    )


def build_sampling(data: ClipSettings) -> ClipSampling:
    """Build the frame sampling of training clips from the `data` settings.

    Raises:
        ValueError: two settings contradict each other.
    """
    return ClipSampling(sampling=data.sampling, target_fps=data.target_fps, short_video=data.short_video)


class ClipParts:
    """How training clips are chosen and changed. A part is built when it is first asked for, and kept.

    The checks before a training ask for each part to find what is wrong with its settings; the training uses the same
    ones.

    Args:
        settings: of the training, its groups `data` and `augment`.

    Raises:
        ValueError: by any attribute: two settings contradict each other.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self._settings = settings

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """Frames, sizes and normalisation."""
        return build_preprocessing(self._settings.data)

    @cached_property
    def train_transform(self) -> TrainTransform:
        """Crop, flip and pixel operations."""
        return build_train_transform(self._settings.augment, self.preprocessing)

    @cached_property
    def sampling(self) -> ClipSampling:
        """Which frames a clip takes."""
        return build_sampling(self._settings.data)

    @cached_property
    def mixing(self) -> Mixing | None:
        """Mixup and cutmix; None where both are off."""
        return build_mixing(self._settings.augment)

    @cached_property
    def multi_scale(self) -> MultiScale | None:
        """Sizes of the batches; None where these are always of crop_size."""
        return build_multi_scale(self._settings.data)


def build_data(settings: TrainSettings, clips: ClipParts, *, kept: KeptSplit | None = None) -> VideoDataModule:
    """Build the manifests and loaders of a training.

    Args:
        settings: of the training.
        clips: built of the same settings.
        kept: see `build_manifests`.

    Raises:
        ValueError: settings or manifests that can't be used.
    """
    data, plain = settings.data, settings.data.plain()
    train_manifest, val_manifest = build_manifests(plain, kept=kept)
    return VideoDataModule(
        train_manifest,
        val_manifest,
        preprocessing=clips.preprocessing,
        clips=TrainingClips(
            transform=clips.train_transform,
            sampling=clips.sampling,
            num_repeats=data.num_repeats,
            max_attempts=attempts_for(data.max_skipped_fraction),
            read_frames=build_frame_reader(plain, train_manifest),
            multi_scale=clips.multi_scale,
        ),
        batches=Batches(size=data.batch_size, val_size=data.val_batch_size, num_workers=data.num_workers),
        decoding=Decoding(
            backend=data.backend,
            time_limit_seconds=data.time_limit_seconds,
            cache=data.cache,
            cache_short_side=data.cache_short_side,
            cache_limit_gb=data.cache_limit_gb,
        ),
        seed=settings.seed,
    )
