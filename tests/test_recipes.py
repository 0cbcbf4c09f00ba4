"""The recipes for published data sets: their values, their costs, and that they could start."""

import re
from functools import cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import check_settings, faults_of, typed

from stvit_video.config.consistency import chosen_protocol
from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.models import create_model
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import main as _main  # noqa: F401 - the resolvers of the recipes
from stvit_video.training.batch_size import BatchSize, learning_rate_scale

NUM_CLASSES = {"kinetics": 400, "something_something_v2": 174, "ucf101": 101, "hmdb51": 51, "image_folder": 1000}
NUM_GPUS = {"ucf101": 4, "hmdb51": 4}  # 8 for the others
SCRATCH = ("imagenet_deit", "imagenet_swin", "imagenet_r_swin", "imagenet_casvit")
SMALL_DATA = ("cifar10", "cifar10_swin", "cifar10_casvit")
OUR_CLIPS = {  # classes
    "photo_motion": 12,
    "photo_motion_deep": 12,
    "quickstart": 12,
    "surveillance_fight": 2,
    "ego_gestures": 11,
    "ut_interaction": 6,
    "overhead_streams": 9,
}
# see test_detection_recipes.py and test_segmentation_recipes.py
OF_DETECTORS = ("bccd", "nuclei", "coco_cascade_stvit_r_swin", "coco_mask_rcnn_casvit", "coco_retinanet_casvit")
OF_SEGMENTERS = ("ccp", "ade_semantic_fpn_casvit", "ade_upernet_stvit_r_swin")
SMALL = ("imagenet_deit", "imagenet_swin", "imagenet_casvit", "imagenet_casvit_384")
# ANCHORS.md, section 3, and the issue: peak learning rate as used, videos a step, epochs, epochs of warm-up, protocol
PUBLISHED = {
    "k400_videomae": (7.5e-4, 384, 75, 5.0, "videomae"),
    "k400_swin": (1e-3, 64, 30, 2.5, "videoswin"),
    "k400": (2e-4, 64, 110, 10.0, "uniformer"),
    "k400_casvit": (2e-4, 64, 110, 10.0, "uniformer"),
    "ssv2": (7.5e-4, 384, 30, 5.0, "videomae_ssv2"),
    "ssv2_swin": (3e-4, 64, 60, 2.5, "videomae_ssv2"),
    "ucf101": (2e-4, 64, 50, 5.0, "uniformer"),
    "hmdb51": (2e-4, 64, 50, 5.0, "uniformer"),
    "imagenet_deit": (1e-3, 1024, 300, 5.0, "single"),
    "imagenet_swin": (1e-3, 1024, 300, 20.0, "single"),
    "imagenet_r_swin": (1e-3, 1024, 300, 20.0, "single"),
    "imagenet_casvit": (6e-3, 2048, 300, 20.0, "single"),
    "imagenet_casvit_384": (1e-5, 64, 30, 0.0, "single"),
}
MORE = {
    "k400_videomae": {
        "optim.layer_decay": 0.75,
        "data.num_repeats": 2,
        "data.frame_stride": 4,
        "optim.warmup_lr": 1e-6,
    },
    "k400_swin": {"optim.backbone_lr_factor": 0.1, "model.drop_rate": 0.5, "data.num_frames": 32, "optim.min_lr": 0.0},
    "ssv2_swin": {"model.window_size": [16, 7, 7], "model.drop_path_rate": 0.4, "augment.flip_probability": 0.0},
    "imagenet_casvit": {
        "optim.ema_decay": 0.9995,
        "optim.label_smoothing": 0.1,
        "trainer.sync_batchnorm": True,
        "data.multi_scale": [160, 192, 224, 256, 288, 320],
        "data.multi_scale_batch": "at_least",
    },
    "imagenet_casvit_384": {
        "data.multi_scale": None,
        "data.crop_size": 384,
        "init_head": "keep",
        "optim.ema_decay": 0.9995,
    },
}


