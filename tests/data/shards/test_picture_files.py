import numpy as np
import pytest
from picture_maker import pack, record_of, write_picture
from PIL import Image

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.shards.file_tree import open_tree
from stvit_video.data.shards.picture_files import read_picture, read_stored_map


def test_bytes_are_those_of_the_file_and_of_the_member(tmp_path):
    path = write_picture(tmp_path / "set" / "a.png", seed=1)
    assert read_picture(record_of(path)) == path.read_bytes()
    located = open_tree(pack(tmp_path / "set", tmp_path / "set.zip")).find("a.png")
    record = record_of(located.path)
    packed = type(record)(located.path, 0, "a", member=located.member, byte_range=located.byte_range)
    assert read_picture(packed) == path.read_bytes()


def test_what_is_not_there_or_no_file_is_named(tmp_path):
    with pytest.raises(DecodeError, match=r"none.png.*does not exist"):
        read_picture(record_of(tmp_path / "none.png"))
    with pytest.raises(DecodeError, match="no regular file"):
        read_picture(record_of(tmp_path))


def test_a_map_is_read_as_values_or_colours(tmp_path):
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_stored_map(record_of(tmp_path / "a.png"), False), values)
    assert read_stored_map(record_of(tmp_path / "a.png"), True).shape == (3, 4, 3)
    with pytest.raises(DecodeError, match=r"none.png"):
        read_stored_map(record_of(tmp_path / "none.png"), False)
