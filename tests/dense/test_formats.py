"""Names of mmdet and torchvision: every key there and back, told by the keys alone."""

import pytest
import torch
from casvit_names import their_name
from drawn_maps import MAP_HEADS, mmseg_state, tiny_segmenter
from drawn_objects import ALL_HEADS, tiny_detector
from mmdet_maker import mmdet_state

from stvit_video.dense.dense_model import RULE
from stvit_video.dense.formats import FORMATS, convert_mmdet, convert_mmseg, convert_torchvision

RESNET = {"backbone.body.conv1.weight": torch.zeros(2)}


def names(state):
    return [form.name for form in FORMATS if form.matches(state)]


@pytest.mark.parametrize("head", ALL_HEADS)
def test_mmdets_names_there_and_back(head):
    detector = tiny_detector(head, num_classes=5)
    theirs = mmdet_state(detector, backbone_name=their_name)
    assert names(theirs) == ["mmdet"]
    ours = convert_mmdet(theirs)
    heads = {key: value for key, value in detector.state_dict().items() if not key.startswith("backbone.")}
    assert {key for key in ours if not key.startswith("backbone.")} == set(heads) - {RULE}
    assert all(ours[key] is theirs[name] for key, name in zip(ours, theirs, strict=True))
    assert all(torch.equal(ours[key], value) for key, value in heads.items() if key != RULE)


def test_mmdets_names_of_the_released_files():
    """Written by hand from the configurations: cascade with convolutions, two layers, and RetinaNet's levels."""
    pairs = {
        "neck.lateral_convs.3.conv.weight": "neck.fpn.inner_blocks.3.0.weight",
        "rpn_head.rpn_conv.bias": "rpn.head.conv.0.0.bias",
        "roi_head.bbox_head.2.shared_convs.3.conv.weight": "stages.2.box.trunk.3.0.weight",
        "roi_head.bbox_head.2.shared_convs.3.bn.running_var": "stages.2.box.trunk.3.1.running_var",
        "roi_head.bbox_head.2.shared_fcs.0.bias": "stages.2.box.trunk.2.bias",  # behind the one convolution here
        "roi_head.bbox_head.1.shared_fcs.1.bias": "stages.1.box.trunk.fc7.bias",
        "roi_head.bbox_head.1.fc_cls.weight": "stages.1.box.classes.weight",
        "roi_head.mask_head.1.conv_logits.bias": "stages.1.mask.predictor.mask_fcn_logits.bias",
        "roi_head.mask_head.upsample.weight": "stages.0.mask.predictor.conv5_mask.weight",
        "bbox_head.reg_convs.3.conv.bias": "head.regression_head.conv.3.0.bias",
        "bbox_head.retina_cls.weight": "head.classification_head.cls_logits.weight",
        "bbox_head.unknown": "bbox_head.unknown",
    }
    assert list(convert_mmdet(dict.fromkeys(pairs, torch.zeros(1)))) == list(pairs.values())
    levels = [f"neck.{kind}.{i}.conv.weight" for kind, n in (("lateral_convs", 3), ("fpn_convs", 5)) for i in range(n)]
    found = list(convert_mmdet(dict.fromkeys(levels, torch.zeros(1))))
    assert found[-3:] == ["neck.fpn.layer_blocks.2.0.weight", "neck.p6.weight", "neck.p7.weight"]


@pytest.mark.parametrize("head", MAP_HEADS)
def test_mmsegs_names_there_and_back(head):
    model = tiny_segmenter(head, num_classes=5)
    theirs = mmseg_state(model)
    assert names(theirs) == ["mmseg"]
    ours = convert_mmseg(theirs)
    heads = {key: value for key, value in model.state_dict().items() if not key.startswith("backbone.")}
    assert {key for key in ours if not key.startswith("backbone.")} == set(heads) - {RULE}
    assert all(torch.equal(ours[key], value) for key, value in heads.items() if key != RULE)


def test_mmsegs_names_of_the_released_files():
    """Written by hand from the modules of fpn_head.py, uper_head.py, psp_head.py and fcn_head.py."""
    pairs = {
        "neck.lateral_convs.3.conv.bias": "map_head.neck.fpn.inner_blocks.3.0.bias",
        "neck.fpn_convs.0.conv.weight": "map_head.neck.fpn.layer_blocks.0.0.weight",
        "decode_head.scale_heads.0.0.conv.weight": "map_head.levels.0.convs.0.0.weight",
        "decode_head.scale_heads.3.4.bn.running_mean": "map_head.levels.3.convs.2.1.running_mean",
        "decode_head.conv_seg.bias": "map_head.classifier.conv.bias",
        "decode_head.psp_modules.3.1.conv.weight": "map_head.pooling.convs.3.0.weight",
        "decode_head.psp_modules.0.1.bn.num_batches_tracked": "map_head.pooling.convs.0.1.num_batches_tracked",
        "decode_head.bottleneck.bn.weight": "map_head.pooling.fuse.1.weight",
        "decode_head.lateral_convs.2.conv.weight": "map_head.laterals.2.0.weight",
        "decode_head.fpn_convs.1.bn.bias": "map_head.outputs.1.1.bias",
        "decode_head.fpn_bottleneck.conv.weight": "map_head.fuse.0.weight",
        "auxiliary_head.convs.0.conv.weight": "auxiliary_head.conv.0.weight",
        "auxiliary_head.conv_seg.weight": "auxiliary_head.classifier.conv.weight",
        "backbone.norm0.weight": "backbone.norm0.weight",
        "decode_head.unknown": "decode_head.unknown",
    }
    assert list(convert_mmseg(dict.fromkeys(pairs, torch.zeros(1)))) == list(pairs.values())


def test_torchvisions_background_moves_to_the_end():
    rows = torch.arange(4.0)
    state = {
        "roi_heads.box_predictor.cls_score.bias": rows,
        "roi_heads.box_predictor.bbox_pred.weight": torch.arange(16.0)[:, None],
        "roi_heads.mask_predictor.mask_fcn_logits.bias": rows,
    }
    found = convert_torchvision(state)
    assert found["stages.0.box.classes.bias"].tolist() == [1, 2, 3, 0]
    assert found["stages.0.box.boxes.weight"][:, 0].tolist() == list(range(4, 16))
    assert found["stages.0.mask.predictor.mask_fcn_logits.bias"].tolist() == [1, 2, 3]


def test_torchvisions_names_of_old_files():
    pairs = {
        "backbone.fpn.inner_blocks.2.weight": "backbone.fpn.inner_blocks.2.0.weight",
        "rpn.head.conv.bias": "rpn.head.conv.0.0.bias",
        "roi_heads.mask_head.mask_fcn3.weight": "roi_heads.mask_head.2.0.weight",
        "head.classification_head.conv.6.bias": "head.classification_head.conv.3.0.bias",
    }
    for old, new in pairs.items():
        assert list(convert_torchvision({old: torch.zeros(5)})) == list(convert_torchvision({new: torch.zeros(5)}))
    assert names({**RESNET, "backbone.fpn.inner_blocks.0.weight": torch.zeros(1)}) == ["torchvision's detection"]


def test_other_weights_are_of_no_format():
    assert names(tiny_detector("mask_rcnn").state_dict()) == []
    assert names(tiny_detector("mask_rcnn").backbone.state_dict()) == []
    assert all(names(tiny_segmenter(head).state_dict()) == [] for head in MAP_HEADS)
