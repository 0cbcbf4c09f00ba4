"""Weights of detectors and segmenters from files: ours and those of others, whole or not at all."""

import pytest
import torch
from casvit_names import their_name
from drawn_maps import MAP_HEADS, mmseg_state, shaken, three_maps, tiny_segmenter
from drawn_objects import ALL_HEADS, TINY, four_pictures, tiny_detector
from mmdet_maker import mmdet_state

from stvit_video.dense import class_names, load_dense, load_start, weights_rule
from stvit_video.dense.load_dense import OURS, head_of_keys
from stvit_video.models import CheckpointError, create_model, load_checkpoint
from stvit_video.models.swin.windowed import RELEASED_WINDOWS

STVIT_R = {
    "backbone": "stvit_r_swin_tiny",
    "backbone_options": {"embed_dim": 12, "num_heads": (1, 2, 3, 6), "depths": (1, 1, 6, 1)},
}


def mmdet_file(path, detector, *, classes=("cell", "dust"), backbone_name=their_name, **meta):
    """A file as mmdet 2 writes it."""
    state = mmdet_state(detector, backbone_name=backbone_name)
    torch.save({"meta": {"mmdet_version": "2.24.1", "CLASSES": classes, **meta}, "state_dict": state}, path)
    return path


def unchanged(detector, call):
    """What `call` raises; no weight has changed."""
    before = {key: value.clone() for key, value in detector.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        call()
    assert all(torch.equal(value, before[key]) for key, value in detector.state_dict().items())
    return str(caught.value)


@pytest.mark.parametrize(
    ("head", "options", "backbone_name"),
    [
        ("mask_rcnn", {}, their_name),
        ("faster_rcnn", {}, their_name),
        ("retinanet", {}, their_name),
        ("cascade_mask_rcnn", STVIT_R, str),
    ],
)
def test_mmdets_file_gives_the_same_detections(tmp_path, head, options, backbone_name):
    theirs = tiny_detector(head, seed=1, head_rule="mmdet", score_threshold=0.001, **options)
    theirs.losses(*four_pictures())  # statistics of batch norms
    path = mmdet_file(tmp_path / "theirs.pth", theirs, backbone_name=backbone_name)
    ours = tiny_detector(head, seed=2, head_rule="mmdet", score_threshold=0.001, **options)
    report = load_dense(ours, path)
    assert report.format == f"mmdet {head}"
    assert set(report.loaded) == set(ours.state_dict())
    assert report.new == report.unused == ()
    answers = [one.eval().detect(*four_pictures()[:2]) for one in (ours, theirs)]
    for part, other in zip(*answers, strict=True):
        assert all(torch.equal(part[name], value) for name, value in other.items())
        assert len(part["boxes"])
    assert class_names(torch.load(path, weights_only=True)) == ("cell", "dust")


@pytest.mark.parametrize("head", ALL_HEADS)
def test_our_own_there_and_back(head):
    theirs, ours = tiny_detector(head, seed=1), tiny_detector(head, seed=2)
    report = load_dense(ours, {"state_dict": {f"model.{key}": value for key, value in theirs.state_dict().items()}})
    assert report.format == OURS["boxes"]
    assert all(torch.equal(value, theirs.state_dict()[key]) for key, value in ours.state_dict().items())
    assert set(report.loaded) == set(ours.state_dict())
    assert head_of_keys(ours.state_dict()) == head


def mmseg_file(path, model, **meta):
    """A file as mmsegmentation 0 writes it."""
    meta = {"mmseg_version": "0.19.0", "CLASSES": ["sky", "wall", "tree"], "PALETTE": [[0, 0, 0]] * 3, **meta}
    torch.save({"meta": meta, "state_dict": mmseg_state(model)}, path)
    return path


@pytest.mark.parametrize("head", MAP_HEADS)
def test_mmsegs_file_gives_the_same_labels(tmp_path, head):
    theirs = shaken(tiny_segmenter(head, seed=1, head_rule="mmseg"))
    path = mmseg_file(tmp_path / "theirs.pth", theirs)
    ours = tiny_segmenter(head, seed=2, head_rule="mmseg")
    report = load_dense(ours, path)
    assert report.format == f"mmseg {head}"
    assert set(report.loaded) == set(ours.state_dict())
    assert report.new == report.unused == ()
    answers = [one.eval().segment(*three_maps()[:2]) for one in (ours, theirs)]
    for part, other in zip(*answers, strict=True):
        assert all(torch.equal(part[name], value) for name, value in other.items())
    assert class_names(torch.load(path, weights_only=True)) == ("sky", "wall", "tree")


@pytest.mark.parametrize("head", MAP_HEADS)
def test_our_own_segmenters_there_and_back(head):
    theirs, ours = tiny_segmenter(head, seed=1), tiny_segmenter(head, seed=2)
    report = load_dense(ours, {"state_dict": {f"model.{key}": value for key, value in theirs.state_dict().items()}})
    assert report.format == OURS["maps"]
    assert all(torch.equal(value, theirs.state_dict()[key]) for key, value in ours.state_dict().items())
    assert set(report.loaded) == set(ours.state_dict())
    assert head_of_keys(ours.state_dict()) == head


def test_segmenters_of_another_rule_head_or_task():
    fpn, mask = tiny_segmenter("semantic_fpn", seed=2), tiny_detector("mask_rcnn", seed=2)
    mmsegs = mmseg_state(tiny_segmenter("semantic_fpn", seed=1))
    assert weights_rule(mmsegs) == "mmseg"
    assert weights_rule(fpn.state_dict()) == "ours"
    assert weights_rule(tiny_segmenter("upernet", head_rule="mmseg").state_dict()) == "mmseg"
    for model, weights, *parts in (
        (fpn, mmsegs, "head_rule='mmseg'", "head_rule='ours'"),
        (fpn, tiny_segmenter("upernet").state_dict(), "segmenter has head=semantic_fpn; use head=upernet, or"),
        (fpn, mask.state_dict(), "use head=mask_rcnn and task=detection"),
        (mask, fpn.state_dict(), "detector has head=mask_rcnn; use head=semantic_fpn and task=semantic"),
        (mask, mmsegs, "use head=semantic_fpn and task=semantic"),
    ):
        for load in (load_dense, load_start):
            text = unchanged(model, lambda load=load, model=model, weights=weights: load(model, weights))
            assert all(part in text for part in parts)


@pytest.mark.parametrize("head", MAP_HEADS)
def test_segmenters_for_another_number_of_classes(head):
    ours, theirs = tiny_segmenter(head, seed=2), tiny_segmenter(head, seed=1, num_classes=5)
    assert "5 classes, the segmenter for 3" in unchanged(ours, lambda: load_dense(ours, theirs.state_dict()))
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    report = load_start(ours, theirs.state_dict())
    assert all("classifier" in key for key in report.new)
    assert len(report.new) == (4 if head == "upernet" else 2)
    for key, value in ours.state_dict().items():
        assert torch.equal(value, before[key] if key in report.new else theirs.state_dict()[key])


def test_an_auxiliary_head_is_left_unused_or_missed():
    theirs = tiny_segmenter("upernet", seed=1)
    without = tiny_segmenter("upernet", seed=2, auxiliary_weight=0.0)
    report = load_dense(without, theirs.state_dict())
    assert set(report.unused) == {key for key in theirs.state_dict() if key.startswith("auxiliary_head.")}
    assert torch.equal(without.map_head.fuse[0].weight, theirs.map_head.fuse[0].weight)
    text = unchanged(theirs, lambda: load_dense(theirs, without.state_dict()))
    assert "auxiliary_head.conv.0.weight" in text


def test_a_classifier_starts_a_segmenter():
    classifier = create_model("casvit_xs", num_classes=7, **TINY)
    ours = tiny_segmenter("semantic_fpn", seed=2)
    assert "no detector or segmenter" in unchanged(ours, lambda: load_dense(ours, classifier.state_dict()))
    report = load_start(ours, classifier.state_dict())
    assert torch.equal(ours.backbone.stem.conv1.weight, classifier.stem.conv1.weight)
    assert {"map_head.classifier.conv.weight", "backbone.norms.0.weight"} <= set(report.new)


def test_weights_of_another_rule():
    ours = tiny_detector("mask_rcnn", seed=2)
    for rule in ("mmdet", "torchvision"):
        other = tiny_detector("mask_rcnn", seed=1, head_rule=rule)
        assert weights_rule(other.state_dict()) == rule
        text = unchanged(ours, lambda other=other: load_dense(ours, other.state_dict()))
        assert f"head_rule={rule!r}" in text
        assert "head_rule='ours'" in text
    theirs = mmdet_state(tiny_detector("mask_rcnn", head_rule="mmdet"), backbone_name=their_name)
    assert weights_rule(theirs) == "mmdet"
    assert "head_rule='mmdet'" in unchanged(ours, lambda: load_start(ours, theirs))
    assert weights_rule(ours.backbone.state_dict()) is None


def test_weights_of_another_head():
    for head, other in (("mask_rcnn", "retinanet"), ("faster_rcnn", "mask_rcnn"), ("cascade_mask_rcnn", "mask_rcnn")):
        ours, state = tiny_detector(head), tiny_detector(other).state_dict()
        text = unchanged(ours, lambda ours=ours, state=state: load_dense(ours, state))
        assert f"head={head}" in text
        assert f"use head={other}" in text


@pytest.mark.parametrize("head", ALL_HEADS)
def test_weights_for_another_number_of_classes(head):
    ours, theirs = tiny_detector(head, seed=2), tiny_detector(head, seed=1, num_classes=5)
    text = unchanged(ours, lambda: load_dense(ours, theirs.state_dict()))
    assert "5 classes, the detector for 2" in text
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    report = load_start(ours, theirs.state_dict())
    assert report.new
    for key, value in ours.state_dict().items():
        wanted = before[key] if key in report.new else theirs.state_dict()[key]
        assert torch.equal(value, wanted)
    kept = [key for key in report.new if theirs.state_dict()[key].shape == before[key].shape]
    assert kept == []


def test_a_new_head_on_request():
    ours, theirs = tiny_detector("mask_rcnn", seed=2), tiny_detector("mask_rcnn", seed=1)
    before = ours.stages[0].box.classes.weight.clone()
    report = load_dense(ours, theirs.state_dict(), new_head=True)
    assert torch.equal(ours.stages[0].box.classes.weight, before)
    assert torch.equal(ours.rpn.head.cls_logits.weight, theirs.rpn.head.cls_logits.weight)
    assert "stages.0.box.classes.weight" in report.new
    assert set(report.new) | set(report.loaded) == set(ours.state_dict())


def test_a_backbone_starts_a_training_and_is_no_detector():
    classifier = create_model("casvit_xs", num_classes=7, **TINY)
    ours = tiny_detector("mask_rcnn", seed=2)
    text = unchanged(ours, lambda: load_dense(ours, classifier.state_dict()))
    assert "holds no detector" in text
    report = load_start(ours, classifier.state_dict())
    assert torch.equal(ours.backbone.stem.conv1.weight, classifier.stem.conv1.weight)
    assert "backbone.stem.conv1.weight" in report.loaded
    assert {"neck.fpn.inner_blocks.0.0.weight", "backbone.norms.0.weight"} <= set(report.new)
    assert "backbone.head.weight" in report.unused


def test_the_released_classifier_starts_the_windowed_detector():
    options = STVIT_R["backbone_options"]
    classifier = create_model(STVIT_R["backbone"], num_classes=7, **options).state_dict()
    windowed = STVIT_R | {"backbone_options": {**options, **RELEASED_WINDOWS}}
    ours = tiny_detector("mask_rcnn", **windowed)
    report = load_start(ours, classifier)
    key = "levels.2.blocks.1.layers.0.ls1.gamma"  # of generation, which keeps its layer scale
    assert torch.equal(ours.backbone.state_dict()[key], classifier[key])
    assert f"backbone.{key}" in report.loaded


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda state: state.pop("stages.0.box.boxes.bias"), "stages.0.box.boxes.bias"),
        (lambda state: state.update({"rpn.more": torch.zeros(1)}), "rpn.more"),
        (lambda state: state.update({"neck.fpn.inner_blocks.1.0.bias": torch.zeros(3)}), "\\(3,\\) instead of"),
        (lambda state: state.pop("backbone.stem.conv1.weight"), "stem.conv1.weight"),
    ],
)
def test_a_state_dict_that_does_not_fit_changes_nothing(change, match):
    ours, state = tiny_detector("mask_rcnn", seed=2), dict(tiny_detector("mask_rcnn", seed=1).state_dict())
    change(state)
    text = unchanged(ours, lambda: load_dense(ours, state))
    with pytest.raises(AssertionError, match=match):
        raise AssertionError(text)


