import pytest
import torch
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import project_masks_on_boxes

from stvit_video.dense.mask_head import MaskHead, mask_loss, mask_probabilities, mask_targets


def some_masks():
    y, x = torch.meshgrid(torch.arange(20) + 0.5, torch.arange(30) + 0.5, indexing="ij")
    return torch.stack([(x > 6) & (x < 18) & (y > 3) & (y < 15), (x - 12) ** 2 + (y - 9) ** 2 < 50]).to(torch.uint8)


def test_shapes():
    head = MaskHead(6, 5, 4)
    assert head(torch.randn(3, 6, 14, 14)).shape == (3, 4, 28, 28)
    assert head(torch.zeros(0, 6, 14, 14)).shape == (0, 4, 28, 28)


def test_targets_of_boxes_on_whole_pixels():
    """A cell of a pixel holds that pixel."""
    boxes = torch.tensor([[4.0, 2.0, 12.0, 10.0], [10.0, 8.0, 18.0, 16.0]])
    found = mask_targets(some_masks(), boxes, torch.tensor([1, 0]), cells=8)
    wanted = torch.stack([some_masks()[1, 2:10, 4:12], some_masks()[0, 8:16, 10:18]]).float()
    assert torch.equal(found, wanted)


def test_a_target_within_its_object_is_full_and_outside_it_empty():
    boxes = torch.tensor([[7.3, 4.2, 16.9, 13.7], [20.5, 4.0, 28.0, 12.0]])
    found = mask_targets(some_masks(), boxes, torch.tensor([0, 0]), cells=28)
    assert found[0].all()
    assert not found[1].any()


def test_the_other_rule_is_torchvisions():
    torch.manual_seed(0)
    boxes = torch.rand(9, 4).cumsum(1) * 7
    numbers = torch.tensor([0, 1, 1, 0, 1, 1, 1, 0, 1])
    found = mask_targets(some_masks(), boxes, numbers, cells=28, exact=False)
    torch.testing.assert_close(found, project_masks_on_boxes(some_masks(), boxes, numbers, 28))


def test_loss_by_the_definition():
    torch.manual_seed(0)
    logits, labels, targets = torch.randn(3, 4, 2, 2), torch.tensor([3, 0, 3]), (torch.rand(3, 2, 2) > 0.5).float()
    chosen = torch.stack([logits[0, 3], logits[1, 0], logits[2, 3]])
    p = 1 / (1 + (-chosen).exp())
    wanted = -(targets * p.log() + (1 - targets) * (1 - p).log()).mean()
    assert mask_loss(logits, labels, targets).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_no_regions_give_no_loss_and_a_gradient():
    head = MaskHead(4, 4, 2)
    none = torch.zeros(0, dtype=torch.int64)
    loss = mask_loss(
        head(torch.zeros(0, 4, 14, 14)), none, mask_targets(some_masks(), torch.zeros(0, 4), none, cells=28)
    )
    loss.backward()
    assert loss.item() == 0
    assert all(parameter.grad is not None for parameter in head.parameters())


def test_probabilities_are_the_mean_over_heads():
    torch.manual_seed(0)
    first, second = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    found = mask_probabilities([first, second], torch.tensor([2, 0]))
    torch.testing.assert_close(found[0], (F.sigmoid(first[0, 2]) + F.sigmoid(second[0, 2])) / 2)
    torch.testing.assert_close(found[1], (F.sigmoid(first[1, 0]) + F.sigmoid(second[1, 0])) / 2)
