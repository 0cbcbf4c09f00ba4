"""What all heads promise: any size, any mode, gradients everywhere, sizes of the answers."""

import pytest
import torch
from drawn_objects import ALL_HEADS, REGION_HEADS, TINY, batch_of, drawn_picture, four_pictures, tiny_detector
from torch import nn

from stvit_video.dense.head_rules import HEAD_RULES

EMPTY = [drawn_picture([], size) for size in ((64, 96), (60, 72))]


def empty_batch():
    return *batch_of([picture for picture, _ in EMPTY]), [target for _, target in EMPTY]


@pytest.mark.parametrize("head", ALL_HEADS)
def test_every_parameter_has_a_gradient_also_where_all_pictures_are_empty(head):
    for batch in (four_pictures(), empty_batch()):
        detector = tiny_detector(head)
        losses = detector.losses(*batch)
        assert all(loss.ndim == 0 and loss.isfinite() for loss in losses.values())
        sum(losses.values()).backward()
        assert [name for name, one in detector.named_parameters() if one.grad is None] == []
        assert all(one.grad.isfinite().all() for one in detector.parameters())


@pytest.mark.parametrize("head", ALL_HEADS)
def test_losses_and_outputs_do_not_change_with_the_mode(head):
    detector = tiny_detector(head, backbone="swin_tiny", backbone_options={"embed_dim": 12, "num_heads": (1, 2, 3, 4)})
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):  # of cascades
            module.momentum, module.track_running_stats = 0.0, False
            module.running_mean = module.running_var = None
    found = []
    for training in (True, False):
        detector.train(training)
        generator = torch.Generator().manual_seed(0)
        losses = detector.losses(*four_pictures(), generator=generator)
        found.append((losses, detector.outputs(*four_pictures()[:2])))
    assert found[0][0].keys() == found[1][0].keys()
    for name, loss in found[0][0].items():
        torch.testing.assert_close(loss, found[1][0][name])
    torch.testing.assert_close(found[0][1], found[1][1])


@pytest.mark.parametrize("head", ALL_HEADS)
def test_all_draws_come_from_the_generator_or_from_torch_on_the_cpu(head):
    detector, batch = (
        tiny_detector(head, rpn_samples=8) if head in REGION_HEADS else tiny_detector(head),
        four_pictures(),
    )
    before, sums = torch.get_rng_state(), []
    for seed in (1, 1, 2):
        losses = detector.losses(*batch, generator=torch.Generator().manual_seed(seed))
        sums.append(sum(losses.values()).item())
    assert torch.equal(torch.get_rng_state(), before)
    assert sums[0] == sums[1]
    assert (sums[0] != sums[2]) == (head in REGION_HEADS)
    torch.manual_seed(1)
    assert sum(detector.losses(*batch).values()).item() == sums[0]


@pytest.mark.parametrize("head", ALL_HEADS)
def test_bfloat16(head):
    detector, batch = tiny_detector(head), four_pictures()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = detector.losses(*batch)
        found = detector.eval().detect(*batch[:2])
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())
    sum(losses.values()).backward()
    assert all(part["boxes"].dtype == part["scores"].dtype == torch.float32 for part in found)


@pytest.mark.parametrize("head", ALL_HEADS)
@pytest.mark.parametrize("rule", HEAD_RULES)
def test_pictures_smaller_than_a_cell_of_the_coarsest_map(head, rule):
    detector = tiny_detector(head, head_rule=rule, score_threshold=0.0)
    picture, target = drawn_picture([(0, 3, 2, 15, 11)], (13, 20))
    assert sum(detector.losses(picture[None], [(13, 20)], [target]).values()).isfinite()
    found = detector.eval().detect(picture[None], [(13, 20)], [(26, 60)])[0]
    assert len(found["boxes"])
    assert (found["boxes"] >= 0).all()
    assert (found["boxes"] <= torch.tensor([60, 26, 60, 26])).all()
    if detector.has_masks:
        assert found["masks"].shape == (len(found["boxes"]), 26, 60)
        assert found["masks"].dtype == torch.bool


@pytest.mark.parametrize("head", ALL_HEADS)
def test_no_detections(head):
    detector = tiny_detector(head, score_threshold=1.0).eval()
    for part, size in zip(detector.detect(*four_pictures()[:2]), four_pictures()[1], strict=True):
        assert part["boxes"].shape == (0, 4)
        assert part["labels"].dtype == torch.int64
        assert not detector.has_masks or part["masks"].shape == (0, *size)


