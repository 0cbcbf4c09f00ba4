"""The recipes of segmenters: their values, their costs, and that they could start."""

import re
from pathlib import Path

import pytest
from dense_recipes import NUM_GPUS, head_of, read, values_of, variants

from stvit_video.dense.create_dense import head_options
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.factories.network import given_options
from stvit_video.models import create_model
from stvit_video.settings.paths import CONF_DIR

NUM_PICTURES = 20_210  # of ADE20K's training part
# DENSE.md, section 1, and Swin's UPerNet in mmsegmentation: head, learning rate, pictures a step, steps, power, decay
PUBLISHED = {
    "ade_semantic_fpn_casvit": ("semantic_fpn", 2e-4, 32, 40_000, 0.9, 1e-4),
    "ade_upernet_stvit_r_swin": ("upernet", 6e-5, 16, 160_000, 1.0, 0.01),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_could_start_with_the_published_values(name):
    settings, faults = read(values_of(name, "init_from=/w"))
    assert faults == []
    optim, trainer, data, augment = settings.optim, settings.trainer, settings.data, settings.augment
    batch = data.batch_size * NUM_GPUS * trainer.accumulate_grad_batches
    steps = trainer.max_epochs * (NUM_PICTURES // batch)
    found = (settings.head.name, optim.lr, batch, pytest.approx(steps, rel=0.01), optim.poly_power, optim.weight_decay)
    assert found == PUBLISHED[name]
    assert optim.expected_batch == batch
    assert (optim.schedule, optim.min_lr, trainer.gradient_clip_val) == ("poly", 0, None)
    assert (settings.head.head_rule, settings.report_checkpoint) == ("mmseg", "last")
    assert (data.source, data.short_side, data.options["long_side"], data.crop_size) == ("ade", 512, 2048, 512)
    assert (augment.scale_range, augment.max_class_share) == ((0.5, 2.0), 0.75)
    assert (augment.flip_probability, augment.photometric_probability) == (0.5, 0.5)
    assert data.options["antialias"] is False


def test_what_casvit_does_and_swin_does_not():
    settings, _ = read(values_of("ade_semantic_fpn_casvit"))
    assert settings.optim.decay_all
    assert settings.optim.warmup_epochs == 0
    assert settings.head.options["norm_eval"] is True
    assert settings.data.options["size_divisor"] == 32
    assert settings.model.options["drop_path_rate"] == 0.1
    head = {**head_options("semantic_fpn", head_rule="mmseg"), **settings.head.options}
    assert (head["neck_channels"], head["head_channels"], head["dropout"], head["window"]) == (256, 128, 0.1, None)


def test_what_swins_upernet_does():
    settings, _ = read(values_of("ade_upernet_stvit_r_swin"))
    optim, options = settings.optim, settings.model.options
    assert not optim.decay_all
    assert optim.warmup_epochs * (NUM_PICTURES // 16) == pytest.approx(1500, rel=0.01)
    assert optim.warmup_lr == pytest.approx(optim.lr / 1e6)
    assert settings.data.options["size_divisor"] == 1
    windows = [tuple(options[name]) for name in ("key_window", "center_window", "recover_window")]
    assert windows == [(14, 14), (21, 21), (27, 27)]
    assert options["drop_path_rate"] == 0.3
    head = {**head_options("upernet", head_rule="mmseg"), **settings.head.options}
    assert (head["head_channels"], list(head["pool_cells"])) == (512, [1, 2, 3, 6])
    assert (head["auxiliary_weight"], head["auxiliary_channels"]) == (0.4, 256)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_that_goes_on_from_weights_does_not_start_without(name):
    _, faults = read(values_of(name))
    assert faults == ["init_from is missing; give it, for example init_from=/path"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_head_of_a_recipe_says_what_it_takes_and_aims_at(name):
    head, data = head_of(name), "data.root=/data/ADEChallengeData2016"
    assert f"torchrun --nproc_per_node {NUM_GPUS} -m stvit_video.train +experiment={name} {data} init_from=" in head
    assert re.search(r"^# hardware: \d GPUs of \d+ GB", head, re.MULTILINE)
    assert re.search(r"^# GMACs a view: [\d.]+, of the backbone at 512x512", head, re.MULTILINE)
    assert re.search(r"^# not yet run by us\. ", head, re.MULTILINE)
    assert ("below" in head) == ("stvit" in name)  # the published loss of accuracy


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_other_sizes_that_a_recipe_tells_could_start(name):
    told = variants(name)
    assert len(told) >= 1 + 3 * ("casvit" in name)
    for settings, _ in told:
        _, faults = read(values_of(name, "init_from=/w", *settings))
        assert faults == [], settings


def test_the_costs_of_casvit_are_as_stated():
    """At a quarter of both sides: the cost of CAS-ViT without semantic tokens grows with the pixels."""
    name = "ade_semantic_fpn_casvit"
    first = re.search(r"^# GMACs a view: ([\d.]+)", head_of(name), re.MULTILINE)
    told = [*variants(name), (["model=casvit_m"], float(first[1]))]
    dense = [(settings[0].partition("=")[2], gmacs) for settings, gmacs in told if "stvit" not in settings[0]]
    assert [model for model, _ in dense] == ["casvit_xs", "casvit_s", "casvit_t", "casvit_m"]
    for model, gmacs in dense:
        assert 16 * count_gmacs(create_model(model, features_only=True), (3, 128, 128)) == pytest.approx(
            gmacs, rel=0.01
        )


def test_our_own_recipe_starts_and_costs_what_it_says():
    settings, faults = read(values_of("ccp"))
    assert faults == []
    assert settings.report_checkpoint == "last"
    assert len(settings.data.options["keep_classes"]) == 11
    told = re.search(r"^# GMACs a view: ([\d.]+), of the backbone at (\d+)x(\d+)$", head_of("ccp"), re.MULTILINE)
    assert (int(told[2]), int(told[3])) == (settings.data.crop_size,) * 2
    backbone = create_model(settings.model.name, **given_options(settings.model) | {"features_only": True})
    assert count_gmacs(backbone, (3, int(told[2]), int(told[3]))) == pytest.approx(float(told[1]), rel=0.01)


def test_all_recipes_of_segmenters_are_tried_here():
    files = {path.stem: path.read_text(encoding="utf-8") for path in Path(CONF_DIR, "experiment").glob("*.yaml")}
    assert {name for name, text in files.items() if "override /task: semantic" in text} == {*PUBLISHED, "ccp"}
