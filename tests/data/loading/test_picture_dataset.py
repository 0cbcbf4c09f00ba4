import pytest
import torch
from coco_maker import read_part, write_coco

from stvit_video.data.loading.picture_dataset import EvaluationPictures, TrainingPictures
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.transforms.detection_transform import DetectionTransform
from stvit_video.data.transforms.picture_sizes import PictureSizes

SIZES = PictureSizes(short_side=48, long_side=70, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))


@pytest.fixture
def root(tmp_path):
    return write_coco(tmp_path)


def training(root, *, masks=True, seed=3, **settings):
    transform = DetectionTransform(sizes=SIZES, short_sides=(32, 40, 48))
    return TrainingPictures(read_part(root), transform=transform, sizes=SIZES, masks=masks, seed=seed, **settings)


def same(one, other):
    assert torch.equal(one["picture"], other["picture"])
    assert {key for key in one if key not in ("picture", "target")} == {
        key for key in other if key not in ("picture", "target")
    }
    assert all(torch.equal(one["target"][key], other["target"][key]) for key in one["target"])


def test_a_training_item_by_hand(root):
    item = training(root)[0]
    height, width = item["picture"].shape[1:]
    assert item["picture"].dtype == torch.float32
    assert item["picture"].is_contiguous()
    assert height in (32, 40, 46)  # 48 x 73 is too long: 46 x 70
    assert item["target"]["masks"].shape == (2, height, width)
    assert item["target"]["boxes"].dtype == torch.float32
    assert item["target"]["labels"].tolist() == [0, 1]
    assert item["target"]["crowd"].tolist() == [False, False]
    facts = {key: item[key] for key in ("name", "picture_id", "original_size", "index", "num_skipped", "skipped")}
    assert facts == {
        **{"name": "a.png", "picture_id": 7, "original_size": (60, 91), "index": 0, "num_skipped": 0, "skipped": []}
    }
    assert training(root)[1]["target"]["labels"].tolist() == [1]  # without the crowd
    assert "masks" not in training(root, masks=False)[0]["target"]


def test_items_follow_from_seed_epoch_and_index(root):
    one, other = training(root), training(root)
    same(one[0], other[0])
    heights = set()
    for epoch in range(12):
        one.set_epoch(epoch)
        heights.add(one[0]["picture"].shape[1])
    assert heights == {32, 40, 46}
    other.set_epoch(11)
    other[1], other[2]
    same(one[0], other[0])


def test_a_broken_picture_is_replaced_and_counted_in_training(root):
    dataset = training(root)
    (root / "train" / "a.png").write_bytes(b"x")
    item = dataset[0]
    assert item["num_skipped"] == 1
    assert item["index"] in (1, 2)
    assert item["name"] == "?bc"[item["index"]] + ".png"
    assert item["skipped"][0][0] == 0
    assert "a.png" in item["skipped"][0][1]
    (root / "train" / "b.png").write_bytes(b"x")
    (root / "train" / "c.png").write_bytes(b"x")
    with pytest.raises(BrokenVideosError, match="^2 pictures in a row"):
        training(root, max_attempts=2)[0]


def test_an_evaluation_item_has_the_size_of_the_test_and_all_objects(root):
    item = EvaluationPictures(read_part(root), sizes=SIZES, masks=True)[1]
    assert item["picture"].shape == (3, 70, 37)
    torch.testing.assert_close(item["target"]["boxes"][1], torch.tensor([5, 40, 17, 49]) * (37 / 40), atol=0.8, rtol=0)
    assert item["target"]["crowd"].tolist() == [True, False]
    assert item["original_size"] == (75, 40)
    assert item["error"] == ""
    assert item["index"] == 1
    assert "num_skipped" not in item


def test_a_picture_that_cant_be_read_is_missing_in_an_evaluation_with_its_reason(root):
    dataset = EvaluationPictures(read_part(root), sizes=SIZES)
    (root / "train" / "b.png").unlink()
    item = dataset[1]
    assert "b.png" in item["error"]
    assert "does not exist" in item["error"]
    assert (item["name"], item["picture_id"], item["original_size"]) == ("b.png", 5, (75, 40))
    assert item["picture"].abs().sum() == 0
    assert item["target"]["boxes"].shape == (0, 4)
    assert "masks" not in item["target"]
    assert EvaluationPictures(read_part(root), sizes=SIZES, masks=True)[1]["target"]["masks"].shape[0] == 0


@pytest.mark.parametrize("settings", [{"seed": -1}, {"max_attempts": 0}])
def test_settings_out_of_range_are_named(root, settings):
    with pytest.raises(ValueError, match="at least"):
        training(root, **settings)
