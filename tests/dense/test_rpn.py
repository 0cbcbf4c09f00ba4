import pytest
import torch
from torch.nn import functional as F
from torchvision.models.detection.rpn import permute_and_flatten
from torchvision.ops import box_iou

from stvit_video.dense.box_codes import decode_boxes, encode_boxes
from stvit_video.dense.head_rules import HEAD_RULES
from stvit_video.dense.options import RegionOptions
from stvit_video.dense.rpn import AnchorSet, RegionProposals, by_anchor

COUNTS = (30, 12)
SIZES = [(40, 60), (32, 50)]


def some_anchors(*, usable=None):
    torch.manual_seed(0)
    corners = torch.rand(sum(COUNTS), 2) * 40 - 5
    boxes = torch.cat([corners, corners + 4 + torch.rand(sum(COUNTS), 2) * 20], dim=1)
    return AnchorSet(boxes=boxes, counts=COUNTS, usable=usable)


def some_answers():
    torch.manual_seed(1)
    return torch.randn(2, sum(COUNTS)), torch.randn(2, sum(COUNTS), 4) * 0.3


def proposals_by_the_definition(logits, offsets, anchors, size, *, before, after, usable):
    """The best of each level, cut to the picture; then the best that no better one of its level overlaps."""
    kept, start = [], 0
    for count in COUNTS:
        places = [i for i in range(start, start + count) if usable[i]]
        for i in sorted(places, key=lambda i: -logits[i].item())[:before]:
            x1, y1, x2, y2 = decode_boxes(offsets[i][None], anchors[i][None])[0].tolist()
            box = [
                min(max(x1, 0), size[1]),
                min(max(y1, 0), size[0]),
                min(max(x2, 0), size[1]),
                min(max(y2, 0), size[0]),
            ]
            if box[2] - box[0] >= 1e-3 and box[3] - box[1] >= 1e-3:
                kept.append((logits[i].item(), start, torch.tensor(box)))
        start += count
    chosen = []
    for _, level, box in sorted(kept, key=lambda one: -one[0]):
        if all(level != other or box_iou(box[None], seen[None]) <= 0.7 for other, seen in chosen):
            chosen.append((level, box))
    return torch.stack([box for _, box in chosen[:after]])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_proposals_by_the_definition(training, masked):
    usable = torch.rand(2, sum(COUNTS), generator=torch.Generator().manual_seed(2)) < 0.7 if masked else None
    anchors, (logits, offsets) = some_anchors(usable=usable), some_answers()
    options = RegionOptions(train_candidates=9, train_proposals=11, test_candidates=7, test_proposals=5)
    rpn = RegionProposals(8, 3, options=options, rule=HEAD_RULES["ours"])
    limits = {"before": 9, "after": 11} if training else {"before": 7, "after": 5}
    found = rpn.propose(logits, offsets, anchors, SIZES, training=training)
    for i, boxes in enumerate(found):
        use = torch.ones(sum(COUNTS), dtype=torch.bool) if usable is None else usable[i]
        wanted = proposals_by_the_definition(logits[i], offsets[i], anchors.boxes, SIZES[i], usable=use, **limits)
        torch.testing.assert_close(boxes, wanted)


def test_answers_are_in_the_order_of_the_anchors():
    level = torch.randn(2, 3 * 4, 5, 7)
    found = by_anchor(level, values=4)
    assert torch.equal(found[1, (2 * 7 + 6) * 3 + 1], level[1, 4:8, 2, 6])
    assert torch.equal(found, permute_and_flatten(level, 2, 3, 4, 5, 7))


def test_losses_by_the_definition():
    """With more samples than anchors nothing is drawn, and the losses are sums over all but ignored anchors."""
    anchors, (logits, offsets) = some_anchors(), some_answers()
    truth = [anchors.boxes[[3, 33]] + 0.5, torch.zeros(0, 4)]
    options = RegionOptions(rpn_samples=1000, rpn_positives=1.0, rpn_box_loss="l1")
    rpn = RegionProposals(8, 3, options=options, rule=HEAD_RULES["torchvision"])
    of_objects, of_boxes, count = 0.0, 0.0, 0
    for picture, boxes in enumerate(truth):
        for i, anchor in enumerate(anchors.boxes):
            overlaps = box_iou(anchor[None], boxes)[0] if len(boxes) else torch.zeros(1)
            is_best = len(boxes) and bool((overlaps == box_iou(anchors.boxes, boxes).amax(0)).any())
            positive = overlaps.max() >= 0.7 or is_best
            if not positive and overlaps.max() >= 0.3:
                continue
            count += 1
            wanted = torch.tensor(float(positive))
            of_objects += F.binary_cross_entropy_with_logits(logits[picture, i], wanted).item()
            if positive:
                goal = encode_boxes(boxes[overlaps.argmax()][None], anchor[None])[0]
                of_boxes += (offsets[picture, i] - goal).abs().sum().item()
    losses = rpn.losses(logits, offsets, anchors, truth)
    assert losses["rpn_objects"].item() == pytest.approx(of_objects / count, rel=1e-4)
    assert losses["rpn_boxes"].item() == pytest.approx(of_boxes / count, rel=1e-4)


def test_anchors_over_padding_have_no_loss():
    anchors, (logits, offsets) = some_anchors(), some_answers()
    usable = torch.zeros(2, sum(COUNTS), dtype=torch.bool)
    usable[:, :4] = True
    few = AnchorSet(boxes=anchors.boxes, counts=COUNTS, usable=usable)
    rpn = RegionProposals(8, 3, options=RegionOptions(), rule=HEAD_RULES["ours"])
    logits.requires_grad_()
    rpn.losses(logits, offsets, few, [anchors.boxes[:1], torch.zeros(0, 4)])["rpn_objects"].backward()
    assert not logits.grad[:, 4:].any()
    assert logits.grad[1, :4].all()
