import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import box_iou

from stvit_video.dense.box_codes import encode_boxes
from stvit_video.dense.box_heads import BoxHead, box_head_losses, sample_regions, select_detections


def some_boxes(number, seed=0, reach=40):
    torch.manual_seed(seed)
    corners = torch.rand(number, 2) * reach
    return torch.cat([corners, corners + 5 + torch.rand(number, 2) * 20], dim=1)


@pytest.mark.parametrize("convolutions", [False, True])
def test_shapes(convolutions):
    head = BoxHead(6, 10, 4, convolutions=convolutions)
    logits, offsets = head(torch.randn(3, 6, 7, 7))
    assert logits.shape == (3, 5)
    assert offsets.shape == (3, 4, 4)
    for training in (True, False):  # no regions at all
        assert head.train(training)(torch.zeros(0, 6, 7, 7))[0].shape == (0, 5)


def test_regions_hold_the_true_boxes_and_keep_to_their_share():
    truth = some_boxes(3)
    proposals = torch.cat([truth[:1] + 0.2, some_boxes(50, seed=1)])
    rules = {"positive_iou": 0.5, "best_iou": None, "positive_share": 0.25}
    regions, numbers, is_true = sample_regions(proposals, truth, number=1000, **rules)
    assert len(regions) == 54
    assert is_true.sum() == 3
    assert sorted(numbers[is_true].tolist()) == [0, 1, 2]
    overlaps = box_iou(regions, truth)
    assert (overlaps[: len(numbers)].amax(1) >= 0.5).all()
    assert (overlaps[len(numbers) :].amax(1) < 0.5).all()
    assert torch.equal(overlaps[: len(numbers)].argmax(1), numbers)
    assert len(sample_regions(proposals, truth, number=8, **rules)[1]) == 2


def test_regions_of_a_picture_without_objects():
    rules = {"positive_iou": 0.5, "best_iou": 0.5, "positive_share": 0.25, "number": 8}
    regions, numbers, is_true = sample_regions(some_boxes(20), torch.zeros(0, 4), **rules)
    assert (len(regions), len(numbers), len(is_true)) == (8, 0, 0)


def test_losses_by_the_definition():
    torch.manual_seed(0)
    logits, offsets = torch.randn(5, 4), torch.randn(5, 3, 4)
    regions, labels, wanted = some_boxes(5), torch.tensor([2, 3, 0, 3, 1]), some_boxes(3, seed=1)
    codes = (10.0, 10.0, 5.0, 5.0)
    of_classes = sum(-F.log_softmax(row, dim=0)[label].item() for row, label in zip(logits, labels, strict=True))
    of_boxes = 0.0
    for goal, i in zip(wanted, (0, 2, 4), strict=True):
        target = encode_boxes(goal[None], regions[i : i + 1], weights=codes)[0]
        of_boxes += (offsets[i, labels[i]] - target).abs().sum().item()
    found = box_head_losses(
        logits, offsets, regions=regions, labels=labels, wanted=wanted, kind="l1", code_weights=codes
    )
    assert [loss.item() for loss in found] == pytest.approx([of_classes / 5, of_boxes / 5], rel=1e-4)


def test_detections_by_the_definition():
    boxes, scores = some_boxes(60), torch.rand(60, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(60) % 3
    boxes[7, 2] = boxes[7, 0]  # without area
    chosen = []
    for i in scores.argsort(descending=True).tolist():
        rivals = [j for j in chosen if labels[j] == labels[i]]
        if i != 7 and all(box_iou(boxes[i : i + 1], boxes[j : j + 1]) <= 0.3 for j in rivals):
            chosen.append(i)
    assert len(chosen) > 12
    found = select_detections(boxes, scores, labels, nms_threshold=0.3, limit=12)
    assert torch.equal(found["scores"], scores[chosen[:12]])
    assert torch.equal(found["boxes"], boxes[chosen[:12]])
    assert torch.equal(found["labels"], labels[chosen[:12]])
    with_flat = select_detections(boxes, scores, labels, nms_threshold=0.3, limit=60, keep_flat=True)
    assert scores[7] in with_flat["scores"]
