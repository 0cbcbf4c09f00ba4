"""Where a training begins, and real kills: what goes on afterwards ends as what was never stopped.

What else must agree with a checkpoint is in test_train.
"""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.runs.resume import (
    ResumePoint,
    changed_settings,
    check_resumable,
    check_undamaged,
    checkpoint_faults,
    find_resume_point,
    moved_data,
    newest_checkpoint,
    resume_point_of,
    run_lock,
    write_config,
)
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train
from stvit_video.utils.compat import epochs_and_batches

pytestmark = pytest.mark.commands

SETTINGS = {
    "run": None,
    "data": {"num_workers": 0, "mean": (0.5, 0.25)},
    "trainer": {"max_epochs": 3},
    "optim": {"lr": 0.1},
}


def save(path, **content):
    torch.save({"weight": torch.arange(5.0), **content}, path)


def test_a_new_folder_is_a_new_training_and_is_cleared_of_leftovers(tmp_path):
    assert find_resume_point(tmp_path / "a" / "b", SETTINGS) == ResumePoint(tmp_path / "a" / "b")
    for name in (".last.ckpt.part", "config.yaml", "metrics.csv"):  # killed before its first checkpoint
        (tmp_path / name).touch()
    assert find_resume_point(tmp_path, SETTINGS) == ResumePoint(tmp_path)
    assert not (tmp_path / ".last.ckpt.part").exists()


def test_the_same_settings_go_on_and_others_are_refused_together(tmp_path):
    write_config(tmp_path, SETTINGS)
    save(tmp_path / "last.ckpt")
    changed = {**SETTINGS, "run": "x", "data": {"num_workers": 4, "mean": [0.5, 0.25]}, "trainer": {"max_epochs": 9}}
    for same in (SETTINGS, changed):
        assert find_resume_point(tmp_path, same) == ResumePoint(tmp_path, tmp_path / "last.ckpt")
    message = (  # the whole sentence, once for its family
        f"^{tmp_path} holds a run with other settings: trainer.max_epochs=3 then, 2 now; optim.lr=0.1 then, 0.2 now; "
        "go on with those of then, or choose another run=NAME or hydra.run.dir$"
    )
    with pytest.raises(ValueError, match=message):
        find_resume_point(tmp_path, {**SETTINGS, "trainer": {"max_epochs": 2}, "optim": {"lr": 0.2}})


@pytest.mark.parametrize(
    ("result", "max_epochs", "is_finished"),
    [
        ('{"training": {"epochs": 3}}', 3, True),
        ('{"training": {"epochs": 3}}', 4, False),  # more are asked for
        ('{"training": {"ep', 3, False),  # killed while it was written
    ],
)
def test_a_finished_run_has_nothing_left_to_do(tmp_path, result, max_epochs, is_finished):
    write_config(tmp_path, SETTINGS)
    save(tmp_path / "last.ckpt")
    (tmp_path / "result.json").write_text(result)
    start = find_resume_point(tmp_path, {**SETTINGS, "trainer": {"max_epochs": max_epochs}})
    assert start.result == ({"training": {"epochs": 3}} if is_finished else None)
    assert start.checkpoint == (None if is_finished else tmp_path / "last.ckpt")


def test_a_finished_run_on_other_data_is_told(tmp_path):
    write_config(tmp_path, {**SETTINGS, "data": {"root": "/a"}})
    (tmp_path / "result.json").write_text('{"training": {"epochs": 3}}')
    with pytest.warns(UserWarning, match="finished run .*data.root=/a then, /b now; .*another run=NAME"):
        start = find_resume_point(tmp_path, {**SETTINGS, "data": {"root": "/b"}})
    assert start.result == {"training": {"epochs": 3}}


def test_a_damaged_checkpoint_is_put_aside_with_a_warning(tmp_path):
    save(tmp_path / "previous.ckpt")
    (tmp_path / "last.ckpt").write_bytes((tmp_path / "previous.ckpt").read_bytes()[:-200])
    with pytest.warns(UserWarning, match=r"last.ckpt is damaged \(cut short .*put aside"):
        assert newest_checkpoint(tmp_path) == tmp_path / "previous.ckpt"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.ckpt.damaged", "previous.ckpt"]
    assert newest_checkpoint(tmp_path) == tmp_path / "previous.ckpt"


