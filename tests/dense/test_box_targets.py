import pytest
import torch

from stvit_video.dense.box_targets import checked_sizes, checked_targets

RULES = {"num_classes": 3, "with_masks": True, "max_boxes": 1000}


def target(**changes):
    known = {
        "boxes": torch.tensor([[1.0, 2.0, 5.0, 8.0], [0.0, 0.0, 9.0, 7.0]]),
        "labels": torch.tensor([2, 0]),
        "masks": torch.zeros(2, 10, 12, dtype=torch.uint8),
    }
    return {**known, **changes}


@pytest.mark.parametrize(
    ("shape", "sizes", "match"),
    [
        ((2, 3, 32), [], "shape \\(2, 3, 32\\)"),
        ((2, 1, 32, 32), [(1, 1)] * 2, "shape \\(2, 1, 32, 32\\)"),
        ((2, 3, 32, 64), [(32, 64)], "1 sizes .*2 pictures"),
        ((2, 3, 32, 64), [(32, 64), (33, 20)], "\\(33, 20\\) of picture 1 .*32x64"),
        ((1, 3, 32, 64), [(0, 20)], "\\(0, 20\\) of picture 0"),
    ],
)
def test_sizes_that_do_not_fit(shape, sizes, match):
    with pytest.raises(ValueError, match=match):
        checked_sizes(torch.zeros(shape), sizes)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"boxes": torch.zeros(2, 3)}, "boxes of picture 0 .*\\(2, 3\\); give \\(2, 4\\)"),
        ({"labels": torch.tensor([1])}, "labels of picture 0 .*\\(1,\\); give \\(2,\\)"),
        ({"labels": torch.tensor([1.0, 2.0])}, "float32; give int64"),
        ({"labels": torch.tensor([0, 3])}, "label 3 .*0 to 2"),
        ({"labels": torch.tensor([-1, 0])}, "label -1 .*0 to 2"),
        ({"masks": torch.zeros(2, 12, 10)}, "masks of picture 0 .*\\(2, 12, 10\\); give \\(2, 10, 12\\)"),
        ({"boxes": torch.tensor([[1.0, 2, 5, 8], [4, 3, 4, 9]])}, "4.0, 3.0, 4.0, 9.0.* no area"),
        ({"boxes": torch.tensor([[1.0, 2, 5, 8], [4, 3, float("nan"), 9]])}, "nan.* no area"),
    ],
)
def test_targets_that_do_not_fit(changes, match):
    with pytest.raises(ValueError, match=match):
        checked_targets([target(**changes)], [(10, 12)], **RULES)


def test_masks_that_are_missing():
    without = {name: value for name, value in target().items() if name != "masks"}
    with pytest.raises(ValueError, match="no masks; .*faster_rcnn"):
        checked_targets([without], [(10, 12)], **RULES)
    kept, _ = checked_targets([without], [(10, 12)], **{**RULES, "with_masks": False})
    assert list(kept[0]) == ["boxes", "labels"]


def test_another_number_of_targets():
    with pytest.raises(ValueError, match="1 targets .*2 pictures"):
        checked_targets([target()], [(10, 12)] * 2, **RULES)


def test_crowds_are_no_targets():
    kept, left_out = checked_targets([target(crowd=torch.tensor([True, False]))], [(10, 12)], **RULES)
    assert left_out == 0
    assert kept[0]["labels"].tolist() == [0]
    assert kept[0]["masks"].shape == (1, 10, 12)


def test_boxes_above_the_limit_are_drawn_and_counted():
    many = {"boxes": torch.tensor([[0.0, 0.0, 1.0, 1.0]]).repeat(5000, 1), "labels": torch.arange(5000) % 3}
    rules = {**RULES, "with_masks": False, "max_boxes": 40}
    drawn = []
    for seed in (1, 1, 2):
        many["boxes"][:, 2] = torch.arange(5000) + 1.0
        generator = torch.Generator().manual_seed(seed)
        kept, left_out = checked_targets([many, target()], [(10, 12)] * 2, generator=generator, **rules)
        assert left_out == 4960
        assert len(kept[1]["boxes"]) == 2
        drawn.append(kept[0]["boxes"][:, 2].tolist())
        assert [int(x - 1) % 3 for x in drawn[-1]] == kept[0]["labels"].tolist()
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 40


def test_an_empty_picture():
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "masks": torch.zeros(0, 10, 12)}
    kept, left_out = checked_targets([empty], [(10, 12)], **RULES)
    assert left_out == len(kept[0]["boxes"]) == 0
