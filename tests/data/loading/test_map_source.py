import numpy as np
import pytest
from map_maker import SIZES, labels_of, read_part, write_map, write_maps
from picture_maker import pixels

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.map_source import MapSource, map_size_fault


@pytest.fixture
def root(tmp_path):
    return write_maps(tmp_path)


def test_pictures_come_with_their_labels(root):
    source = MapSource(read_part(root))
    for index, (name, size) in enumerate(SIZES.items()):
        sample = source.read(index)
        assert sample.size == size
        np.testing.assert_array_equal(sample.labels, labels_of(size, index))
        np.testing.assert_array_equal(sample.picture.permute(1, 2, 0), pixels(root / f"images/train/{name}.jpg"))


@pytest.mark.parametrize(
    ("labels", "cause"),
    [
        (np.full((60, 91), 8), r"5460 pixels of values"),
        (np.zeros((60, 90)), r"a.jpg' is 91x60 pixels, its label map .*a.png' 90x60; give a picture the map"),
        (np.zeros((91, 60)), r"width and height are exchanged.*EXIF"),
    ],
)
def test_maps_that_do_not_fit_are_told_and_not_opened_again(root, labels, cause):
    write_map(root / "maps/train/a.png", labels.astype(np.uint8))
    source = MapSource(read_part(root))
    with pytest.raises(DecodeError, match=cause):
        source.read(0)
    write_map(root / "maps/train/a.png", labels_of((60, 91)))
    with pytest.raises(DecodeError, match=cause):
        source.read(0)
    assert MapSource(read_part(root)).read(0).size == (60, 91)


@pytest.mark.parametrize("name", ["images/train/b.jpg", "maps/train/b.png"])
def test_files_that_are_absent_are_named(root, name):
    pictures = read_part(root)
    (root / name).unlink()
    with pytest.raises(DecodeError, match=f"{name}.*does not exist"):
        MapSource(pictures).read(1)


def test_equal_sizes_are_no_fault(root):
    assert map_size_fault(read_part(root).pictures[0], (3, 4), (3, 4)) == ""
