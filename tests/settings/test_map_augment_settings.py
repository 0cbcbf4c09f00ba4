from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.map_augment_settings import MapAugmentSettings
from stvit_video.settings.reading import read_settings


def test_pictures_keep_one_size_and_any_crop_is_taken_by_default():
    assert MapAugmentSettings().plain() == {"scale_range": None, "max_class_share": 1.0}


def test_they_stand_behind_all_others_and_have_ranges():
    own = list(MapAugmentSettings.model_fields)
    assert list(AugmentSettings.model_fields)[-len(own) :] == own
    read = read_settings(AugmentSettings, {"scale_range": [0.0, 2.0], "max_class_share": 0.0})
    assert set(read.wrong) == {"scale_range", "max_class_share"}
    read = read_settings(AugmentSettings, {"scale_range": [0.5, 2], "max_class_share": 0.75})
    assert (read.settings.scale_range, read.settings.max_class_share) == ((0.5, 2), 0.75)
