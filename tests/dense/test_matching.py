import pytest
import torch
from torchvision.models.detection.rpn import AnchorGenerator, RegionProposalNetwork, RPNHead
from torchvision.ops import box_iou

from stvit_video.dense.matching import BACKGROUND, IGNORED, draw_samples, match_boxes


def some_boxes(number, seed):
    torch.manual_seed(seed)
    corners = torch.randint(0, 12, (number, 2))
    return torch.cat([corners, corners + torch.randint(2, 9, (number, 2))], dim=1).float()


def iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (area - width * height)


def by_the_definition(truth, boxes, *, positive_iou, negative_iou, best_iou, own_truth):
    table = [[iou(t, b) for b in boxes.tolist()] for t in truth.tolist()]
    found = []
    for j in range(len(boxes)):
        column = [row[j] for row in table]
        most = max(column)
        nearest = column.index(most)
        match = nearest if most >= positive_iou else BACKGROUND if most < negative_iou else IGNORED
        owners = [i for i, row in enumerate(table) if row[j] == max(row) and max(row) >= (best_iou or 0)]
        if best_iou is not None and owners:
            match = owners[-1] if own_truth else nearest
        found.append(match)
    return found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("best_iou", [None, 0.3, 1e-3])
@pytest.mark.parametrize("own_truth", [False, True])
def test_matches_by_the_definition(seed, best_iou, own_truth):
    """Boxes of whole pixels, so that many overlap a true box equally."""
    truth, boxes = some_boxes(5, seed).double(), some_boxes(60, seed + 50).double()
    rules = {"positive_iou": 0.5, "negative_iou": 0.3, "best_iou": best_iou, "own_truth": own_truth}
    wanted = by_the_definition(truth, boxes, **rules)
    assert match_boxes(truth, boxes, **rules).tolist() == wanted
    assert match_boxes(truth, boxes, largest_table=37, **rules).tolist() == wanted  # in parts of 7 boxes


def test_matches_equal_torchvisions():
    matcher = RegionProposalNetwork(AnchorGenerator(), RPNHead(4, 3), 0.7, 0.3, 8, 0.5, {}, {}, 0.7).proposal_matcher
    truth, boxes = some_boxes(7, 1), some_boxes(400, 2)
    found = match_boxes(truth, boxes, positive_iou=0.7, negative_iou=0.3, best_iou=0.0)
    assert torch.equal(found, matcher(box_iou(truth, boxes)))


def test_without_true_boxes_all_is_background():
    rules = {"positive_iou": 0.5, "negative_iou": 0.3, "best_iou": 0.0}
    assert match_boxes(torch.zeros(0, 4), some_boxes(3, 0), **rules).tolist() == [BACKGROUND] * 3
    assert match_boxes(some_boxes(3, 0), torch.zeros(0, 4), **rules).tolist() == []


def test_memory_does_not_grow_with_the_true_boxes():
    truth, boxes = some_boxes(5000, 1), some_boxes(900, 2)
    rules = {"positive_iou": 0.5, "negative_iou": 0.3, "best_iou": 1e-3, "own_truth": True}
    assert torch.equal(match_boxes(truth, boxes, **rules), match_boxes(truth, boxes, largest_table=10_000, **rules))


def test_samples_keep_to_their_share():
    matches = torch.tensor([IGNORED] * 3 + [BACKGROUND] * 20 + [0, 1, 2, 3, 4])
    positive, negative = draw_samples(matches, number=8, positive_share=0.25)
    assert len(positive) == 2
    assert len(negative) == 6
    assert (matches[positive] >= 0).all()
    assert (matches[negative] == BACKGROUND).all()
    assert len(set(positive.tolist() + negative.tolist())) == 8


def test_background_fills_up_what_positives_leave():
    positive, negative = draw_samples(torch.tensor([BACKGROUND, 0, BACKGROUND, IGNORED]), number=10, positive_share=0.5)
    assert positive.tolist() == [1]
    assert negative.tolist() == [0, 2]


def test_draws_come_from_the_generator_alone():
    matches = torch.tensor([BACKGROUND, 0] * 50)
    drawn = []
    for seed in (1, 1, 2):
        before = torch.get_rng_state()
        parts = draw_samples(matches, number=10, positive_share=0.5, generator=torch.Generator().manual_seed(seed))
        drawn.append(torch.cat(parts).tolist())
        assert torch.equal(torch.get_rng_state(), before)
    assert drawn[0] == drawn[1] != drawn[2]


def test_draws_without_a_generator_are_torchvisions():
    sampler = RegionProposalNetwork(AnchorGenerator(), RPNHead(4, 3), 0.7, 0.3, 8, 0.5, {}, {}, 0.7).fg_bg_sampler
    matches = torch.tensor([BACKGROUND, 0, 2, IGNORED, BACKGROUND] * 9)
    torch.manual_seed(5)
    wanted = [torch.where(mask[0])[0].tolist() for mask in sampler([(matches + 1).clamp(min=-1)])]
    torch.manual_seed(5)
    assert [part.tolist() for part in draw_samples(matches, number=8, positive_share=0.5)] == wanted
