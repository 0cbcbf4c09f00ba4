import json

import pytest
import torch
from drawn_maps import MAP_HEADS, tiny_segmenter
from drawn_objects import ALL_HEADS, TINY, tiny_detector

from stvit_video.dense import (
    HEAD_RULES,
    HEADS,
    MAP_RULES,
    Detector,
    Segmenter,
    build_described,
    create_dense,
    head_options,
)
from stvit_video.dense.create_dense import build_backbone, head_option_help, map_channels


@pytest.mark.parametrize("head", ALL_HEADS)
@pytest.mark.parametrize("rule", HEAD_RULES)
def test_a_description_builds_the_same_again(head, rule):
    detector = tiny_detector(head, num_classes=5, head_rule=rule, detections=17, score_threshold=0.3)
    told = json.loads(json.dumps(detector.describe()))
    again = build_described(told)
    assert again.describe() == told
    assert again.options == detector.options
    assert again.head_rule == rule
    again.load_state_dict(detector.state_dict())


@pytest.mark.parametrize("head", MAP_HEADS)
@pytest.mark.parametrize("rule", MAP_RULES)
def test_a_description_builds_the_same_segmenter_again(head, rule):
    model = tiny_segmenter(head, num_classes=5, head_rule=rule, window=64, dropout=0.2)
    told = json.loads(json.dumps(model.describe()))
    again = build_described(told)
    assert again.describe() == told
    assert again.options == model.options
    assert again.head_rule == rule
    again.load_state_dict(model.state_dict())


def test_every_head_says_what_it_finds():
    kinds = {"boxes": Detector, "maps": Segmenter}
    assert {name for name, head in HEADS.items() if head.kind == "maps"} == set(MAP_HEADS)
    for name, head in HEADS.items():
        build = tiny_segmenter if head.kind == "maps" else tiny_detector
        assert isinstance(build(name), kinds[head.kind])
        assert head.rules is (MAP_RULES if head.kind == "maps" else HEAD_RULES)


@pytest.mark.parametrize(
    ("num_classes", "match"), [(1, "num_classes=1 .*at least 2"), (256, "num_classes=256 .*at most 255, as label 255")]
)
def test_numbers_of_classes_that_maps_can_not_have(num_classes, match):
    for head in MAP_HEADS:
        with pytest.raises(ValueError, match=match):
            tiny_segmenter(head, num_classes=num_classes)
    assert tiny_segmenter("upernet", num_classes=255).num_classes == 255


def test_every_backbone_with_maps_fits():
    for name in ("swin_tiny", "stvit_r_swin_tiny", "casvit_s", "stvit_r_casvit_xs"):
        with torch.device("meta"):
            model = build_backbone(name, {})
        channels = map_channels(model)
        assert len(channels) == 4
        assert channels[0] in (48, 96)


@pytest.mark.parametrize(
    ("backbone", "match"),
    [
        ("deit_tiny", "deit_tiny has no maps .*swin_\\*, casvit_\\*, stvit_r_swin_\\*"),
        ("stvit_deit_tiny", "stvit_deit_tiny has no maps"),
        ("stvit_swin_tiny", "stvit_swin_tiny does not bring .*use stvit_r_swin_tiny"),
        ("stvit_casvit_xs", "use stvit_r_casvit_xs"),
        ("video_swin_tiny", "video_swin_tiny takes clips"),
        ("swim_tiny", "'swim_tiny'.*did you mean 'swin_tiny'"),
    ],
)
def test_models_that_are_no_backbone(backbone, match):
    with pytest.raises(ValueError, match=match):
        create_dense("mask_rcnn", backbone=backbone, num_classes=3)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"head": "yolo"}, "head='yolo' .*retinanet for boxes, or semantic_fpn, upernet for the label"),
        ({"head_rule": "coco"}, "head_rule='coco'"),
        ({"head_rule": "mmseg"}, "head_rule='mmseg' .*ours, mmdet, torchvision"),
        ({"head": "upernet", "head_rule": "mmdet"}, "head_rule='mmdet' .*ours, mmseg"),
        ({"num_classes": 0}, "num_classes=0"),
        ({"nms": 0.5}, "mask_rcnn has no option 'nms'; it takes .*nms_threshold"),
        ({"backbone_options": {"dims": 3}}, "casvit_xs has no option 'dims'"),
        ({"backbone": "swin_tiny", "backbone_options": {"patch_size": 2}}, "patch_size=2 .*4"),
    ],
)
def test_settings_that_are_unknown_or_impossible(given, match):
    with pytest.raises(ValueError, match=match):
        create_dense(**{"head": "mask_rcnn", "backbone": "casvit_xs", "num_classes": 3, **given})


def test_defaults_are_those_of_the_references():
    ours, theirs = head_options("mask_rcnn"), head_options("mask_rcnn", head_rule="torchvision")
    assert (ours["region_box_loss"], theirs["region_box_loss"]) == ("l1", "smooth_l1")
    assert (ours["train_proposals"], theirs["train_proposals"]) == (1000, 2000)
    cascade = head_options("cascade_mask_rcnn", head_rule="mmdet")
    assert cascade["stage_ious"] == [0.5, 0.6, 0.7]
    assert cascade["stage_weights"] == [1.0, 0.5, 0.25]
    assert (cascade["region_box_loss"], cascade["region_box_weight"]) == ("giou", 10.0)
    assert head_options("retinanet", head_rule="torchvision")["detections"] == 300
    assert head_options("retinanet")["detections"] == 100


@pytest.mark.parametrize("head", HEADS)
def test_every_option_has_help(head):
    told = head_option_help(head)
    assert set(told) == set(head_options(head))
    assert all(told.values())


def test_backbone_options_reach_the_backbone():
    detector = create_dense("faster_rcnn", backbone="casvit_xs", num_classes=3, backbone_options=TINY, neck_channels=8)
    assert map_channels(detector.backbone) == list(TINY["embed_dims"])
    assert detector.describe()["backbone"] == {"name": "casvit_xs", "options": TINY}
