"""experiment=small_data on a miniature folder: from weights, first the head and then all; without them, all at once."""

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train

SMALL = """+experiment=small_data data.num_frames=4 data.short_side=20 data.crop_size=16 data.cache_short_side=20
    data.batch_size=2 data.split_by=name model.patch_size=4 model.embed_dim=8 model.num_heads=2 model.depth=4
    model.generate_at=1 model.num_tokens=4 trainer.accelerator=cpu trainer.enable_progress_bar=false
    protocol.num_clips=1 protocol.num_crops=1"""


def settings_for(folder, *overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("train", overrides=[*SMALL.split(), f"data.root='{folder}'", *overrides])
    return OmegaConf.to_container(config, resolve=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six videos of jump, four of run."""
    root = tmp_path_factory.mktemp("my videos")
    for seed, name in enumerate([f"jump/{n}" for n in range(6)] + [f"run/{n}" for n in range(4)]):
        (root / name).parent.mkdir(exist_ok=True)
        frames = np.random.default_rng(seed).integers(0, 256, (9, 20, 30, 3), dtype=np.uint8)
        encode_video(root / f"{name}.mp4", frames, fps=10)
    return root


def weights(path):
    content = torch.load(path, weights_only=True)
    return {key.removeprefix("model."): value for key, value in content["state_dict"].items()}


def changed(first, second):
    return {key for key, value in first.items() if not torch.equal(value, second[key])}


HEAD = {"head.weight", "head.bias"}


@pytest.fixture(scope="module")
def scratch(folder, tmp_path_factory):
    """A run without init_from."""
    run_dir = tmp_path_factory.mktemp("scratch")
    train(settings_for(folder, "trainer.max_epochs=1"), run_dir=run_dir)
    return run_dir


def test_without_weights_all_is_trained_at_once_and_it_is_told(folder, tmp_path, capsys):
    train(settings_for(folder, "trainer.max_epochs=1"), run_dir=tmp_path / "one")
    told = capsys.readouterr().out
    assert "init_from is not given: all weights are random" in told
    assert "the head alone" not in told
    train(settings_for(folder, "trainer.max_epochs=1", "optim.lr=1e-9", "optim.min_lr=0"), run_dir=tmp_path / "still")
    moved = changed(weights(tmp_path / "one/last.ckpt"), weights(tmp_path / "still/last.ckpt"))
    assert len(moved - HEAD) > 20


def test_from_weights_the_backbone_waits_for_the_head(folder, scratch, tmp_path, capsys):
    start = weights(scratch / "last.ckpt")
    begin = [f"init_from='{scratch}/last.ckpt'", "optim.probe_epochs=2"]
    stopped = settings_for(folder, *begin, "trainer.max_epochs=3")
    train(stopped, run_dir=tmp_path / "run")
    previous = weights(tmp_path / "run/previous.ckpt")  # after epoch 2, the last one of the probe
    assert changed(start, previous) == HEAD
    after = changed(previous, weights(tmp_path / "run/last.ckpt"))
    assert len(after - HEAD) > 20
    told = capsys.readouterr().out
    assert "from epoch 1: training the head alone, up to epoch 2\n" in told
    assert "from epoch 3: training the whole model\n" in told


def test_the_recipe_reports_the_last_epoch_and_weighs_the_classes(folder):
    settings = settings_for(folder)
    assert settings["report_checkpoint"] == "last"
    assert settings["optim"]["class_weights"] == "balanced"
    assert settings["optim"]["probe_epochs"] < settings["trainer"]["max_epochs"]
