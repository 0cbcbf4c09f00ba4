"""The recipes of detectors: their values, their costs, and that they could start."""

import re

import pytest
from dense_recipes import NUM_GPUS, head_of, read, values_of, variants

from stvit_video.dense.create_dense import head_options
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.factories.network import given_options
from stvit_video.models import create_model

NUM_PICTURES = 117_266  # of COCO's training part, those with objects
# DENSE.md, section 1: head, learning rate, pictures a step, epochs, milestones, weight decay
PUBLISHED = {
    "coco_cascade_stvit_r_swin": ("cascade_mask_rcnn", 1e-4, 16, 36, (27, 33), 0.05),
    "coco_mask_rcnn_casvit": ("mask_rcnn", 2e-4, 32, 12, (8, 11), 1e-4),
    "coco_retinanet_casvit": ("retinanet", 2e-4, 32, 12, (8, 11), 1e-4),
}
OURS = {"bccd": (240, 320), "nuclei": (192, 192)}  # pictures whose cost the recipe says
SHORT_SIDES = tuple(range(480, 801, 32))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_could_start_with_the_published_values(name):
    settings, faults = read(values_of(name, "init_from=/w"))
    assert faults == []
    optim, trainer, data = settings.optim, settings.trainer, settings.data
    batch = data.batch_size * NUM_GPUS * trainer.accumulate_grad_batches
    found = (settings.head.name, optim.lr, batch, trainer.max_epochs, optim.milestones, optim.weight_decay)
    assert found == PUBLISHED[name]
    assert optim.expected_batch == batch
    assert (optim.schedule, optim.milestone_factor, trainer.gradient_clip_val) == ("step", 0.1, None)
    assert optim.warmup_epochs * NUM_PICTURES / batch == pytest.approx(500, rel=0.01)
    assert optim.warmup_lr == pytest.approx(optim.lr / 1000)
    assert (settings.head.head_rule, settings.report_checkpoint) == ("mmdet", "last")
    assert (data.short_side, data.options["long_side"], settings.augment.flip_probability) == (800, 1333, 0.5)
    assert (data.options["antialias"], data.options["drop_empty"]) == (False, True)


def test_what_casvit_does_and_others_do_not():
    for name in ("coco_mask_rcnn_casvit", "coco_retinanet_casvit"):
        settings, _ = read(values_of(name))
        assert settings.optim.decay_all
        assert settings.head.options["norm_eval"] is True
        assert (settings.augment.short_sides, settings.augment.crop_probability) == (None, 0)
        assert settings.model.options["drop_path_rate"] == 0.1


def test_what_the_released_detector_of_stvit_r_does():
    settings, _ = read(values_of("coco_cascade_stvit_r_swin"))
    augment, options = settings.augment, settings.model.options
    assert not settings.optim.decay_all
    assert settings.trainer.sync_batchnorm
    assert (augment.short_sides, augment.crop_probability) == (SHORT_SIDES, 0.5)
    assert (augment.crop_short_sides, augment.crop_sides) == ((400, 500, 600), (384, 600))
    windows = [tuple(options[name]) for name in ("key_window", "center_window", "recover_window")]
    assert windows == [(14, 14), (21, 21), (27, 27)]
    assert (options["generate_shortcut"], options["block_layer_scale"]) == (True, None)
    assert options["drop_path_rate"] == 0.2
    head = {**head_options("cascade_mask_rcnn", head_rule="mmdet"), **settings.head.options}
    assert (list(head["stage_ious"]), list(head["stage_weights"])) == ([0.5, 0.6, 0.7], [1, 0.5, 0.25])
    assert (head["region_box_loss"], head["region_box_weight"], head["conv_heads"]) == ("giou", 10, True)
    assert (head["train_candidates"], head["train_proposals"], head["region_samples"]) == (2000, 2000, 512)
    assert (head["score_threshold"], head["nms_threshold"], head["detections"]) == (0.05, 0.5, 100)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_that_goes_on_from_weights_does_not_start_without(name):
    _, faults = read(values_of(name))
    assert faults == ["init_from is missing; give it, for example init_from=/path"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_head_of_a_recipe_says_what_it_takes_and_aims_at(name):
    head = head_of(name)
    command = f"torchrun --nproc_per_node {NUM_GPUS} -m stvit_video.train +experiment={name} data.root=/data/coco init_"
    assert command in head
    assert re.search(r"^# hardware: \d GPUs of \d+ GB", head, re.MULTILINE)
    assert re.search(r"^# GMACs a view: [\d.]+, of the backbone at 800x1280", head, re.MULTILINE)
    assert re.search(r"^# not yet run by us\. ", head, re.MULTILINE)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_other_sizes_that_a_recipe_tells_could_start(name):
    told = variants(name)
    assert len(told) >= 1 + 2 * ("casvit" in name)
    for settings, _ in told:
        _, faults = read(values_of(name, "init_from=/w", *settings))
        assert faults == [], settings


def test_the_costs_of_casvit_are_as_stated():
    """At a fifth of both sides: the cost of CAS-ViT without semantic tokens grows with the pixels."""
    name = "coco_mask_rcnn_casvit"
    first = re.search(r"^# GMACs a view: ([\d.]+)", head_of(name), re.MULTILINE)
    told = [*variants(name), (["model=casvit_m"], float(first[1]))]
    dense = [(settings[0].partition("=")[2], gmacs) for settings, gmacs in told if "stvit" not in settings[0]]
    assert [model for model, _ in dense] == ["casvit_xs", "casvit_s", "casvit_t", "casvit_m"]
    for model, gmacs in dense:
        gmacs_of_part = count_gmacs(create_model(model, features_only=True), (3, 160, 256))
        assert 25 * gmacs_of_part == pytest.approx(gmacs, rel=0.01)
    again = [found for found in variants("coco_retinanet_casvit") if "stvit" not in found[0][0]]
    assert again == [found for found in told[:-1] if "stvit" not in found[0][0]]


@pytest.mark.parametrize("name", OURS)
def test_our_own_recipes_start_and_cost_what_they_say(name):
    settings, faults = read(values_of(name))
    assert faults == []
    assert settings.report_checkpoint == "last"
    told = re.search(r"^# GMACs a view: ([\d.]+), of the backbone at (\d+)x(\d+)$", head_of(name), re.MULTILINE)
    assert (int(told[2]), int(told[3])) == OURS[name]
    backbone = create_model(settings.model.name, **given_options(settings.model) | {"features_only": True})
    assert count_gmacs(backbone, (3, *OURS[name])) == pytest.approx(float(told[1]), rel=0.01)
