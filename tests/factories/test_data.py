import pytest

from stvit_video.factories.data import (
    build_mixing,
    build_multi_scale,
    build_preprocessing,
    build_sampling,
    build_train_transform,
)
from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.box_augment_settings import BoxAugmentSettings
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.map_augment_settings import MapAugmentSettings

SIZES = ClipSettings(num_frames=3, frame_stride=2, short_side=20, crop_size=16, mean=(0.5,) * 3, std=(0.2,) * 3)
AUGMENT = {
    "crop": "random",
    "scale": [0.3, 0.9],
    "ratio": [0.5, 2.0],
    "short_side_jitter": [20, 24],
    "flip_probability": 0.25,
    "colour_jitter": 0.4,
    "hue_jitter": 0.1,
    "rand_augment": "rand-m7-n4",
    "erase_probability": 0.2,
    "erase_count": 3,
    "mixup_alpha": 0.8,
    "cutmix_alpha": 0.0,
    "mix_probability": 0.7,
    "cutmix_share": 0.6,
    "on_device": True,
}


def augment(**changes):
    return AugmentSettings(**AUGMENT | changes)


def test_every_setting_of_a_clip_arrives():
    changes = {"frame_difference": True, "interpolation": "bicubic", "static_clip": "mean_frame"}
    sizes = build_preprocessing(SIZES.model_copy(update=changes))
    expected = {"num_frames": 3, "frame_stride": 2, "short_side": 20, "crop_size": 16, "mean": [0.5] * 3}
    expected |= {"std": [0.2] * 3} | changes
    assert sizes.to_dict() == expected


def test_every_augmentation_setting_arrives():
    sizes = build_preprocessing(SIZES)
    transform, mixing = build_train_transform(augment(), sizes), build_mixing(augment())
    found = {name: getattr(transform, name) for name in AUGMENT if hasattr(transform, name)}
    found |= {name: getattr(transform.pixels, name) for name in AUGMENT if hasattr(transform.pixels, name)}
    found |= {"mixup_alpha": mixing.mixup_alpha, "cutmix_alpha": mixing.cutmix_alpha}
    found |= {"mix_probability": mixing.probability, "cutmix_share": mixing.cutmix_share}
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()} == AUGMENT
    assert build_train_transform(augment(short_side_jitter=None), sizes).short_side_jitter is None


def test_no_mixing_where_nothing_is_mixed():
    assert build_mixing(augment(mixup_alpha=0.0)) is None
    assert build_mixing(augment(mix_probability=0.0)) is None


def test_unknown_operations_and_contradictions_are_errors():
    data = ClipSettings(sampling="dense", target_fps=30, short_video="loop")
    assert build_sampling(data).target_fps == 30
    with pytest.raises(ValueError, match="target_fps=30 .*sampling='segments'"):
        build_sampling(data.model_copy(update={"sampling": "segments"}))
    with pytest.raises(ValueError, match="rand_augment='rand-blur3' .*rand-m7-n4-mstd0.5-inc1"):
        build_train_transform(augment(rand_augment="rand-blur3"), None)


def test_sizes_of_the_data_settings():
    data = {"crop_size": 24, "batch_size": 12, "num_repeats": 3, "multi_scale_batch": "at_least"}
    assert build_multi_scale(ClipSettings(**data)) is None
    built = build_multi_scale(ClipSettings(**data, multi_scale=(32, 16)))
    assert (built.sizes, built.videos(16), built.videos(32)) == ((16, 32), 9, 4)
    with pytest.raises(ValueError, match=r"^multi_scale=\[16\] .*two or more"):
        build_multi_scale(ClipSettings(**data, multi_scale=(16,)))


def test_every_augmentation_setting_is_looked_at_here():
    assert set(AugmentSettings.model_fields) == {
        *AUGMENT,
        *BoxAugmentSettings.model_fields,
        *MapAugmentSettings.model_fields,
    }
