"""Every configuration composes, and names only options that the code knows."""

from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from stvit_video.data.layouts.catalogue import LAYOUTS
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.factories.data import build_mixing, build_train_transform
from stvit_video.models import list_models, model_options
from stvit_video.settings.augment_settings import AugmentSettings
from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.reading import read_settings

CONF = Path(CONF_DIR)
CHOICES = {
    group: sorted(path.stem for path in (CONF / group).glob("*.yaml") if not path.stem.startswith("_"))
    for group in ("data", "experiment", "augment", "optim", "trainer")
}
CHOICES["data"] = sorted({*CHOICES["data"], *LAYOUTS})
PLACES = ["data.root=/somewhere"]
# one of the folds validates, and a sweep names it
FOLDS = {"surveillance_fight", "ego_gestures", "ut_interaction", "overhead_streams"}
MEASURED_HERE = {"photo_motion", "photo_motion_deep", "quickstart", "cifar10", "cifar10_swin", "cifar10_casvit"} | FOLDS
RECIPES = set(CHOICES["experiment"]) - MEASURED_HERE


@cache
def composed(*overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return compose("train", overrides=list(overrides))


@pytest.mark.parametrize("name", list_models())
def test_models_exist_and_take_the_options(name):
    model = OmegaConf.to_container(composed(f"model={name}").model, resolve=True)
    assert model.pop("name") == name
    assert set(model) <= set(model_options(name))


@pytest.mark.parametrize("name", CHOICES["data"])
def test_data_sources_exist(name):
    assert composed(f"data={name}").data.source in LAYOUTS


@pytest.mark.parametrize("name", CHOICES["experiment"])
def test_experiments_compose_and_open_with_their_command(name):
    fold = ["data.fold=0"] if name in FOLDS else []
    start = ["init_from=/weights.pth"] if name in RECIPES else []  # some of them need weights to start from
    settings = OmegaConf.to_container(
        composed(f"+experiment={name}", *PLACES, *fold, *start), resolve=True, throw_on_missing=True
    )
    own = "protocol" if settings["task"] == "classification" else "head"
    assert {"model", "data", "optim", "augment", "trainer", own} <= set(settings)
    first_lines = (CONF / "experiment" / f"{name}.yaml").read_text().splitlines()[:2]
    assert first_lines[0] == "# @package _global_"
    assert "-m stvit_video.train" in first_lines[1]
    assert f"+experiment={name}" in first_lines[1]


# ANCHORS.md, section 3
PLAIN = {"crop": "random_resized", "scale": [0.08, 1.0], "ratio": [0.75, 1.3333333], "flip_probability": 0.5}
OFF = {"rand_augment": None, "erase_probability": 0.0, "mixup_alpha": 0.0, "cutmix_alpha": 0.0, "colour_jitter": 0.0}
MIXED = {"mixup_alpha": 0.8, "cutmix_alpha": 1.0, "mix_probability": 1.0, "cutmix_share": 0.5}
HEAVY = PLAIN | MIXED | {"rand_augment": "rand-m7-n4-mstd0.5-inc1", "erase_probability": 0.25, "erase_count": 1}
PUBLISHED = {
    "swin": PLAIN | OFF,
    "standard": PLAIN | OFF,
    "videomae": HEAVY,
    "mvit": HEAVY,
    "st_mae": HEAVY | {"rand_augment": "rand-m7-mstd0.5-inc1"},
    "videomae_ssv2": HEAVY | {"flip_probability": 0.0},
    "mvit_ssv2": HEAVY | {"flip_probability": 0.0},
    "imagenet": HEAVY | {"rand_augment": "rand-m9-mstd0.5-inc1"},  # DeiT's and Swin's settings
    "timesformer": OFF | {"crop": "random", "short_side_jitter": [256, 320], "flip_probability": 0.5},
}


@pytest.mark.parametrize("name", CHOICES["augment"])
def test_augmentations_can_be_built_and_hold_the_published_values(name):
    augment = OmegaConf.to_container(composed(f"augment={name}").augment)
    sizes = Preprocessing(num_frames=4, frame_stride=2, short_side=256, crop_size=224)
    settings = read_settings(AugmentSettings, augment).settings
    assert settings.plain() == augment
    assert build_train_transform(settings, sizes).flip_probability == augment["flip_probability"]
    assert (build_mixing(settings) is None) == (augment["mixup_alpha"] == augment["cutmix_alpha"] == 0)
    published = PUBLISHED.get(name, {})
    assert {key: augment[key] for key in published} == published


def test_published_recipes_are_all_there():
    assert set(PUBLISHED) <= set(CHOICES["augment"])


def test_unknown_option_is_hydras_own_error():
    with pytest.raises(ConfigCompositionException, match="Could not override 'model.num_token'"):
        composed("model.num_token=3")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kinetics600", {"source": "kinetics", "expected_classes": 600, "missing": "error", "num_frames": 16}),
        ("kinetics700", {"source": "kinetics", "expected_classes": 700, "missing": "error", "num_frames": 16}),
        ("ucf101", {"split": 1, "lists": None, "videos": None, "missing": "error", "num_frames": 16}),
        ("hmdb51", {"split": 1, "lists": None, "videos": None, "missing": "error", "num_frames": 16}),
        ("something_something_v2", {"lists": None, "videos": None, "missing": "error", "num_frames": 16}),
        (
            "image_folder",
            {"num_frames": 1, "frame_stride": 1, "short_side": 256, "crop_size": 224, "interpolation": "bicubic"},
        ),
    ],
)
def test_published_data_sets_have_their_options(name, expected):
    data = OmegaConf.to_container(composed(f"data={name}").data)
    assert {key: data[key] for key in expected} == expected


def leaves(values, prefix=""):
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.mark.parametrize("path", sorted(CONF.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_says_only_what_differs(path):
    """From the settings as they are with the files that it begins with."""
    content = OmegaConf.to_container(OmegaConf.load(path)) or {}
    entries, group = content.pop("defaults", []), path.parent.name
    included = [entry for entry in entries if isinstance(entry, str) and entry != "_self_"]
    chosen = [
        f"{key.removeprefix('override /')}={value}"
        for entry in entries
        if isinstance(entry, dict)
        for key, value in entry.items()
        if key.startswith("override")
    ]
    if group == "experiment":
        base, prefix = composed(*chosen, *(f"+experiment={name}" for name in included)), ""
    else:
        layout = [value for entry in entries if isinstance(entry, dict) for value in entry.values()]
        source = [f"+layout@data={layout[0]}"] if layout else []
        base, prefix = composed(*(f"{group}={name}" for name in included), *source), f"{group}."
    missing = object()
    repeated = [
        name for name, value in leaves(content, prefix) if OmegaConf.select(base, name, default=missing) == value
    ]
    assert repeated == []
