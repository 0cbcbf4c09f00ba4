import pickle

import numpy as np
import pytest

from stvit_video.data.manifests.label_rules import IGNORED, LabelMapError, LabelRules, colour_codes, colour_text

STORED = np.array([[0, 3, 7], [255, 3, 0]], dtype=np.uint8)
COLOURS = np.array([[[255, 0, 0], [0, 0, 9]], [[255, 0, 0], [1, 2, 3]]], dtype=np.uint8)


def test_values_become_labels():
    rules = LabelRules({0: 1, 3: 0, 7: IGNORED})
    expected = np.array([[1, 0, 255], [255, 0, 1]])
    for kind in (np.uint8, np.uint16):
        labels = rules.labels_of(STORED.astype(kind), name="a")
        np.testing.assert_array_equal(labels, expected)
        assert labels.dtype == np.uint8
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(rules)).labels_of(STORED, name="a"), expected)
    assert rules.counted(STORED) == {0: 2, 3: 2, 7: 1, 255: 1}
    assert rules.unknown(rules.counted(STORED)) == {}


def test_a_value_of_no_class_is_a_fault_or_not_counted():
    with pytest.raises(LabelMapError, match=r"'a.png' has 3 pixels of values .*no class, 0, 7; name them"):
        LabelRules({3: 0}).labels_of(STORED, name="a.png")
    assert LabelRules({3: 0}).unknown({0: 2, 3: 4, 7: 1, 255: 3}) == {0: 2, 7: 1}
    lenient = LabelRules({3: 0, 255: 1}, others_ignored=True)
    np.testing.assert_array_equal(lenient.labels_of(STORED, name="a"), [[255, 0, 255], [1, 0, 255]])
    assert lenient.unknown({0: 2, 7: 1}) == {}
    with pytest.raises(LabelMapError, match="1 pixels of values that are those of no class, 60000;"):
        LabelRules({0: 0}).labels_of(np.array([[60000, 0]], dtype=np.uint16), name="a")


def test_colours_become_labels():
    rules = LabelRules({0xFF0000: 1, 0x000009: 0, 0x010203: IGNORED}, of_colours=True)
    np.testing.assert_array_equal(rules.labels_of(COLOURS, name="a"), [[1, 0], [1, 255]])
    assert rules.counted(COLOURS) == {0x000009: 1, 0x010203: 1, 0xFF0000: 2}
    fewer = LabelRules({0xFF0000: 1}, of_colours=True)
    assert fewer.unknown({0x000009: 1, 0x0000FF: 3, 0xFF0000: 2}) == {9: 1, 255: 3}
    with pytest.raises(LabelMapError, match=r"2 pixels of colours .*\(0 0 9\), \(1 2 3\); name them in data.palette"):
        fewer.labels_of(COLOURS, name="a")
    other = LabelRules({0xFF0000: 1}, of_colours=True, others_ignored=True)
    np.testing.assert_array_equal(other.labels_of(COLOURS, name="a"), [[1, 255], [1, 255]])
    grey = LabelRules({0: 0, 0xFFFFFF: 1}, of_colours=True)
    np.testing.assert_array_equal(grey.labels_of(np.array([[0, 255]]), name="a"), [[0, 1]])


def test_colours_in_place_of_values_are_named_with_a_way_out():
    with pytest.raises(LabelMapError) as error:
        LabelRules({0: 0}).labels_of(COLOURS, name="maps/a.png")
    assert str(error.value) == (
        "the label map 'maps/a.png' has colours, for example 255 0 0, 0 0 9, 1 2 3 (red green blue), and no values of "
        "classes; give the colour of each class as data.palette=FILE, with lines such as 'road 128 64 128'"
    )


def test_codes_of_colours_by_hand():
    np.testing.assert_array_equal(colour_codes(COLOURS), [[0xFF0000, 9], [0xFF0000, 0x010203]])
    assert colour_text(0x010203) == "1 2 3"
    rules = LabelRules({}, of_colours=True)
    assert rules.named([1, 2, 3, 4, 5]) == "(0 0 1), (0 0 2), (0 0 3) and 2 more"
