import numpy as np
import pytest
import torch
from map_maker import SIZES, labels_of, read_part, write_maps

from stvit_video.data.loading.map_dataset import EvaluationMaps, TrainingMaps
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.segmentation_transform import SegmentationTransform

MAP_SIZES = MapSizes(short_side=48, long_side=90, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))


@pytest.fixture
def root(tmp_path):
    return write_maps(tmp_path)


def training(root, *, seed=3, **settings):
    transform = SegmentationTransform(sizes=MAP_SIZES, crop_size=40, scale_range=(0.7, 1.5), max_class_share=0.75)
    return TrainingMaps(read_part(root), transform=transform, sizes=MAP_SIZES, seed=seed, **settings)


def same(one, other):
    assert torch.equal(one["picture"], other["picture"])
    assert torch.equal(one["map"], other["map"])
    rest = [{key: value for key, value in item.items() if key not in ("picture", "map")} for item in (one, other)]
    assert rest[0] == rest[1]


def test_a_training_item_by_hand(root):
    item = training(root)[0]
    assert item["picture"].dtype == torch.float32
    assert item["picture"].shape[1:] == item["map"].shape
    assert max(item["map"].shape) <= 40
    assert item["map"].dtype == torch.uint8
    assert set(item["map"].unique().tolist()) <= {0, 1, 2, 255}
    facts = {key: value for key, value in item.items() if key not in ("picture", "map")}
    assert facts == {
        **{"name": "a.jpg", "picture_id": "a", "original_size": (60, 91), "index": 0, "num_skipped": 0, "skipped": []},
        **{"sequence": None, "frame_place": 0},
    }


def test_items_follow_from_seed_epoch_and_index(root):
    one, other = training(root), training(root)
    same(one[0], other[0])
    sizes = set()
    for epoch in range(12):
        one.set_epoch(epoch)
        sizes.add(one[0]["picture"].sum().item())
    assert len(sizes) == 12
    other.set_epoch(11)
    other[1], other[2]
    same(one[0], other[0])


@pytest.mark.parametrize("name", ["images/train/a.jpg", "maps/train/a.png"])
def test_a_picture_without_picture_or_map_is_replaced_and_counted(root, name):
    dataset = training(root)
    (root / name).write_bytes(b"x")
    item = dataset[0]
    assert item["num_skipped"] == 1
    assert item["name"] == "?bc"[item["index"]] + ".jpg"
    assert item["skipped"][0][0] == 0
    assert name in item["skipped"][0][1]
    for other in "bc":
        (root / f"maps/train/{other}.png").write_bytes(b"x")
    with pytest.raises(BrokenVideosError, match="^2 pictures in a row"):
        training(root, max_attempts=2)[0]


def test_an_evaluation_item_has_the_size_of_the_test_and_the_map_of_the_file(root):
    for index, (name, size) in enumerate(SIZES.items()):
        item = EvaluationMaps(read_part(root), sizes=MAP_SIZES)[index]
        assert tuple(item["picture"].shape[1:]) == MAP_SIZES.size_of(*size)
        assert all(side % 32 == 0 for side in item["picture"].shape[1:])
        np.testing.assert_array_equal(item["true_map"], labels_of(size, index))
        assert (item["name"], item["original_size"], item["error"]) == (f"{name}.jpg", size, "")
        assert not {"map", "num_skipped", "skipped"} & set(item)


@pytest.mark.parametrize("name", ["images/train/b.jpg", "maps/train/b.png"])
def test_a_picture_without_picture_or_map_is_missing_in_an_evaluation_with_its_reason(root, name):
    dataset = EvaluationMaps(read_part(root), sizes=MAP_SIZES)
    (root / name).unlink()
    item = dataset[1]
    assert f"{name}" in item["error"]
    assert "does not exist" in item["error"]
    assert (item["name"], item["picture_id"], item["index"]) == ("b.jpg", "b", 1)
    assert item["picture"].abs().sum() == 0
    assert item["true_map"].unique().tolist() == [255]