@cache
def settings_of(name: str) -> dict:
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        chosen = compose("train", overrides=[f"+experiment={name}", "data.root=/x", "init_from=/w", "trainer=cpu"])
    return OmegaConf.to_container(chosen, resolve=True)


def model_of(settings: dict) -> torch.nn.Module:
    options = {key: value for key, value in settings["model"].items() if key != "name" and value is not None}
    return create_model(settings["model"]["name"], num_classes=NUM_CLASSES[settings["data"]["source"]], **options)


def head_of(name: str) -> str:
    lines = Path(CONF_DIR, "experiment", f"{name}.yaml").read_text().splitlines()
    return "\n".join(line for line in lines if line.startswith("#"))


def test_all_recipes_are_listed_here():
    others = {
        *OUR_CLIPS,
        "accelerate",
        "small_data",
        "_cifar10",
        "_twelve_blocks",
        *SMALL_DATA,
        *OF_DETECTORS,
        *OF_SEGMENTERS,
    }
    assert {path.stem for path in Path(CONF_DIR, "experiment").glob("*.yaml")} == set(PUBLISHED) | others


@pytest.mark.parametrize("name", SMALL_DATA)
def test_pictures_of_cifar_cost_what_their_recipes_say(name):
    lines = Path(CONF_DIR, "experiment", f"{name}.yaml").read_text().splitlines()
    told = re.search(r"^# GMACs a view: ([\d.]+), of the dense model ([\d.]+)$", "\n".join(lines), re.MULTILINE)
    dense = re.search(r'sweep.also="(.*)"$', lines[1]).group(1).split()
    for cost, overrides in zip(told.groups(), ([], dense), strict=True):
        with initialize_config_dir(CONF_DIR, version_base="1.3"):
            chosen = compose("train", overrides=[f"+experiment={name}", "data.root=/x", *overrides])
        settings = OmegaConf.to_container(chosen, resolve=True)
        check_settings(settings)
        options = {key: value for key, value in settings["model"].items() if key != "name" and value is not None}
        model = create_model(settings["model"]["name"], num_classes=10, **options)
        gmacs = count_gmacs(model, (3, options["image_size"], options["image_size"]))
        assert gmacs == pytest.approx(float(cost), rel=0.02)


@pytest.mark.parametrize(("name", "num_classes"), OUR_CLIPS.items())
def test_clips_of_our_own_recipes_cost_what_they_say(name, num_classes):
    stated = float(re.search(r"^# GMACs a view: ([\d.]+)$", head_of(name), re.MULTILINE)[1])
    settings = settings_of(name)
    data, options = settings["data"], {key: value for key, value in settings["model"].items() if value is not None}
    model = create_model(options.pop("name"), num_classes=num_classes, **options)
    size = (3, data["num_frames"], data["crop_size"], data["crop_size"])
    assert count_gmacs(model, size) == pytest.approx(stated, rel=0.005)


def test_the_recipes_of_twelve_blocks_cost_a_tenth_of_the_dense_model_at_the_earliest_place():
    alike = ("embed_dim", "depth", "patch_size", "num_heads", "image_size", "num_frames")
    models = [settings_of(name)["model"] for name in ("photo_motion_deep", "ego_gestures", "ut_interaction")]
    assert models[0] == models[1] == models[2]  # so that each starts from the weights of the first
    options = {key: models[0][key] for key in alike}
    dense = create_model("video_deit_tiny", base_attention="joint", pool="mean", **options)
    early = create_model("stvit_video_deit_tiny", generate_at=1, num_tokens=models[0]["num_tokens"], **options)
    assert count_gmacs(early, (3, 12, 64, 64)) / count_gmacs(dense, (3, 12, 64, 64)) == pytest.approx(0.11, abs=0.01)


