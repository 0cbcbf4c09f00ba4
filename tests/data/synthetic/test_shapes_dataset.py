import json

import numpy as np
import pytest
from PIL import Image

from stvit_video.data.synthetic.shapes import SHAPE_CLASSES
from stvit_video.data.synthetic.shapes_dataset import shapes_picture, write_shapes_dataset
from stvit_video.utils.mask_runs import mask_of_runs

SETTINGS = {"num_train": 12, "num_val": 3, "image_size": 40}


def contents(root):
    files = [path for path in root.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def root(tmp_path):
    return write_shapes_dataset(tmp_path / "set", **SETTINGS)


def test_files_hold_what_was_drawn(root):
    document = json.loads((root / "annotations/instances_train.json").read_text())
    assert [row["name"] for row in document["categories"]] == list(SHAPE_CLASSES)
    assert len(document["images"]) == 12
    drawn = shapes_picture(seed=0, split="train", number=4, image_size=40)
    row = document["images"][4]
    with Image.open(root / "train" / row["file_name"]) as picture:
        assert picture.size == (row["width"], row["height"])
        np.testing.assert_array_equal(np.asarray(picture), drawn.picture)
    rows = [found for found in document["annotations"] if found["image_id"] == row["id"]]
    assert [found["bbox"] for found in rows] == drawn.boxes().tolist()
    for found, mask in zip(rows, drawn.masks, strict=True):
        counts = found["segmentation"]["counts"]
        np.testing.assert_array_equal(mask_of_runs(counts, height=row["height"], width=row["width"]), mask)
    shown = {found["image_id"] for found in document["annotations"]}
    assert 10 not in shown  # every tenth picture is empty
    assert {row["width"] / row["height"] for row in document["images"]} >= {0.75, 1.0}


def test_a_set_that_is_there_stays_and_parts_of_it_are_made_anew(root):
    before = contents(root)
    stamps = {path: path.stat().st_mtime_ns for path in root.rglob("*.png")}
    write_shapes_dataset(root, **SETTINGS)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*.png")} == stamps
    (root / "val" / "000001.png").unlink()
    write_shapes_dataset(root, **SETTINGS)
    assert contents(root) == before


def test_a_larger_set_begins_with_the_smaller_and_another_seed_shares_none(root, tmp_path):
    before = contents(root)
    larger = contents(write_shapes_dataset(root, **(SETTINGS | {"num_train": 14})))
    assert {name: larger[name] for name in before if name.endswith(".png")} == {
        name: content for name, content in before.items() if name.endswith(".png")
    }
    other = contents(write_shapes_dataset(tmp_path / "other", **SETTINGS, seed=1))
    assert not set(other.values()) & set(before.values())


def test_foreign_folders_and_settings_out_of_range_are_refused(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.png").touch()
    with pytest.raises(ValueError, match="holds photo.png"):
        write_shapes_dataset(tmp_path / "mine")
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "dataset.json").write_text("{}")
    with pytest.raises(ValueError, match="another embedded data set"):
        write_shapes_dataset(tmp_path / "clips")
    with pytest.raises(ValueError, match="image_size=31 32 or more"):
        write_shapes_dataset(tmp_path / "x", image_size=31)
    with pytest.raises(ValueError, match="num_val=0"):
        write_shapes_dataset(tmp_path / "x", num_val=0)
