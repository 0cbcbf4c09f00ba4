from math import exp, log

import pytest
import torch
from torchvision.models.detection.rpn import AnchorGenerator, RegionProposalNetwork, RPNHead
from torchvision.ops import generalized_box_iou

from stvit_video.dense.box_codes import LARGEST_LOG, box_loss, decode_boxes, encode_boxes, scale_boxes

WEIGHTS = (10.0, 9.0, 5.0, 4.0)


def some_boxes(number, seed=0):
    torch.manual_seed(seed)
    corners = torch.rand(number, 2) * 50
    return torch.cat([corners, corners + 1 + torch.rand(number, 2) * 40], dim=1)


def test_codes_by_the_definition():
    (x1, y1, x2, y2), (u1, v1, u2, v2) = (10.0, 20.0, 30.0, 28.0), (12.0, 19.0, 22.0, 35.0)
    wanted = [
        10 * ((u1 + u2) / 2 - (x1 + x2) / 2) / (x2 - x1),
        9 * ((v1 + v2) / 2 - (y1 + y2) / 2) / (y2 - y1),
        5 * log((u2 - u1) / (x2 - x1)),
        4 * log((v2 - v1) / (y2 - y1)),
    ]
    found = encode_boxes(torch.tensor([[u1, v1, u2, v2]]), torch.tensor([[x1, y1, x2, y2]]), weights=WEIGHTS)
    assert found[0].tolist() == pytest.approx(wanted, rel=1e-6)


def test_there_and_back():
    boxes, wanted = some_boxes(7), some_boxes(7, seed=1)
    codes = encode_boxes(wanted, boxes, weights=WEIGHTS)
    torch.testing.assert_close(decode_boxes(codes, boxes, weights=WEIGHTS), wanted, rtol=1e-5, atol=1e-4)


def test_codes_equal_torchvisions():
    coder = RegionProposalNetwork(AnchorGenerator(), RPNHead(4, 3), 0.7, 0.3, 8, 0.5, {}, {}, 0.7).box_coder
    boxes, wanted = some_boxes(7), some_boxes(7, seed=1)
    torch.testing.assert_close(encode_boxes(wanted, boxes), coder.encode_single(wanted, boxes))
    codes = torch.randn(7, 3, 4) * 3  # some beyond the largest factor
    theirs = coder.decode_single(codes.flatten(1), boxes).unflatten(1, (3, 4))
    torch.testing.assert_close(decode_boxes(codes, boxes), theirs)


def test_a_box_grows_no_further_than_a_factor():
    grown = decode_boxes(torch.tensor([[0.0, 0.0, 9.0, LARGEST_LOG]]), torch.tensor([[0.0, 0.0, 2.0, 4.0]]))
    assert (grown[0, 2] - grown[0, 0]).item() == pytest.approx(2 * 1000 / 16, rel=1e-5)
    assert (grown[0, 3] - grown[0, 1]).item() == pytest.approx(4 * exp(LARGEST_LOG), rel=1e-5)


def test_boxes_of_half_precision_come_out_in_float32():
    assert decode_boxes(torch.zeros(2, 4, dtype=torch.bfloat16), some_boxes(2)).dtype == torch.float32


def test_scaled_boxes_stay_within_the_picture():
    found = scale_boxes(torch.tensor([[10.0, 20.0, 60.0, 40.0]]), size=(40, 60), wanted=(100, 30))
    torch.testing.assert_close(found, torch.tensor([[5.0, 50.0, 30.0, 100.0]]))


@pytest.mark.parametrize("kind", ["l1", "smooth_l1", "giou"])
def test_losses_by_the_definition(kind):
    boxes, wanted, codes = some_boxes(5), some_boxes(5, seed=1), torch.randn(5, 4) * 0.3
    total = 0.0
    for box, goal, code in zip(boxes, wanted, codes, strict=True):
        if kind == "giou":
            total += 1 - generalized_box_iou(decode_boxes(code[None], box[None]), goal[None]).item()
            continue
        for gap in (code - encode_boxes(goal[None], box[None])[0]).abs().tolist():
            total += gap - 1 / 18 if kind == "smooth_l1" and gap >= 1 / 9 else gap if kind == "l1" else 4.5 * gap**2
    assert box_loss(codes, wanted, boxes, kind=kind).item() == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("kind", ["l1", "smooth_l1", "giou"])
def test_no_boxes_give_no_loss_and_a_gradient(kind):
    codes = torch.zeros((0, 4), requires_grad=True)
    loss = box_loss(codes, torch.zeros((0, 4)), torch.zeros((0, 4)), kind=kind)
    loss.backward()
    assert loss.item() == 0
    assert codes.grad is not None
