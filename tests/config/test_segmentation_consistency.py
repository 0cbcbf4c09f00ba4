"""Settings of a segmenter's training that can't go together, each one sentence before anything is read."""

import re

import pytest
from segmenter_run import segmenter_settings
from settings_checker import all_changed, faults_of


@pytest.fixture(scope="module")
def defaults():
    return segmenter_settings("/x")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optim.ema_decay": 0.99, "optim.backbone_lr_factor": 0.1},
        {"optim.schedule": "poly", "optim.poly_power": 1.0, "optim.min_lr": 0.0},
        {"augment.flip_probability": 0.0, "augment.photometric_probability": 0.5, "head.window": 64},
        {"data.batch_size": 1},
        {"head.head_rule": "mmseg"},
    ],
)
def test_settings_that_go_together(defaults, changes):
    assert faults_of(all_changed(defaults, changes)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"head": {"name": "mask_rcnn", "head_rule": "ours"}},
            "head=mask_rcnn finds boxes of objects, and task=semantic needs a label for each pixel; use "
            "head=semantic_fpn, head=upernet, or task=detection$",
        ),
        ({"head.detections": 3}, "head.detections is not for head=semantic_fpn, which takes .*head.window_stride$"),
        ({"head.name": "unet"}, "head=unet, model=casvit_xs: head='unet' .*semantic_fpn, upernet"),
        ({"head.head_rule": "mmdet"}, "head=semantic_fpn, model=casvit_xs: head_rule='mmdet' .*ours, mmseg"),
        ({"head.window": 8}, "head=semantic_fpn, model=casvit_xs: window=8 .*32"),
        ({"head.window_stride": 8}, "window_stride=8 needs a window: "),
        ({"model": {"name": "deit_tiny"}}, "model=deit_tiny: deit_tiny has no maps .*swin_.*stvit_r_casvit_"),
        ({"model": {"name": "stvit_casvit_xs"}}, "stvit_casvit_xs does not bring .*stvit_r_casvit_xs"),
        ({"model": {"name": "video_swin_tiny"}}, "video_swin_tiny takes clips, .*swin_"),
        (
            {"data.source": "coco"},
            "data.source=coco has boxes and no label maps, which task=semantic needs; use data=ade, .*, or "
            "task=detection$",
        ),
        ({"data.source": "csv"}, "data.source=csv has labels and no label maps, .*task=semantic .*data=ade, "),
        ({"optim.label_smoothing": 0.2}, "optim.label_smoothing=0.2 is for task=classification; leave"),
        ({"optim.class_weights": "balanced"}, "optim.class_weights=balanced .*task=classification"),
        ({"trainer.compile": True}, "trainer.compile=True .*task=classification.*trainer.compile=false"),
        ({"augment.cutmix_alpha": 1.0}, "augment.cutmix_alpha=1.0 .*task=classification; leave"),
        (
            {"augment.crop_probability": 0.5, "augment.short_sides": [32]},
            r"augment.short_sides=\[32\], augment.crop_probability=0.5 are for task=detection and task=instance; leave",
        ),
        ({"data.multi_scale": [32, 64]}, r"data.multi_scale=\[32,64\] .*task=classification; leave"),
        ({"data.num_frames": 8}, "data.num_frames=8 .*task=classification.*leave"),
        ({"init_head": "keep"}, "init_head=keep .*init_from"),
        ({"optim.schedule": "step"}, "optim.schedule=step needs optim.milestones"),
    ],
)
def test_each_contradiction_is_one_sentence(defaults, changes, message):
    (fault,) = faults_of(all_changed(defaults, changes))
    assert re.search(message, fault), fault


def test_upernet_needs_two_pictures_of_a_step():
    one = segmenter_settings("/x", "data.batch_size=1", head="upernet")
    (fault,) = faults_of(one)
    assert fault.startswith("data.batch_size=1 gives a batch norm of head=upernet one value")
    assert "data.batch_size=2 or more" in fault
    assert faults_of(all_changed(one, {"head.pool_cells": [2, 3]})) == []
    assert faults_of(all_changed(one, {"data.batch_size": 2})) == []
    assert faults_of(all_changed(one, {"trainer.sync_batchnorm": True})) == []  # where no GPU is, another check tells


def test_the_reverse_for_the_other_tasks(defaults):
    faults = faults_of(all_changed(defaults, {"task": "detection", "augment.max_class_share": 0.5}))
    names = ["head=semantic_fpn", "data.source=drawn_maps", "augment.scale_range=[0.5,2.0],"]
    assert [fault.partition(" ")[0] for fault in faults] == names
    assert re.search(
        "finds a label for each pixel, and task=detection needs boxes of objects; .*head=faster_", faults[0]
    )
    assert re.search("has label maps and no boxes, .*use data=coco, .*, or task=semantic$", faults[1])
    assert faults[2].endswith("augment.max_class_share=0.5 are for task=semantic; leave them out")
