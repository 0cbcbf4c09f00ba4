"""RetinaNet: torchvision's answers with its rule and weights, our rules by loops, and objects that are learnt."""

import pytest
import torch
from drawn_objects import fit, four_pictures, tiny_detector
from found_objects import assert_found
from torch.nn import functional as F
from torchvision.models.detection import retinanet_resnet50_fpn
from torchvision.ops import box_iou
from torchvision_twins import assert_same_detections, calm, drawn_pictures, our_twin, prepared

from stvit_video.dense.box_codes import encode_boxes

NAMES = {"classes": "classification", "boxes": "bbox_regression"}


def test_torchvisions_detections_and_losses():
    pictures, targets = drawn_pictures()
    reference = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3, min_size=96, max_size=200)
    ours = our_twin(calm(reference, pictures), "retinanet", num_classes=3)
    assert_same_detections(ours, reference, pictures, first_label=0)

    theirs = reference.train()(pictures, targets)
    reference.eval()
    batch, sizes, targets = prepared(reference, pictures, targets)
    for name, loss in ours.train().losses(batch, sizes, targets).items():
        torch.testing.assert_close(loss, theirs[NAMES[name]], rtol=1e-4, atol=1e-6)


def test_four_pictures_are_learnt():
    detector, batch = tiny_detector("retinanet"), four_pictures()
    first, last = fit(detector, batch, steps=60, rate=4e-3)
    assert last < first / 3
    assert_found(detector, batch)


def test_losses_by_the_definition():
    """Sums over the batch, divided by its positive anchors."""
    detector, (pictures, sizes, targets) = tiny_detector("retinanet", focal_alpha=0.3, focal_gamma=1.5), four_pictures()
    padded, maps, _ = detector.maps(pictures)
    anchors, answers = detector.anchors(maps, padded, sizes), detector.outputs(pictures, sizes)
    of_classes, of_boxes, count = 0.0, 0.0, 0
    for i, target in enumerate(targets):
        table = box_iou(anchors.boxes, target["boxes"])
        most, nearest = table.max(1)
        reached = table[:, :]
        positive = ((most >= 0.5) | (reached == reached.amax(0)).any(1)) & anchors.usable[i]
        counted = (positive | (most < 0.4)) & anchors.usable[i]
        wanted = F.one_hot(target["labels"][nearest], 2) * positive[:, None]
        p = answers["classes"][i].sigmoid()
        p = torch.where(wanted == 1, p, 1 - p)
        alpha = torch.where(wanted == 1, 0.3, 0.7)
        of_classes += (-alpha * (1 - p) ** 1.5 * p.log())[counted].sum()
        goal = encode_boxes(target["boxes"][nearest[positive]], anchors.boxes[positive])
        of_boxes += (answers["boxes"][i][positive] - goal).abs().sum()
        count += int(positive.sum())
    losses = detector.losses(pictures, sizes, targets)
    torch.testing.assert_close(losses["classes"], of_classes / count, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(losses["boxes"], of_boxes / count, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", ["ours", "mmdet"])
def test_candidates_by_the_definition(rule):
    detector = tiny_detector("retinanet", head_rule=rule, candidates=5, score_threshold=0.2)
    scores = torch.rand(40, 3, generator=torch.Generator().manual_seed(0))
    rows, labels = detector._candidates(scores)
    pairs = [(scores[i, j].item(), i, j) for i in range(40) for j in range(3)]
    if rule == "ours":
        wanted = [(i, j) for _, i, j in sorted(pairs, reverse=True)[:5]]
    else:
        best = sorted(range(40), key=lambda i: -scores[i].max().item())[:5]
        wanted = [(i, j) for score, i, j in pairs if i in best and score > 0.2]
    assert sorted(zip(rows.tolist(), labels.tolist(), strict=True)) == sorted(wanted)


def test_names_of_the_losses():
    assert list(tiny_detector("retinanet").losses(*four_pictures())) == ["classes", "boxes"]
