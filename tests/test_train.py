"""The training command, end to end on tiny videos."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tensorboard.compat.tensorflow_stub.io.gfile import LocalFileSystem

from stvit_video.factories.manifests import build_manifests
from stvit_video.models import model_from_checkpoint
from stvit_video.runs.resume import run_lock
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import USER_ERRORS, _farewell, train
from stvit_video.training.callbacks.interruption import TrainingInterruptedError
from stvit_video.training.callbacks.metrics_csv import LogWriteError
from stvit_video.training.callbacks.progress import EpochLine

TINY = [
    "data=csv",
    "data.num_frames=4",
    "data.frame_stride=2",
    "data.short_side=20",
    "data.crop_size=16",
    "data.batch_size=2",
    "data.num_workers=0",
    "model=stvit_video_deit_tiny",
    "model.patch_size=4",
    "model.embed_dim=8",
    "model.num_heads=2",
    "model.depth=4",
    "model.generate_at=1",
    "model.num_tokens=4",
    "optim.warmup_epochs=0",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
    "protocol.num_clips=2",
    "protocol.num_crops=3",
]


def settings_for(tiny_run, *overrides):
    lists = [f"data.train='{tiny_run.manifest}'", f"data.val='{tiny_run.manifest}'"]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=[*TINY, *lists, *overrides]), resolve=True)


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def test_run_directory_holds_all_that_is_promised(tiny_run, tmp_path, capsys):
    result = train(settings_for(tiny_run, "trainer.max_epochs=2"), run_dir=tmp_path)
    expected = "config.yaml metrics.csv best.ckpt last.ckpt curves.png confusion_matrix.png predictions.csv result.json"
    expected += " per_class.csv report.html"
    assert {*expected.split(), "tensorboard"} <= {path.name for path in tmp_path.iterdir()}
    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert {"top1", "gmacs_per_view", "inference_clips_per_second", "commit", "hardware", "date"} <= set(result)
    assert result["num_videos_used"] == result["num_videos_listed"] == 3
    assert result["training"]["epochs"] == 2
    printed = capsys.readouterr().out
    assert "epoch 2/2  train/loss" in printed
    assert "(3 of 3 videos, 2 clips x 3 crops" in printed
    with (tmp_path / "metrics.csv").open() as file:
        assert {"train/loss", "train/top1", "val/loss", "val/top1", "train/clips_per_second"} <= set(
            csv.DictReader(file).fieldnames
        )


def test_checkpoint_is_self_contained(tiny_run, tmp_path):
    train(settings_for(tiny_run, "trainer.max_epochs=1"), run_dir=tmp_path)
    model, metadata = model_from_checkpoint(tmp_path / "last.ckpt")
    assert model(torch.zeros(1, 3, 4, 16, 16)).shape == (1, 3)
    assert metadata["classes"] == ["a, comma", "jump", "run"]
    assert metadata["preprocessing"]["crop_size"] == 16
    assert metadata["protocol"] == {"name": "uniform", "num_clips": 2, "num_crops": 3, "average": "prob"}
    assert metadata["config"]["data"]["train"] == str(tiny_run.manifest)


def test_weights_of_another_run_are_the_start(tiny_run, tmp_path, capsys):
    start = str(tiny_run.checkpoint)
    train(
        settings_for(tiny_run, "trainer.max_epochs=1", "optim.lr=1e-12", "optim.min_lr=0", f"init_from='{start}'"),
        run_dir=tmp_path,
    )
    assert "tensors loaded, 2 new (head.weight, head.bias)" in capsys.readouterr().out
    before, after = weights(start), weights(tmp_path / "last.ckpt")
    torch.testing.assert_close(after["model.blocks.0.attn.qkv.weight"], before["model.blocks.0.attn.qkv.weight"])
    assert (after["model.head.weight"] - before["model.head.weight"]).abs().max() > 0.1


@pytest.fixture(scope="module")
def finished_run(tiny_run, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("finished")
    train(settings_for(tiny_run, "trainer.max_epochs=1"), run_dir=run_dir)
    return run_dir


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["trainer.max_epochs=1"], "trained for 1 epochs, .*trainer.max_epochs=1"),
        (["optim.lr=0.5"], "other settings: optim.lr=0.001 then, 0.5 now;"),
        (["model.embed_dim=16"], "model.embed_dim=8 then, 16 now; .*init_from"),
        (["data.frame_stride=1"], "data.frame_stride=2 then, 1 now; .*init_from"),
        (["distill.weight=0.9", "seed=5"], "seed=0 then, 5 now; distill.weight=0.5 then, 0.9 now; .*init_from"),
    ],
)
def test_resuming_another_training_is_refused(tiny_run, finished_run, overrides, message):
    settings = settings_for(tiny_run, "trainer.max_epochs=2", f"ckpt_path='{finished_run}/last.ckpt'", *overrides)
    with pytest.raises(ValueError, match=message):
        train(settings, run_dir=finished_run)
    assert yaml.safe_load((finished_run / "config.yaml").read_text())["optim"]["lr"] == 0.001


def test_a_folder_where_another_training_is_at_work_is_left_alone(tiny_run, finished_run):
    before = {path: path.stat().st_mtime_ns for path in finished_run.rglob("*") if path.name != ".training.lock"}
    again = ["trainer.max_epochs=2", f"ckpt_path='{finished_run}/last.ckpt'"]
    with run_lock(finished_run), pytest.raises(ValueError, match=f"another training .*{finished_run};"):
        train(settings_for(tiny_run, *again), run_dir=finished_run / "elsewhere")
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert not (finished_run / "elsewhere").exists()


def test_weights_alone_can_not_be_resumed(tiny_run, tmp_path):
    settings = settings_for(tiny_run, f"ckpt_path='{tiny_run.checkpoint}'")
    message = (  # the whole sentence, once for its family
        f"'{tiny_run.checkpoint}' is no checkpoint that a training can go on from; "
        "give a last.ckpt of stvit_video.train, or start from its weights with init_from$"
    )
    with pytest.raises(ValueError, match=message):
        train(settings, run_dir=tmp_path)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGUSR1, 138), (signal.SIGTERM, 143)])
def test_slurms_warning_has_the_job_queued_again(tmp_path, monkeypatch, capsys, number, status):
    """A made-up scontrol; what SLURM pre-empts or the user cancels (SIGTERM) is not for us to queue."""
    (tmp_path / "scontrol").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "57")
    stopped = TrainingInterruptedError("at step 3", signal_number=number)
    assert _farewell(stopped, run_dir=tmp_path, is_named=False) == status
    lines = capsys.readouterr().out.splitlines()
    way = f"the same command goes on from there, with hydra.run.dir={tmp_path}"
    assert lines[0] == f"stopped by {number.name} at step 3; {way}"
    assert lines[1:] == (["SLURM job 57 is queued again"] if number == signal.SIGUSR1 else [])


class PowerCutError(Exception):
    """Stands for anything that ends a process in the middle of a training."""


def cut_power_in_third_epoch(self, trainer, pl_module):
    if trainer.current_epoch == 2:
        raise PowerCutError


def test_resuming_equals_training_in_one_go(tiny_run, tmp_path, monkeypatch):
    settings = settings_for(tiny_run, "trainer.max_epochs=4", "model.drop_path_rate=0.5")
    train(settings, run_dir=tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(EpochLine, "on_train_epoch_start", cut_power_in_third_epoch)
        with pytest.raises(PowerCutError):
            train(settings, run_dir=tmp_path / "part")
    train(settings | {"ckpt_path": str(tmp_path / "part" / "last.ckpt")}, run_dir=tmp_path / "part")
    whole, resumed = weights(tmp_path / "whole" / "last.ckpt"), weights(tmp_path / "part" / "last.ckpt")
    assert all(torch.equal(resumed[key], value) for key, value in whole.items())
    for part in ("whole", "part"):
        with (tmp_path / part / "metrics.csv").open() as file:
            epochs = [row["epoch"] for row in csv.DictReader(file) if row["val/top1"]]
        assert epochs == ["0", "1", "2", "3"]


def test_the_heavy_recipe_trains_alike_in_the_loader_and_on_the_device(tiny_run, tmp_path):
    """With RandAugment, erasing, mixing, repeats and segments."""
    heavy = ["augment=videomae", "augment.on_device=true", "data.num_repeats=2", "data.sampling=segments"]
    heavy.append("protocol.name=videomae_ssv2")
    settings = settings_for(tiny_run, "trainer.max_epochs=2", *heavy)
    train(settings, run_dir=tmp_path / "whole")
    header = (tmp_path / "whole" / "metrics.csv").read_text().splitlines()[0].split(",")
    assert "train/top1_mixed" in header
    assert "train/top1" not in header
    train(settings_for(tiny_run, "trainer.max_epochs=2", "augment=videomae", *heavy[2:]), run_dir=tmp_path / "loader")
    whole, loader = weights(tmp_path / "whole" / "last.ckpt"), weights(tmp_path / "loader" / "last.ckpt")
    assert all(torch.equal(loader[key], value) for key, value in whole.items())


def test_same_seed_same_weights(tiny_run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(settings_for(tiny_run, "trainer.max_epochs=1", f"seed={seed}"), run_dir=tmp_path / name)
    a, b, c = (weights(tmp_path / name / "last.ckpt")["model.head.weight"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_disk_that_fills_while_tensorboard_writes_is_one_sentence(tiny_run, tmp_path, monkeypatch):
    def append(self, filename, content, binary_mode=False):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LocalFileSystem, "append", append)
    message = rf"^{tmp_path}/tensorboard .*written \(No space left on device\)"
    with pytest.raises(LogWriteError, match=message):
        train(settings_for(tiny_run, "trainer.max_epochs=3"), run_dir=tmp_path)
    assert issubclass(LogWriteError, USER_ERRORS)
    monkeypatch.undo()
    assert train(settings_for(tiny_run, "trainer.max_epochs=3"), run_dir=tmp_path)["training"]["epochs"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data.train=missing.csv", "data.val=missing.csv"], "error: .*missing.csv"),
        (
            ["data.train={manifest}", "data.val={manifest}", "ckpt_path=gone.ckpt"],
            "error: ckpt_path: .*no checkpoint file 'gone.ckpt'",
        ),
        (
            ["data.train={manifest}", "data.val={manifest}", "model.num_tokens=0"],
            "error: model=stvit_video_deit_tiny: model.num_tokens=0 .*32 image tokens",
        ),
        (["data.train={manifest}"], "error: data.source=csv needs data.val;"),
        (
            ["+experiment=photo_motion"],  # the whole sentence, once for its family
            "error: data.root is missing; give it, for example data.root=/path$",
        ),
        (["model.name=???"], "error: model.name is missing;"),
        (["data.train={manifest}", "data.val={manifest}", "hydra.run.dir=/dev/null/x"], "/dev/null"),
        (
            ["data.train={manifest}", "data.val={manifest}", "report_checkpoint=first"],
            "error: report_checkpoint='first' .*best, last",
        ),
        (
            ["model.num_tokenz=3", "optim.lrr=1", "optim.lr=fast"],
            "error: optim.lrr is no setting; .*optim.lr.; optim.lr='fast' must be .*no option 'num_tokenz', "
            ".*'num_tokens'.*; data.source=csv needs data.train",
        ),
    ],
)
def test_mistakes_are_one_sentence_from_any_folder(run_command, tiny_run, tmp_path, arguments, message):
    quoted = [argument.replace("{manifest}", f"'{tiny_run.manifest}'") for argument in arguments]
    done = run_command("stvit_video.train", *TINY, *quoted, cwd=tmp_path)
    assert done.returncode == (1 if message == "/dev/null" else 2)
    assert re.search(message, done.stderr), done.stderr
    assert "Traceback" not in done.stderr


def test_a_killed_loader_process_is_one_sentence(tiny_run, tmp_path):
    """A real kill of a real loader process, in the middle of a training with two of them."""
    lists = [f"data.train='{tiny_run.manifest}'", f"data.val='{tiny_run.manifest}'", f"hydra.run.dir='{tmp_path}/run'"]
    settings = [*TINY, *lists, "data.num_workers=2", "data.batch_size=1", "trainer.max_epochs=100000"]
    command = [sys.executable, "-m", "stvit_video.train", *settings]
    training = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: (tmp_path / "run" / "last.ckpt").is_file())
        children = Path(f"/proc/{training.pid}/task/{training.pid}/children")
        wait_for(lambda: len(loader_processes(children)) >= 2)
        os.kill(loader_processes(children)[0], signal.SIGKILL)
        _, words = training.communicate(timeout=240)
    finally:
        training.kill()
    assert training.returncode == 1
    expected = (  # the whole sentence, once for its family
        r"error: a loader process \(pid \d+\) (was ended by the system \(Killed\)|ended unexpectedly) while it (read '"
        r".*\.mp4'|was reading no video): .*; go on with the same command and ckpt_path=.*/run/last.ckpt$"
    )
    assert re.search(expected, words.strip().splitlines()[-1]), words
    assert "Traceback" not in words


def loader_processes(children):
    """Numbers of the child processes that were forked (loaders), not started anew (decoders)."""
    found = [int(number) for number in children.read_text().split()]
    return [pid for pid in found if b"stvit_video.train" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def wait_for(condition, *, limit_seconds=90):
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_pytorchvideo_reads_the_training_clips(tiny_run, tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{path} {number}\n" for number, path in enumerate(tiny_run.videos)))
    chosen = ["data=pytorchvideo", f"data.train='{listed}'", f"data.val='{listed}'", "data.clip_seconds=0.8"]
    changed = [f"data.{key}={value}" for key, value in (("num_repeats", 2), ("batch_size", 2))]
    settings = settings_for(tiny_run, *chosen, *changed, "trainer.max_epochs=1")
    result = train(settings, run_dir=tmp_path / "run")
    assert result["num_videos_used"] == 3
    assert result["training"]["num_skipped"] == 0
    assert model_from_checkpoint(tmp_path / "run" / "last.ckpt")[1]["classes"] == ["0", "1", "2"]


def test_unreadable_videos_are_listed_for_the_quarantine(tiny_run, tmp_path, capsys):
    """2 of 5 are broken; the list as quarantine leaves none of them."""
    broken = [tmp_path / name for name in ("bad.mp4", "x, y.mp4")]
    for path in broken:
        path.write_bytes(b"no video")
    listed, val = tmp_path / "list.csv", tmp_path / "val.csv"
    with listed.open("w", newline="") as file:
        rows = [(path, number % 2) for number, path in enumerate([*broken, *tiny_run.videos])]
        csv.writer(file).writerows([("path", "label"), *rows])
    val.write_text(f"path,label\n{tiny_run.videos[1]},0\n{tiny_run.videos[2]},1\n")
    changed = [f"data.train='{listed}'", f"data.val='{val}'", "data.batch_size=1", "data.max_skipped_fraction=1.0"]
    settings = settings_for(tiny_run, *changed, "trainer.max_epochs=1")
    result = train(settings, run_dir=tmp_path / "run")
    skipped = tmp_path / "run" / "skipped.csv"
    assert f"2 training videos could not be read, {skipped} says why" in capsys.readouterr().out
    with skipped.open(newline="") as file:
        times = {row["path"]: int(row["times"]) for row in csv.DictReader(file)}
    assert set(times) == {str(path) for path in broken}
    assert sum(times.values()) == result["training"]["num_skipped"] >= 2
    clean, _ = build_manifests({**settings["data"], "quarantine": str(skipped)})
    assert {record.path for record in clean.records} == set(tiny_run.videos)