def test_a_recipe_whose_classes_change_with_a_flip_does_not_flip():
    for name in ("photo_motion", "photo_motion_deep", "ego_gestures"):
        assert settings_of(name)["augment"]["flip_probability"] == 0


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - set(SCRATCH)))
def test_a_recipe_that_goes_on_from_weights_does_not_start_without(name):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        chosen = compose("train", overrides=[f"+experiment={name}", "data.root=/x", "trainer=cpu"])
    settings = OmegaConf.to_container(chosen, resolve=True)
    assert faults_of(settings) == ["init_from is missing; give it, for example init_from=/path"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_could_start_with_the_published_values(name):
    settings = settings_of(name)
    assert check_settings(settings) is None
    data, optim, trainer = settings["data"], settings["optim"], settings["trainer"]
    batch = BatchSize(
        per_process=data["batch_size"] // data["num_repeats"],
        num_processes=NUM_GPUS.get(name, 8),
        num_accumulated=trainer["accumulate_grad_batches"],
        num_repeats=data["num_repeats"],
    )
    peak = optim["lr"] * learning_rate_scale(batch, reference_batch=optim["lr_reference_batch"])
    lr, videos, epochs, warmup, protocol = PUBLISHED[name]
    assert (peak, batch.videos) == (pytest.approx(lr), videos)
    assert optim["expected_batch"] == videos
    assert (trainer["max_epochs"], optim["warmup_epochs"]) == (epochs, warmup)
    assert chosen_protocol(typed(settings))["name"] == protocol
    assert settings["report_checkpoint"] == "last"  # the list that would choose the best is the one of the test
    for key, value in MORE.get(name, {}).items():
        group, _, option = key.rpartition(".")
        found = settings[group][option] if group else settings[option]
        assert found == value, key


def test_the_repeated_pictures_of_deit_as_its_recipe_tells_them():
    """As many clips a step and steps in all as 300 epochs of 1,281,167 pictures in batches of 1024, to 2 %."""
    variant = re.findall(r"\w+\.\w+=[\d.]*\d", head_of("imagenet_deit").partition("an epoch:")[2])[:6]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        chosen = compose("train", overrides=["+experiment=imagenet_deit", "data.root=/x", "trainer=cpu", *variant])
    settings = OmegaConf.to_container(chosen, resolve=True)
    assert check_settings(settings) is None
    optim, repeats, pictures = settings["optim"], settings["data"]["num_repeats"], 1_281_167
    batch = BatchSize(per_process=settings["data"]["batch_size"] // repeats, num_processes=8, num_repeats=repeats)
    assert (repeats, batch.videos, optim["expected_batch"]) == (3, 336, 336)
    assert settings["trainer"]["max_epochs"] * (pictures // 336) == pytest.approx(300 * (pictures // 1024), rel=0.02)
    assert optim["warmup_epochs"] * (pictures // 336) == pytest.approx(5 * (pictures // 1024), rel=0.05)
    scale = learning_rate_scale(batch, reference_batch=optim["lr_reference_batch"])
    assert optim["lr"] * scale == pytest.approx(1e-3 * 1008 / 1024, rel=0.01)


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_head_of_a_recipe_says_what_it_takes_and_aims_at(name):
    head = head_of(name)
    assert (
        f"torchrun --nproc_per_node {NUM_GPUS.get(name, 8)} -m stvit_video.train +experiment={name} data.root=" in head
    )
    assert re.search(r"^# hardware: \d GPUs of \d+ GB", head, re.MULTILINE)
    assert re.search(r"^# GMACs a view: [\d.]+$", head, re.MULTILINE)
    assert re.search(r"^# not yet run by us\. ", head, re.MULTILINE)
    assert ("init_from=" in head.splitlines()[1]) == (
        settings_of(name)["init_from"] is not None and name not in SCRATCH
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_models_of_recipes_can_be_built(name):
    with torch.device("meta"):
        model = model_of(settings_of(name))
    assert model.head.out_features == NUM_CLASSES[settings_of(name)["data"]["source"]]


@pytest.mark.parametrize("name", SMALL)
def test_costs_of_the_small_ones_are_as_stated(name):
    stated = float(re.search(r"^# GMACs a view: ([\d.]+)$", head_of(name), re.MULTILINE)[1])
    settings = settings_of(name)
    crop = settings["data"]["crop_size"]
    assert count_gmacs(model_of(settings), (3, crop, crop)) == pytest.approx(stated, rel=0.01)