@pytest.mark.parametrize("head", ALL_HEADS)
def test_scores_fall_and_the_limit_holds(head):
    detector = tiny_detector(head, score_threshold=0.001, detections=7, nms_threshold=0.9).eval()
    for part in detector.detect(*four_pictures()[:2]):
        assert len(part["scores"]) == 7
        assert torch.equal(part["scores"], part["scores"].sort(descending=True).values)
        assert set(part["labels"].tolist()) <= {0, 1}


@pytest.mark.parametrize("head", ALL_HEADS)
def test_original_sizes_scale_the_boxes(head):
    detector, (pictures, sizes, _) = tiny_detector(head, score_threshold=0.001).eval(), four_pictures()
    doubled = [(2 * h, 3 * w) for h, w in sizes]
    for part, other in zip(detector.detect(pictures, sizes), detector.detect(pictures, sizes, doubled), strict=True):
        torch.testing.assert_close(part["boxes"] * torch.tensor([3.0, 2.0, 3.0, 2.0]), other["boxes"])
        assert torch.equal(part["scores"], other["scores"])


@pytest.mark.parametrize("head", ALL_HEADS)
def test_5000_boxes_in_a_picture(head):
    """Only 60 of them are trained on, and 4,940 are counted."""
    detector = tiny_detector(head, max_boxes=60)
    picture, target = drawn_picture([(0, 3, 2, 15, 11)], (40, 48))
    many = {name: value.repeat(5000, *(1,) * (value.ndim - 1)) for name, value in target.items()}
    losses = detector.losses(picture[None], [(40, 48)], [many])
    assert detector.boxes_left_out == 4940
    assert sum(losses.values()).isfinite()


def test_anchors_over_padding_take_no_part():
    """A picture alone, and beside a larger one, has the same usable anchors."""
    detector = tiny_detector("retinanet")
    sets = []
    for size in ((64, 96), (128, 160)):
        padded, maps, _ = detector.maps(torch.zeros(1, 3, *size))
        anchors = detector.anchors(maps, padded, [(50, 70)])
        sets.append(anchors.boxes[anchors.usable[0]])
    assert torch.equal(*sets)
    other = tiny_detector("retinanet", head_rule="mmdet")
    padded, maps, _ = other.maps(torch.zeros(1, 3, 128, 160))
    assert other.anchors(maps, padded, [(50, 70)]).usable is None


def test_norm_eval_keeps_the_statistics():
    for norm_eval in (False, True):
        detector = tiny_detector("faster_rcnn", norm_eval=norm_eval).train()
        before = {key: value.clone() for key, value in detector.backbone.named_buffers() if "running_mean" in key}
        assert before
        detector.losses(*four_pictures())
        now = dict(detector.backbone.named_buffers())
        assert all(torch.equal(now[key], value) for key, value in before.items()) == norm_eval
        assert detector.training


def test_what_does_not_fit_is_named():
    detector, (pictures, sizes, targets) = tiny_detector("retinanet"), four_pictures()
    with pytest.raises(ValueError, match="3 targets .*4 pictures"):
        detector.losses(pictures, sizes, targets[:3])
    with pytest.raises(ValueError, match="\\(99, 96\\) of picture 0"):
        detector.detect(pictures, [(99, 96), *sizes[1:]])


BACKBONES = {
    "casvit_xs": TINY,
    "swin_tiny": {"embed_dim": 12, "num_heads": (1, 2, 3, 4), "depths": (1, 1, 2, 1), "window_size": 4},
}


@pytest.mark.parametrize("head", ALL_HEADS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_picture_of_a_mixed_batch_gets_what_it_gets_alone(head, backbone):
    detector = tiny_detector(
        head, backbone=backbone, backbone_options=BACKBONES[backbone], detections=5, score_threshold=0.01
    )
    for module in detector.eval().modules():
        if isinstance(module, nn.BatchNorm2d):  # else zeros would stay zeros behind the first norm
            module.running_mean.normal_()
    sizes = [(64, 90), (33, 130), (70, 96), (60, 95), (128, 52)]
    pictures = [torch.randn(3, *size) for size in sizes]
    together = detector.detect(*batch_of(pictures))
    for picture, size, found in zip(pictures, sizes, together, strict=True):
        (alone,) = detector.detect(picture[None], [size])
        assert len(alone["scores"]) > 0
        torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-4)
