import re

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from settings_checker import changed, check_settings, typed

from stvit_video.config.consistency import chosen_protocol, contradictions
from stvit_video.models.registry import MODELS, model_options
from stvit_video.settings.paths import CONF_DIR


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=["data.root=/x"]), resolve=True)


def images(defaults, **changes):
    """Settings of an image model on pictures, with some of them changed."""
    chosen = {"data.source": "image_folder", "data.num_frames": 1, "model.name": "stvit_deit_tiny"} | changes
    for key, value in chosen.items():
        defaults = changed(defaults, key, value)
    name = defaults["model"]["name"]
    allowed = ["name", *(model_options(name) if name in MODELS else ())]
    defaults["model"] = {key: value for key, value in defaults["model"].items() if key in allowed}
    return defaults


def test_pictures_are_seen_once_and_videos_more_often(defaults):
    assert check_settings(images(defaults)) is None
    assert chosen_protocol(typed(images(defaults)))["name"] == "single"
    assert chosen_protocol(typed(images(defaults, **{"protocol.name": "uniform"})))["name"] == "uniform"
    assert chosen_protocol(typed(defaults))["name"] == "uniform"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model.name": "stvit_r_video_deit_tiny"},
            "model=stvit_r_video_deit_tiny .*clips, data.source=image_folder .*; .*model=stvit_r_deit_tiny",
        ),
        ({"data.num_frames": 2}, "data.num_frames=2 .*data.source=image_folder"),
        (
            {"data.source": "csv", "data.num_frames": 3},
            "model=stvit_deit_tiny .*one frame, data.num_frames=3 .*clips",
        ),
        ({"data.frame_difference": True}, "data.frame_difference=true .*one frame; .*data.num_frames=2"),
    ],
)
def test_frames_that_the_model_does_not_take(defaults, changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_settings(images(defaults, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"data.source": "ade"},
            "data.source=ade has label maps and no labels of whole pictures; use task=semantic$",
        ),
        ({"augment.max_class_share": 0.5}, "augment.max_class_share=0.5 is for task=semantic; leave it out$"),
        (
            {"augment.photometric_probability": 0.5},
            "augment.photometric_probability=0.5 is for task=detection, task=instance and task=semantic; leave it out$",
        ),
        ({"augment.crop_probability": 0.5}, "augment.crop_probability=0.5 is for task=detection and task=instance; "),
    ],
)
def test_what_is_for_annotated_pictures(defaults, changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        check_settings(images(defaults, **changes))


def test_a_clip_without_motion_has_no_differences(defaults):
    static = changed(defaults, "data.static_clip", "mean_frame")
    assert check_settings(static) is None
    with pytest.raises(ValueError, match="^data.static_clip=mean_frame .*; .*data.frame_difference=false"):
        check_settings(changed(static, "data.frame_difference", True))


def test_an_image_model_may_see_one_frame_of_a_video(defaults):
    assert check_settings(images(defaults, **{"data.source": "csv"})) is None
    with pytest.raises(ValueError, match="^model=deit_tyni: .*'deit_tyni', .*'deit_tiny'"):
        check_settings(images(defaults, **{"data.source": "csv", "model.name": "deit_tyni"}))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("trainer.check_val_every_n_epoch", 99, "trainer.check_val_every_n_epoch=99 .*at most trainer.max_epochs"),
        ("run", "../x", r"run='../x' .*outputs/; .*run=first"),
        ("run", "", "run='' .*outputs/"),
        ("run", "a//b", "run='a//b' .*outputs/"),
        ("run", "/tmp/x", "run='/tmp/x' .*outputs/"),
        ("init_head", "keep", "init_head=keep .*init_from .*leave init_head out"),
        ("optim.warmup_epochs", 99, "optim.warmup_epochs=99 .*below trainer.max_epochs=30"),
        ("optim.min_lr", 5.0, "optim.min_lr=5.0 .*at most optim.lr=0.001"),
        ("data.sampling", "segments", "data.sampling=segments .*protocol.name=uniform .*protocol.name=videomae_ssv2"),
        ("data.num_repeats", 3, "data.batch_size=8 .*multiple of data.num_repeats=3"),
    ],
)
def test_values_that_contradict_others(defaults, key, value, message):
    (fault,) = contradictions(typed(changed(defaults, key, value)), ())
    assert re.search(message, fault), fault


def test_only_what_reads_a_wrong_value_is_not_looked_at(defaults):
    settings = typed(changed(changed(defaults, "optim.warmup_epochs", 99), "optim.min_lr", 5.0))
    (fault,) = contradictions(settings, ["optim.lr"])
    assert fault.startswith("optim.warmup_epochs=99 must be below")
    assert contradictions(settings, ["optim.lr", "trainer.max_epochs"]) == []


def test_a_clip_alone_can_not_be_mixed(defaults):
    settings = changed(changed(defaults, "data.batch_size", 1), "augment.mixup_alpha", 0.8)
    with pytest.raises(ValueError, match="data.batch_size=1 .*mix .*2 or more"):
        check_settings(settings)
    assert check_settings(changed(settings, "augment.mix_probability", 0.0)) is None


def test_kept_frames_are_not_enlarged(defaults):
    settings = changed(changed(defaults, "data.cache", "memory"), "augment.short_side_jitter", [256, 320])
    message = r"jitter=\[256, 320\] .*256 pixels; .*data.cache_short_side=320"
    with pytest.raises(ValueError, match=message):
        check_settings(settings)
    assert check_settings(changed(settings, "data.cache_short_side", 320)) is None


def test_processes_that_are_not_there_come_with_the_other_faults(defaults, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    settings = changed(changed(defaults, "trainer.devices", 8), "optim.warmup_epochs", 99)
    with pytest.raises(ValueError, match=r"trainer.devices=8 .*8 GPUs, 2 .*; optim.warmup_epochs=99 "):
        check_settings(settings)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(ValueError, match="^trainer.accelerator=gpu .*none here"):
        check_settings(changed(defaults, "trainer.accelerator", "gpu"))
    with pytest.raises(ValueError, match="^trainer.strategy='dp' .*auto, ddp"):
        check_settings(changed(defaults, "trainer.strategy", "dp"))
