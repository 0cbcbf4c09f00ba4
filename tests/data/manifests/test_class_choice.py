import pytest

from stvit_video.data.manifests.class_choice import choose_classes
from stvit_video.data.manifests.class_names import ClassNames, Palette
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.label_rules import IGNORED

NAMES = ClassNames("classes.txt", {0: "null", 1: "skin", 2: "boots", 3: "shoes", 4: "hat"})
FROM_ONE = ClassNames("objectInfo2.txt", {1: "wall", 2: "sky"})
PALETTE = Palette("p.txt", ("sky", "road"), {0xFF: "road", 0x01: "sky", 0x02: "road", 0x00: ""})


def test_labels_are_values_as_they_are_named():
    classes, rules = choose_classes(NAMES)
    assert classes == ("null", "skin", "boots", "shoes", "hat")
    assert rules.labels == {value: value for value in range(5)}
    assert not rules.of_colours
    assert not rules.others_ignored


def test_the_value_0_is_left_out_where_the_names_begin_with_1_or_a_setting_says_so():
    classes, rules = choose_classes(FROM_ONE)
    assert (classes, rules.labels) == (("wall", "sky"), {0: IGNORED, 1: 0, 2: 1})
    classes, rules = choose_classes(FROM_ONE, reduce_zero_label=False)
    assert (classes, rules.labels) == (("wall", "sky"), {1: 0, 2: 1})
    classes, rules = choose_classes(NAMES, reduce_zero_label=True)
    assert classes == ("skin", "boots", "shoes", "hat")
    assert rules.labels == {0: IGNORED, 1: 0, 2: 1, 3: 2, 4: 3}


def test_classes_are_kept_in_the_wanted_order_and_several_become_one():
    classes, rules = choose_classes(NAMES, keep_classes=["skin", {"footwear": ["shoes", "boots"]}, "null"])
    assert classes == ("skin", "footwear", "null")
    assert rules.labels == {0: 2, 1: 0, 2: 1, 3: 1, 4: IGNORED}
    classes, rules = choose_classes(FROM_ONE, keep_classes=["sky"])
    assert (classes, rules.labels) == (("sky",), {0: IGNORED, 1: IGNORED, 2: 0})


def test_values_of_classes_are_given_and_others_are_not_counted():
    names = ClassNames("two.txt", {0: "ground", 1: "house"})
    classes, rules = choose_classes(names, values=[0, 255])
    assert (classes, rules.labels, rules.others_ignored) == (("ground", "house"), {0: 0, 255: 1}, True)
    classes, rules = choose_classes(names, values=[700, 8], keep_classes=["house"])
    assert rules.labels == {700: IGNORED, 8: 0}


def test_colours_are_those_of_the_palette_in_the_order_of_the_names():
    classes, rules = choose_classes(None, palette=PALETTE)
    assert classes == ("sky", "road")
    assert rules.labels == {0xFF: 1, 0x01: 0, 0x02: 1, 0x00: IGNORED}
    assert rules.of_colours
    classes, rules = choose_classes(ClassNames("classes.txt", {0: "road", 1: "sky"}), palette=PALETTE)
    assert classes == ("road", "sky")
    assert rules.labels == {0xFF: 0, 0x01: 1, 0x02: 0, 0x00: IGNORED}


@pytest.mark.parametrize(
    ("names", "settings", "fault"),
    [
        (None, {}, "nothing names the classes of the label maps; put classes.txt, .* data.classes=FILE"),
        (NAMES, {"palette": PALETTE}, "name different classes: .* of one alone"),
        (None, {"palette": PALETTE, "values": [1, 2]}, r"data.values=\[1, 2\] can't be with data.palette=p.txt"),
        (None, {"palette": PALETTE, "reduce_zero_label": True}, "data.reduce_zero_label=True can't be with"),
        (NAMES, {"values": [0, 255]}, r"data.values=\[0, 255\] must be 5 different numbers .*classes.txt"),
        (FROM_ONE, {"values": [3, 3]}, "must be 2 different numbers"),
        (FROM_ONE, {"values": [3, 70000]}, "from 0 to 65535"),
        (FROM_ONE, {"values": [1, 2], "reduce_zero_label": False}, "says nothing; leave one of them out"),
        (ClassNames("one.txt", {0: "sky"}), {"reduce_zero_label": True}, "one.txt names no other"),
        (NAMES, {"keep_classes": ["skin", "shoe"]}, "'shoe' is none, nearest is 'shoes'; use null, skin"),
        (NAMES, {"keep_classes": ["skin", {"x": ["skin", "hat"]}]}, "'skin' is in 'skin' and 'x'"),
        (NAMES, {"keep_classes": []}, "it is empty"),
        (NAMES, {"keep_classes": [{"x": ["skin"]}, {"x": ["hat"]}]}, "a name of its own"),
    ],
)
def test_settings_that_do_not_fit_are_named(names, settings, fault):
    with pytest.raises(ManifestError, match=fault):
        choose_classes(names, **settings)
