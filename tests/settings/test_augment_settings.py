from stvit_video.settings.augment_settings import AugmentSettings


def test_the_defaults_are_a_random_box_flipped_or_not():
    off = AugmentSettings(scale=(1.0, 1.0), flip_probability=0.0).plain()
    default = AugmentSettings().plain()
    assert {key: value for key, value in default.items() if off[key] != value} == {
        "scale": [0.08, 1.0],
        "flip_probability": 0.5,
    }
    assert not any(default[key] for key in ("mixup_alpha", "cutmix_alpha", "rand_augment", "erase_probability"))
