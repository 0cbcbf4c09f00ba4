from stvit_video.settings.augment_settings import AugmentSettings, ClipAugmentSettings
from stvit_video.settings.box_augment_settings import BoxAugmentSettings
from stvit_video.settings.reading import read_settings


def test_pictures_keep_one_size_by_default():
    default = BoxAugmentSettings().plain()
    assert {key: default[key] for key in ("short_sides", "scale_jitter", "crop_probability")} == {
        **{"short_sides": None, "scale_jitter": None, "crop_probability": 0.0}
    }
    assert default["photometric_probability"] == 0.0


def test_they_stand_behind_those_of_clips():
    names, own = list(AugmentSettings.model_fields), list(BoxAugmentSettings.model_fields)
    place = names.index(own[0])
    assert names[place : place + len(own)] == own
    assert names[:place] == list(ClipAugmentSettings.model_fields)
    read = read_settings(AugmentSettings, {"crop_sides": [5], "scale_jitter": [0.0, 1.0], "short_sides": [30, 40]})
    assert set(read.wrong) == {"crop_sides", "scale_jitter"}
    assert read.settings.short_sides == (30, 40)