def test_nothing_whole_is_one_sentence(tmp_path):
    for name in ("last.ckpt", "best.ckpt"):
        (tmp_path / name).write_bytes(bytes(300))
    message = f"{tmp_path} .*no whole checkpoint .*last.ckpt: cut short .*; best.ckpt: "
    with pytest.warns(UserWarning, match="is damaged"), pytest.raises(ValueError, match=message):
        newest_checkpoint(tmp_path)


def test_a_given_checkpoint_is_checked_too(tmp_path):
    save(tmp_path / "last.ckpt")
    assert resume_point_of(str(tmp_path / "last.ckpt")) == ResumePoint(tmp_path, tmp_path / "last.ckpt")
    assert check_undamaged(str(tmp_path / "last.ckpt")) is None
    content = bytearray((tmp_path / "last.ckpt").read_bytes())
    content[content.find(torch.arange(5.0).numpy().tobytes()) + 7] ^= 1
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"last.ckpt' is damaged \(a checksum .*previous.ckpt"):
        check_undamaged(str(tmp_path / "last.ckpt"))


def test_what_is_no_checkpoint_of_a_training_is_refused(tiny_run, tmp_path):
    weights = torch.load(tiny_run.checkpoint, weights_only=True)
    for content in (weights, {**weights, "epoch": 3}, {**weights, "loops": 5}, {}):
        (fault,) = checkpoint_faults("a.ckpt", content, SETTINGS)
        assert re.match("'a.ckpt' is no checkpoint .*go on from; .*last.ckpt", fault)
    with pytest.raises(CheckpointError, match="gone.ckpt"):
        check_resumable(str(tmp_path / "gone.ckpt"), None, None)


def test_a_checkpoint_and_a_folder_are_compared_alike(tmp_path):
    """What is new since had its default; what changes nothing of what is learnt may differ; epochs may only grow."""
    now = {
        **SETTINGS,
        "distill": {"weight": 0.3, "kind": "soft"},
        "trainer": {"max_epochs": 3, "max_nonfinite_steps": 7, "gradient_checkpointing": True, "log_every_n_steps": 1},
        "optim": {"lr": 0.1, "nesterov": False, "not_declared": True},
    }
    then = {
        **SETTINGS,
        "distill": {"weight": 0.5},
        "trainer": {"max_epochs": 4, "max_nonfinite_steps": 1, "gradient_checkpointing": False},
    }
    changed = "distill.weight=0.5 then, 0.3 now; trainer.max_epochs=4 then, 3 now"
    assert sorted(changed_settings(then, now).split("; ")) == sorted(changed.split("; "))
    progress = {"epoch_progress": {"current": {"processed": 1, "started": 1}}}
    content = {"stvit_video": {"config": then}, "epoch": 0, "loops": {"fit_loop": progress}}
    (fault,) = checkpoint_faults("a.ckpt", content, now)
    assert re.match("'a.ckpt' .*other settings: .*; .*init_from$", fault)
    write_config(tmp_path, then)
    save(tmp_path / "last.ckpt")
    with pytest.raises(ValueError, match=f"{tmp_path} .*other settings: ") as error:
        find_resume_point(tmp_path, now)
    assert changed_settings(then, now) in str(error.value)
    assert changed_settings(then, now) in fault


def test_data_may_lie_elsewhere():
    then = {**SETTINGS, "data": {"root": "/a", "val": "/a/val.csv", "num_frames": 4, "shards": None}}
    now = {**SETTINGS, "data": {"root": "/b", "val": "/a/val.csv", "num_frames": 4, "shards": "/b/1.tar"}}
    assert changed_settings(then, now) == ""
    assert moved_data(then, now) == "data.root=/a then, /b now; data.shards=None then, /b/1.tar now"
    assert moved_data(then, then) == ""


