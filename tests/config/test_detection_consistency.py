"""Settings of a detector's training that can't go together, each one sentence before anything is read."""

import re

import pytest
from detector_run import detector_settings
from settings_checker import all_changed

from stvit_video.config.detection_consistency import detection_faults
from stvit_video.config.layout_options import read_with_layout
from stvit_video.settings.detection_settings import DetectionSettings


def faults_of(values):
    read = read_with_layout(DetectionSettings, values)
    assert (dict(read.wrong), read.unknown) == ({}, ())
    return detection_faults(read.settings, ())


@pytest.fixture(scope="module")
def defaults():
    return detector_settings("/x")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optim.ema_decay": 0.99, "optim.backbone_lr_factor": 0.1},
        {"optim.schedule": "step", "optim.milestones": [1], "trainer.max_epochs": 3},
        {"augment.flip_probability": 0.0, "augment.short_sides": [32, 48], "augment.scale_jitter": [0.5, 1.0]},
    ],
)
def test_settings_that_go_together(defaults, changes):
    assert faults_of(all_changed(defaults, changes)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"task": "instance"},
            "task=instance .*head=faster_rcnn .*head=mask_rcnn or head=cascade_mask_rcnn, or task=detection",
        ),
        (
            {"head.name": "retinanet"},
            "head.head_channels, .*head.region_samples, .* are not for head=retinanet, which takes head.anchor_ratios, "
            ".*head.focal_gamma, .*head.scales, head.score_threshold$",
        ),
        ({"head.name": "yolo"}, "head=yolo, model=casvit_xs: head='yolo' .*faster_rcnn, "),
        ({"head.rpn_box_loss": "l3"}, "head=faster_rcnn, model=casvit_xs: rpn_box_loss='l3' .*giou"),
        ({"model": {"name": "deit_tiny"}}, "model=deit_tiny: deit_tiny has no maps .*swin_.*stvit_r_casvit_"),
        ({"model": {"name": "stvit_casvit_xs"}}, "stvit_casvit_xs does not bring .*stvit_r_casvit_xs"),
        ({"model": {"name": "video_swin_tiny"}}, "video_swin_tiny takes clips, .*swin_"),
        ({"model": {"name": "resnet50"}}, "head=faster_rcnn, model=resnet50: .*resnet50"),
        (
            {"data.source": "image_folder"},
            "data.source=image_folder has labels and no boxes, .*task=detection .*data=coco, ",
        ),
        ({"optim.layer_decay": 0.5}, "optim.layer_decay=0.5 .*task=classification; leave"),
        ({"optim.train": "head", "init_from": "a.ckpt"}, "optim.train=head .*task=classification"),
        ({"optim.label_smoothing": 0.2}, "optim.label_smoothing=0.2 is for task=classification; leave"),
        ({"optim.class_weights": "balanced"}, "optim.class_weights=balanced .*task=classification"),
        ({"trainer.compile": "default"}, "trainer.compile=default .*task=classification.*trainer.compile=false"),
        ({"augment.mixup_alpha": 0.8}, "augment.mixup_alpha=0.8 .*task=classification; leave"),
        ({"augment.rand_augment": "rand-m9"}, "augment.rand_augment=rand-m9 .*task=classification; leave"),
        ({"augment.crop": "centre"}, "augment.crop=centre .*task=classification; leave"),
        ({"data.num_frames": 8}, "data.num_frames=8 .*task=classification.*leave"),
        (
            {"augment.erase_count": 2, "augment.on_device": True},
            "augment.erase_count=2, augment.on_device=true are for task=classification; leave them out$",
        ),
        ({"data.multi_scale": [32, 64]}, r"data.multi_scale=\[32,64\] .*task=classification; leave"),
        ({"data.cache": "memory"}, "data.cache=memory .*task=classification; leave"),
        ({"optim.schedule": "step"}, "optim.schedule=step needs optim.milestones"),  # as for all tasks
        ({"init_head": "keep"}, "init_head=keep .*init_from"),
    ],
)
def test_each_contradiction_is_one_sentence(defaults, changes, message):
    (fault,) = faults_of(all_changed(defaults, changes))
    assert re.match(f".*{message}", fault), fault


def test_what_depends_on_a_wrong_setting_is_not_looked_at(defaults):
    read = read_with_layout(DetectionSettings, all_changed(defaults, {"head.name": 3, "trainer.compile": True}))
    (fault,) = detection_faults(read.settings, read.wrong)
    assert fault.startswith("trainer.compile")


def test_of_a_layout_without_boxes_what_it_sets_is_not_told(defaults):
    (fault,) = faults_of(all_changed(defaults, {"data.source": "image_folder", "data.cache": "memory"}))
    assert fault.startswith("data.source=image_folder has labels and no boxes")
