"""Faster, Mask and Cascade Mask R-CNN: torchvision's answers with its rule and weights, and objects that are learnt."""

import pytest
import torch
from drawn_objects import fit, four_pictures, tiny_detector
from found_objects import assert_found
from torchvision.models.detection import fasterrcnn_resnet50_fpn, maskrcnn_resnet50_fpn
from torchvision_twins import assert_same_detections, calm, drawn_pictures, our_twin, prepared

from stvit_video.dense.box_codes import decode_boxes
from stvit_video.dense.cascade import code_weights, refine_regions

NAMES = {
    "rpn_objects": "loss_objectness",
    "rpn_boxes": "loss_rpn_box_reg",
    "classes": "loss_classifier",
    "boxes": "loss_box_reg",
    "masks": "loss_mask",
}


@pytest.mark.parametrize(
    ("head", "build"),
    [
        ("mask_rcnn", maskrcnn_resnet50_fpn),
        pytest.param("faster_rcnn", fasterrcnn_resnet50_fpn, marks=pytest.mark.slow),
    ],
)
def test_torchvisions_detections_and_losses(head, build):
    pictures, targets = drawn_pictures()
    reference = build(weights=None, weights_backbone=None, num_classes=4, min_size=96, max_size=200)
    ours = our_twin(calm(reference, pictures), head, num_classes=3)
    for one, other in assert_same_detections(ours, reference, pictures, first_label=1):
        if head == "mask_rcnn":
            sure = (other["masks"][:, 0] - 0.5).abs() > 1e-4
            assert torch.equal(one["masks"][sure], other["masks"][:, 0][sure] > 0.5)
            assert one["masks"].any()

    targets = [{**target, "labels": target["labels"] + 1} for target in targets]
    torch.manual_seed(7)
    reference.train().transform.eval()  # which draws a size in training
    theirs = reference(pictures, targets)
    reference.eval()
    batch, sizes, targets = prepared(reference, pictures, targets)
    torch.manual_seed(7)  # the same anchors and regions are drawn
    losses = ours.train().losses(batch, sizes, [{**target, "labels": target["labels"] - 1} for target in targets])
    assert {NAMES[name] for name in losses} == set(theirs)
    for name, loss in losses.items():
        torch.testing.assert_close(loss, theirs[NAMES[name]], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("head", "options", "steps"),
    [
        ("faster_rcnn", {}, 60),
        ("mask_rcnn", {}, 60),
        ("cascade_mask_rcnn", {"conv_heads": False, "region_samples": 48}, 50),
        pytest.param("cascade_mask_rcnn", {}, 120, marks=pytest.mark.slow),
    ],
)
def test_four_pictures_are_learnt(head, options, steps):
    detector, batch = tiny_detector(head, **options), four_pictures()
    first, last = fit(detector, batch, steps=steps, rate=4e-3)
    assert last < first / 2
    assert_found(detector, batch, masks=head != "faster_rcnn")


def test_names_of_the_losses():
    batch = four_pictures()
    common = ["rpn_objects", "rpn_boxes"]
    assert list(tiny_detector("faster_rcnn").losses(*batch)) == [*common, "classes", "boxes"]
    stages = [f"{name}_{stage}" for stage in (1, 2, 3) for name in ("classes", "boxes", "masks")]
    assert list(tiny_detector("cascade_mask_rcnn").losses(*batch)) == [*common, *stages]


def test_weights_of_the_stages():
    losses = [
        tiny_detector("cascade_mask_rcnn", stage_weights=weights).losses(
            *four_pictures(), generator=torch.Generator().manual_seed(0)
        )
        for weights in ((1, 1, 1), (1, 0.5, 0.25))
    ]
    for name, factor in (("classes_1", 1), ("masks_2", 0.5), ("boxes_3", 0.25)):
        torch.testing.assert_close(losses[1][name], losses[0][name] * factor)


def test_stages_of_a_cascade_by_the_definition():
    """Regions move by each stage's own answer; classes are of the mean logits, boxes of the last stage."""
    detector = tiny_detector("cascade_mask_rcnn", score_threshold=0.3, nms_threshold=0.6).eval()
    fit(detector, four_pictures(), steps=3)
    pictures, sizes, _ = four_pictures()
    answers = detector.outputs(pictures, sizes)
    counts = [len(boxes) for boxes in answers["regions"][0]]
    for stage in (0, 1):
        parts = zip(answers["classes"][stage].split(counts), answers["boxes"][stage].split(counts), strict=True)
        for i, (logits, offsets) in enumerate(parts):
            moved = refine_regions(
                answers["regions"][stage][i], logits, offsets, weights=code_weights(stage), size=sizes[i]
            )
            torch.testing.assert_close(answers["regions"][stage + 1][i], moved)
    scores = sum(answers["classes"]).div(3).softmax(-1)
    boxes = decode_boxes(answers["boxes"][2], torch.cat(answers["regions"][2]), weights=code_weights(2))
    for i, part in enumerate(detector.detect(pictures, sizes)):
        mine, where = scores.split(counts)[i], boxes.split(counts)[i]
        for box, score, label in zip(part["boxes"], part["scores"], part["labels"], strict=True):
            limits = torch.tensor([sizes[i][1], sizes[i][0]] * 2)
            gaps = (where[:, label].clamp(min=0).minimum(limits) - box).abs().amax(1) + (mine[:, label] - score).abs()
            assert gaps.min() < 1e-3


def test_true_boxes_leave_between_the_stages_and_join_the_next_one_anew():
    detector, (pictures, sizes, targets) = tiny_detector("cascade_mask_rcnn", region_samples=10_000), four_pictures()
    seen = []
    for stage in detector.stages:
        stage.box.register_forward_hook(lambda module, given, answer: seen.append(len(answer[0])))
    detector.losses(pictures, sizes, targets)
    assert seen[0] == seen[1] == seen[2]
