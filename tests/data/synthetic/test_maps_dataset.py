import numpy as np
import pytest
from PIL import Image

from stvit_video.data.synthetic.maps_dataset import MAP_CLASSES, label_map, write_maps_dataset
from stvit_video.data.synthetic.shapes_dataset import shapes_picture, write_shapes_dataset

SETTINGS = {"num_train": 6, "num_val": 3, "image_size": 40}


def test_maps_are_those_of_the_drawn_shapes(tmp_path):
    root = write_maps_dataset(tmp_path / "maps", **SETTINGS)
    shapes = write_shapes_dataset(tmp_path / "shapes", **SETTINGS)
    assert (root / "classes.txt").read_text().split() == ["ground", "disc", "square", "triangle"] == [*MAP_CLASSES]
    for part, folder, count in (("train", "training", 6), ("val", "validation", 3)):
        for number in range(count):
            name = f"{number:06d}.png"
            drawn = shapes_picture(seed=0, split=part, number=number, image_size=40)
            assert (root / "images" / folder / name).read_bytes() == (shapes / part / name).read_bytes()
            stored = np.asarray(Image.open(root / "annotations" / folder / name))
            assert stored.shape == drawn.picture.shape[:2]
            for label in range(3):
                seen = drawn.masks[drawn.labels == label].any(0)
                np.testing.assert_array_equal(stored == label + 1, seen)
            np.testing.assert_array_equal(stored, label_map(drawn))
    assert {number for number in range(6) if label_map(shapes_picture(seed=0, split="train", number=number)).any()}


def test_a_map_that_is_missing_is_drawn_again_and_other_sets_are_refused(tmp_path):
    root = write_maps_dataset(tmp_path / "maps", **SETTINGS)
    path = root / "annotations" / "validation" / "000001.png"
    before = path.read_bytes()
    path.unlink()
    write_maps_dataset(root, **SETTINGS)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="another embedded data set"):
        write_shapes_dataset(root, **SETTINGS)