@pytest.mark.parametrize(
    ("rank", "machine", "is_first"), [(0, None, True), (0, "0", True), (1, "0", False), (0, "1", False)]
)
def test_the_first_process_of_several_keeps_others_out(tmp_path, monkeypatch, rank, machine, is_first):
    monkeypatch.setattr("lightning.pytorch.utilities.rank_zero_only.rank", rank)
    if machine is not None:
        monkeypatch.setenv("NODE_RANK", machine)
    with run_lock(tmp_path / "a" / "run"):
        assert (tmp_path / "a" / "run").is_dir() == is_first
        monkeypatch.setattr("lightning.pytorch.utilities.rank_zero_only.rank", 0)
        monkeypatch.setenv("NODE_RANK", "0")
        if is_first:
            with pytest.raises(ValueError, match="another training .*/a/run;"), run_lock(tmp_path / "a" / "run"):
                pass
        else:
            with run_lock(tmp_path / "a" / "run"):
                assert (tmp_path / "a" / "run" / ".training.lock").is_file()


def test_a_second_start_of_the_same_run_ends_at_once(tiny_run, tmp_path):
    """Of the command itself, while this process is at work in the folder."""
    lists = [f"data.train='{tiny_run.manifest}'", f"data.val='{tiny_run.manifest}'"]
    with run_lock(tmp_path):
        second = started(tmp_path, [*TINY, *lists])
        _, errors = second.communicate(timeout=240)
    assert re.search(f"error: another training .*{tmp_path};", errors)
    assert second.returncode == 2
    assert "Traceback" not in errors
    assert not (tmp_path / "config.yaml").exists()


TINY = [
    *("data=csv", "data.num_frames=4", "data.frame_stride=2", "data.short_side=20", "data.crop_size=16"),
    *("data.batch_size=1", "data.num_workers=2", "model=stvit_video_deit_tiny", "model.patch_size=4"),
    *("model.embed_dim=8", "model.num_heads=2", "model.depth=4", "model.generate_at=1", "model.num_tokens=4"),
    *("model.drop_path_rate=0.3", "optim.warmup_epochs=0", "trainer.accelerator=cpu", "trainer.max_epochs=4"),
    *("trainer.enable_progress_bar=false", "trainer.checkpoint_minutes=1e-6"),
    *("protocol.num_clips=1", "protocol.num_crops=1"),
]


@pytest.mark.parametrize(
    ("overrides", "folder"), [(["run=a/b"], "outputs/a/b"), ([], r"outputs/\d{4}-\d\d-\d\d/\d\d-\d\d-\d\d")]
)
def test_the_folder_is_named_by_the_run_or_else_by_the_time(overrides, folder):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("train", overrides=overrides, return_hydra_config=True)
    assert re.fullmatch(folder, config.hydra.run.dir)


@pytest.fixture(scope="module")
def seven_videos(tmp_path_factory):
    """The options of a training on as many, the settings they make, and the run that nobody stopped."""
    folder = tmp_path_factory.mktemp("seven videos")
    for number in range(7):
        texture = np.random.default_rng(number).integers(0, 256, (20, 30, 3), dtype=np.uint8)
        encode_video(folder / f"{number}.mp4", np.stack([np.roll(texture, at, axis=1) for at in range(25)]), fps=10)
    manifest = folder / "list.csv"
    manifest.write_text("path,label\n" + "".join(f"{number}.mp4,{number % 3}\n" for number in range(7)))
    overrides = [*TINY, f"data.train='{manifest}'", f"data.val='{manifest}'"]
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        settings = OmegaConf.to_container(compose("train", overrides=overrides), resolve=True)
    train(settings, run_dir=folder / "whole")
    return SimpleNamespace(overrides=overrides, settings=settings, whole=folder / "whole")