def test_class_names_of_files():
    assert class_names({"meta": {"CLASSES": ("a", "b")}}) == ("a", "b")
    assert class_names({"meta": {"CLASSES": "cell"}}) == ("cell",)
    assert class_names({"meta": {"dataset_meta": {"classes": ["a"]}}}) == ("a",)
    for content in ({}, {"meta": None}, {"meta": {}}, {"meta": {"CLASSES": [1, 2]}}, {"meta": {"CLASSES": ()}}):
        assert class_names(content) is None


class Event:
    """An object of a library."""


def test_a_file_with_objects_says_what_to_do(tmp_path):
    ours = tiny_detector("mask_rcnn", head_rule="mmdet")
    path = mmdet_file(tmp_path / "theirs.pth", ours, hook=Event())
    text = unchanged(ours, lambda: load_dense(ours, path))
    assert "'state_dict'" in text
    assert "trust" in text
    missing = unchanged(ours, lambda: load_dense(ours, tmp_path / "none.pth"))
    assert "none.pth" in missing
    assert "trust" not in missing


def test_a_segmenter_is_no_start_of_a_classifier():
    classifier = create_model("casvit_xs", num_classes=2, **TINY)
    for model in (tiny_segmenter("semantic_fpn"), tiny_segmenter("upernet")):
        for state in (model.state_dict(), mmseg_state(model)):
            text = unchanged(classifier, lambda state=state: load_checkpoint(classifier, state, new_head=True))
            assert "weights of a segmenter" in text
            assert "task=semantic init_from=" in text


def test_a_detector_is_no_start_of_a_classifier():
    classifier = create_model("casvit_xs", num_classes=2, **TINY)
    theirs = mmdet_state(tiny_detector("faster_rcnn", head_rule="mmdet"), backbone_name=their_name)
    for state in (tiny_detector("faster_rcnn").state_dict(), theirs):
        text = unchanged(classifier, lambda state=state: load_checkpoint(classifier, state, new_head=True))
        assert "weights of a detector" in text
        assert "task=detection init_from=" in text
        assert "keys" not in text
