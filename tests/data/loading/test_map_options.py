from stvit_video.data.loading.map_options import MapOptions, map_options
from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.settings.reading import read_settings
from stvit_video.settings.signature import settings_of

SETTINGS = settings_of(map_options, name="maps")


def read(**values):
    return read_settings(SETTINGS, values)


def test_defaults_are_those_of_published_segmenters():
    assert map_options() == MapOptions(
        long_side=MapSizes.long_side,
        antialias=True,
        size_divisor=32,
        reduce_zero_label=None,
        values=None,
        palette=None,
        keep_classes=None,
    )
    assert read().settings.plain() == vars(map_options())


def test_lists_of_values_and_classes_are_read():
    found = read(values=[0, 255], keep_classes=["sky", {"shoes": ["shoes", "boots"]}]).settings
    assert found.values == (0, 255)
    assert found.keep_classes == ("sky", {"shoes": ["shoes", "boots"]})
    assert found.plain()["keep_classes"] == ["sky", {"shoes": ["shoes", "boots"]}]


def test_a_class_of_the_name_null_is_one():
    found = read(keep_classes=[None, {"both": [None, "sky"]}])
    assert not found.wrong
    assert (
        found.settings.keep_classes
        == ("null", {"both": ["null", "sky"]})
        == map_options(keep_classes=(None, {"both": [None, "sky"]})).keep_classes
    )


def test_other_values_are_named_with_what_is_allowed():
    wrong = read(values=[-1], keep_classes="sky", size_divisor=0, reduce_zero_label=1).wrong
    assert set(wrong) == {"values", "keep_classes", "size_divisor", "reduce_zero_label"}
    assert "a list of words or {word: [words]}" in wrong["keep_classes"]