def started(run_dir, overrides):
    """A training in a group of processes of its own."""
    command = [sys.executable, "-m", "stvit_video.train", *overrides, f"hydra.run.dir='{run_dir}'"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def wait_for_the_middle_of_an_epoch(training, run_dir, *, first_epoch):
    """Halt the process where its last.ckpt is of the middle of that epoch or a later one."""
    deadline = time.monotonic() + 90
    while True:
        assert time.monotonic() < deadline
        assert training.poll() is None, training.communicate()
        time.sleep(0.01)
        os.kill(training.pid, signal.SIGSTOP)
        if (run_dir / "last.ckpt").is_file():
            num_epochs, num_batches = epochs_and_batches(torch.load(run_dir / "last.ckpt", weights_only=True))
            if num_epochs >= first_epoch and num_batches:
                return num_epochs, num_batches
        os.kill(training.pid, signal.SIGCONT)


def state_of(run_dir):
    """All that decides how a training goes on: weights, optimizer, schedule, loops; and the best so far."""
    content = torch.load(run_dir / "last.ckpt", weights_only=True)
    best = next(value for key, value in content["callbacks"].items() if key.startswith("BestCheckpoint"))
    kept = {key: content[key] for key in ("state_dict", "optimizer_states", "lr_schedulers", "loops", "global_step")}
    return kept | {"best": best["best_model_score"]}


def differences(one, other, place=""):
    """Where two nested states differ, to the last bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [place]
    if isinstance(one, (list, tuple)):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict):
        keys = one.keys() | other.keys()
        return [found for key in keys for found in differences(one.get(key), other.get(key), f"{place}.{key}")]
    return [] if one == other else [place]


def metrics_of(run_dir):
    with (run_dir / "metrics.csv").open(newline="") as file:
        timed = ("train/clips_per_second", "train/data_wait")
        return [{key: value for key, value in row.items() if key not in timed} for row in csv.DictReader(file)]


def assert_ended_alike(run_dir, seven_videos):
    assert differences(state_of(run_dir), state_of(seven_videos.whole)) == []
    assert metrics_of(run_dir) == metrics_of(seven_videos.whole)
    assert json.loads((run_dir / "result.json").read_text())["training"]["epochs"] == 4


def test_killed_within_an_epoch_the_same_command_ends_alike(seven_videos, tmp_path, capsys):
    """Even with a damaged last checkpoint; and when all is done, the command does nothing more."""
    run_dir = tmp_path / "run"
    training = started(run_dir, seven_videos.overrides)
    try:
        place = wait_for_the_middle_of_an_epoch(training, run_dir, first_epoch=1)
        os.killpg(training.pid, signal.SIGKILL)
        training.communicate(timeout=30)
    finally:
        training.kill()
    assert place[0] in (1, 2, 3)
    (run_dir / ".last.ckpt.part").write_bytes(b"half")
    with (run_dir / "last.ckpt").open("r+b") as file:
        file.truncate(1000)
    with pytest.warns(UserWarning, match="last.ckpt is damaged"):
        train(seven_videos.settings, run_dir=run_dir)
    assert re.search(r"going on from .*/previous.ckpt: (in epoch|after) \d", capsys.readouterr().out)
    assert_ended_alike(run_dir, seven_videos)
    first = json.loads((run_dir / "result.json").read_text())
    assert train(seven_videos.settings, run_dir=run_dir) == first
    assert re.search("holds this run, and it is finished: top-1 0", capsys.readouterr().out)
    (run_dir / "result.json").unlink()  # as where the final evaluation was killed
    second = train(seven_videos.settings, run_dir=run_dir)
    assert "after 4 epochs" in capsys.readouterr().out
    assert second["result"] == first["result"]
    assert second["training"] == {**first["training"], "seconds": pytest.approx(first["training"]["seconds"], abs=2.0)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_saves_and_the_same_command_ends_alike(seven_videos, tmp_path, capsys, number):
    """The signal reaches the loaders and decoders as well, as a scheduler or a terminal sends it."""
    run_dir = tmp_path / "run"
    training = started(run_dir, [*seven_videos.overrides, "trainer.checkpoint_minutes=null"])
    try:
        deadline = time.monotonic() + 90
        while not (run_dir / "last.ckpt").is_file():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(training.pid, number)
        words, errors = training.communicate(timeout=240)
    finally:
        training.kill()
    assert training.returncode == 128 + number, errors
    said = re.search(
        rf"stopped by {number.name} at step (\d+), in epoch \d of 4; all is saved in .*/last.ckpt; the same", words
    )
    assert said, words
    assert torch.load(run_dir / "last.ckpt", weights_only=True)["global_step"] == int(said.group(1)) > 0
    shutil.copytree(Path(seven_videos.settings["data"]["train"]).parent, tmp_path / "copy")
    copied = str(tmp_path / "copy" / "list.csv")
    elsewhere = {**seven_videos.settings["data"], "num_workers": 0, "train": copied, "val": copied}
    with pytest.warns(UserWarning, match="another place: data.train=.* then, .*copy/list.csv"):
        train({**seven_videos.settings, "data": elsewhere}, run_dir=run_dir)
    assert "going on from" in capsys.readouterr().out
    assert_ended_alike(run_dir, seven_videos)
