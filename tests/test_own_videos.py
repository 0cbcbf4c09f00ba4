"""A folder of classes without train/ and val/, from the command's functions: train, go on, evaluate."""

import csv
import re
import shutil

import numpy as np
import pytest
import torch
from evaluating import evaluate
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train

TINY = """data=folder data.num_frames=4 data.frame_stride=2 data.short_side=20 data.crop_size=16 data.batch_size=2
    data.num_workers=0 model=stvit_video_deit_tiny model.patch_size=4 model.embed_dim=8 model.num_heads=2
    model.depth=4 model.generate_at=1 model.num_tokens=4 optim.warmup_epochs=0 trainer.accelerator=cpu
    trainer.enable_progress_bar=false protocol.num_clips=1 protocol.num_crops=1 trainer.max_epochs=1"""


def write_video(path, *, seed):
    texture = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    encode_video(path, np.stack([np.roll(texture, shift, axis=1) for shift in range(9)]), fps=10)


def settings_for(folder, *overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("train", overrides=[*TINY.split(), f"data.root='{folder}'", *overrides])
    return OmegaConf.to_container(config, resolve=True)


@pytest.fixture
def folder(tmp_path):
    """jump has 3 different videos, run 5, one of them twice."""
    root = tmp_path / "my videos"
    for seed, name in enumerate(("jump/a", "jump/b", "jump/c", "run/a", "run/b", "run/c", "run/d")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_video(root / f"{name}.mp4", seed=seed)
    shutil.copy(root / "run/a.mp4", root / "run/other name.mp4")
    return root


def parts_in(run_dir):
    with (run_dir / "split.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [[row["path"] for row in rows if row["part"] == part] for part in ("train", "val")]


def test_an_evaluation_sees_the_videos_that_were_held_back_also_after_others_were_added(folder, tmp_path, capsys):
    result = train(settings_for(folder), run_dir=tmp_path / "run")
    trained, held = parts_in(tmp_path / "run")
    assert f"split: {len(trained)} train, {len(held)} val" in capsys.readouterr().out
    assert len(trained) + len(held) == 8
    assert len({"run/a.mp4", "run/other name.mp4"} & {*held}) != 1  # the copy stays with the first
    stored = torch.load(tmp_path / "run/last.ckpt", weights_only=True)["stvit_video"]
    assert stored["held_back"] == held
    assert result["num_videos_listed"] == len(held)
    for seed in range(4):
        write_video(folder / f"jump/new{seed}.mp4", seed=20 + seed)
    shutil.move(folder, tmp_path / "moved")
    checkpoint, out = tmp_path / "run/last.ckpt", tmp_path / "again"
    again = evaluate(ckpt_path=checkpoint, root=str(tmp_path / "moved"), output_dir=out, device="cpu")
    with (out / "predictions.csv").open(newline="") as file:
        assert [row["video"] for row in csv.DictReader(file)] == held
    assert again["top1"] == result["top1"]


def test_a_training_that_goes_on_keeps_its_parts(folder, tmp_path, capsys):
    train(settings_for(folder), run_dir=tmp_path / "run")
    before = parts_in(tmp_path / "run")
    for seed in range(9):
        write_video(folder / f"jump/new{seed}.mp4", seed=20 + seed)
    capsys.readouterr()
    with pytest.warns(UserWarning, match=r"trainer\.max_epochs=1 then, 2 now"):
        train(settings_for(folder, "trainer.max_epochs=2"), run_dir=tmp_path / "run")
    assert parts_in(tmp_path / "run") == before
    assert "split:" not in capsys.readouterr().out
    stored = torch.load(tmp_path / "run/last.ckpt", weights_only=True)["stvit_video"]
    assert stored["held_back"] == before[1]
    (tmp_path / "run/split.csv").unlink()
    with pytest.raises(ValueError, match=r"held back .*split\.csv"):
        train(settings_for(folder, "trainer.max_epochs=3"), run_dir=tmp_path / "run")


@pytest.mark.parametrize("value", ["0", "1", "1.5", "-0.1", "half"])
def test_a_share_out_of_range_is_refused(folder, tmp_path, value):
    with pytest.raises(ValueError, match=rf"data\.val_fraction='?{value}"):
        train(settings_for(folder, f"data.val_fraction={value}"), run_dir=tmp_path / "run")


def test_a_class_of_one_video_is_refused(folder, tmp_path):
    for name in ("run/a", "run/b", "run/c", "run/d"):
        (folder / f"{name}.mp4").unlink()
    with pytest.raises(ValueError, match=r"1 class\(es\) can't be divided .*'run' has one video"):
        train(settings_for(folder), run_dir=tmp_path / "run")


def test_the_output_in_a_file_is_a_line_an_epoch_without_bars_and_advertisements(folder, tmp_path, run_command):
    words = [*TINY.split(), f"data.root={folder}", "trainer.max_epochs=3", "trainer.enable_progress_bar=true", "run=a"]
    done = run_command("stvit_video.train", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")  # no TPU, no logger to buy, no bar
    assert "\r" not in done.stdout
    lines = done.stdout.splitlines()
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line.partition("  ")[0] for line in epochs] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    for line in epochs:
        assert re.search(r" train/loss \d.* val/loss \d.* val/top1 \d.*  \d+ s(, \d+ s left)?$", line)
    assert lines[-3] == "evaluating best.ckpt"
    assert len(lines) == 9  # split, batch, device, the epochs, what is evaluated, result, files
