import pickle

import numpy as np
import pytest
from map_maker import SIZES, labels_of, read_part, write_map, write_maps
from picture_maker import pack

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.label_rules import LabelMapError


@pytest.fixture
def root(tmp_path):
    return write_maps(tmp_path / "set")


def test_labels_are_read_after_the_rules(root):
    pictures = read_part(root, keep_classes=["car", "sky"])
    assert pictures.classes == ("car", "sky")
    assert [record.picture_id for record in pictures.pictures] == ["a", "b", "c"]
    for index, size in enumerate(SIZES.values()):
        stored = labels_of(size, index)
        np.testing.assert_array_equal(pictures.read_stored(index), stored)
        expected = np.full(size, 255)
        expected[stored == 2], expected[stored == 0] = 0, 1
        labels = pickle.loads(pickle.dumps(pictures)).read_map(index)
        np.testing.assert_array_equal(labels, expected)
        assert labels.dtype == np.uint8


def test_maps_in_an_archive_are_read(root, tmp_path):
    archive = pack(root, tmp_path / "set.zip")
    for index, size in enumerate(SIZES.values()):
        np.testing.assert_array_equal(read_part(archive).read_map(index), labels_of(size, index))


def test_what_cant_be_used_is_named(root):
    write_map(root / "maps/train/a.png", np.full((60, 91), 9, dtype=np.uint8))
    (root / "maps/train/b.png").write_bytes(b"text")
    with pytest.raises(LabelMapError, match=r"a.png' has 5460 pixels of values .*, 9;"):
        read_part(root).read_map(0)
    with pytest.raises(DecodeError, match=r"b.png"):
        read_part(root).read_map(1)
