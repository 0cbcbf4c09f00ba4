"""What can be known before any data is read: told together, with nothing read and nothing written."""

import copy
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import get_args, get_type_hints

import pytest
import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch import Trainer
from omegaconf import OmegaConf

from stvit_video.models.checkpoints.files import peek_checkpoint, read_checkpoint
from stvit_video.runs.preflight import check_start
from stvit_video.runs.resume import write_config
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train
from stvit_video.utils.choices import Precision, words_of

TINY = [
    *("data=folder", "data.root=.", "data.num_frames=4", "data.frame_stride=2", "data.short_side=20"),
    *("data.crop_size=16", "data.batch_size=2", "data.mean=[0.5,0.5,0.5]", "data.std=[0.25,0.25,0.25]"),
    *("model=stvit_video_deit_tiny", "model.patch_size=4", "model.embed_dim=8", "model.num_heads=2", "model.depth=4"),
    *("model.generate_at=1", "model.num_tokens=4", "trainer.accelerator=cpu"),
]


@pytest.fixture(scope="module")
def defaults():
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        return OmegaConf.to_container(compose("train", overrides=TINY), resolve=True)


def changed(settings, changes):
    settings = copy.deepcopy(settings)
    for key, value in changes.items():
        group, _, name = key.rpartition(".")
        (settings[group] if group else settings)[name] = value
    return settings


def faults_of(settings, run_dir):
    with pytest.raises(ValueError, match=".") as error:
        check_start(settings, run_dir=run_dir)
    return str(error.value)


def test_the_settings_come_back_as_they_are_used(defaults, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "videos").mkdir()
    _, settings, clips = check_start(changed(defaults, {"data.root": "videos"}), run_dir=tmp_path / "new" / "run")
    used = settings.plain()
    assert used["protocol"] == {"name": "uniform", "num_clips": 4, "num_crops": 3, "average": "prob"}
    assert used["data"]["root"] == str(tmp_path / "videos")
    assert {key: used[key] for key in ("optim", "model", "trainer")} == {
        key: defaults[key] for key in ("optim", "model", "trainer")
    }
    assert list(tmp_path.iterdir()) == [tmp_path / "videos"]
    assert clips.train_transform is clips.train_transform  # what was checked is what trains
    assert clips.preprocessing is clips.train_transform.preprocessing


def test_faults_of_all_kinds_come_at_once_and_nothing_is_read_or_written(defaults, tmp_path, monkeypatch):
    """The train folder is a file: whoever lists it fails."""
    (tmp_path / "train").write_bytes(b"")
    (tmp_path / "teacher.ckpt").write_bytes(b"PK\x03\x04 and no more")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5000))
    changes = {
        "data.root": str(tmp_path),
        "optim.min_lr": -1,  # a type that is wrong hides only what depends on it
        "data.num_repeats": 5,
        "model.elastic": [4, 99999],
        "init_from": str(tmp_path / "gone.pth"),
        "ckpt_path": str(tmp_path / "gone.ckpt"),
        "distill.teacher": str(tmp_path / "teacher.ckpt"),
        "trainer.accelerator": "gpu",
        "trainer.devices": 8,
        "trainer.precision": "8-bit",
        "protocol.name": "videoswim",
    }
    files = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ValueError, match="optim.min_lr=-1 [^;]*at least 0") as error:
        train(changed(defaults, changes), run_dir=tmp_path / "run")
    words = str(error.value)
    for part in (
        "data.batch_size=2 [^;]*multiple of data.num_repeats=5",
        "model=stvit_video_deit_tiny: num_tokens=99999",
        f"init_from: [^;]*no checkpoint file '{tmp_path}/gone.pth'",
        f"ckpt_path: [^;]*no checkpoint file '{tmp_path}/gone.ckpt'",
        f"distill.teacher: '{tmp_path}/teacher.ckpt' is no checkpoint [^;]*cut short",
        "trainer.devices=8 [^;]*8 GPUs, 2 [^;]*; [^;]*trainer.devices=2",
        "trainer.precision='8-bit' [^;]*one of auto, 32-true",
        "protocol: ",
    ):
        assert len(re.findall(part, words)) == 1, part
    assert "room for" not in words  # a model that can't be built has no size
    assert sorted(path.name for path in tmp_path.iterdir()) == files


def test_disk_folder_and_other_settings_of_the_run_come_with_the_rest(defaults, tmp_path, monkeypatch):
    run_dir = tmp_path / "run"
    _, used, _ = check_start(defaults, run_dir=run_dir)
    run_dir.mkdir()
    write_config(run_dir, used.plain())
    torch.save({}, run_dir / "last.ckpt")
    assert check_start(defaults, run_dir=run_dir).settings == used
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5000))
    words = faults_of(changed(defaults, {"distill.weight": 0.2, "optim.lr": 0.3, "init_from": "gone"}), run_dir)
    assert re.search("init_from: [^;]*no checkpoint file 'gone'", words)
    assert re.search(f"{run_dir} [^;]*other settings: ", words)
    assert "distill.weight=0.5 then, 0.2 now" in words
    assert re.search(f"{run_dir} [^;]*room for [0-9.]+ kB [^;]*4 of [0-9.]+ kB", words)
    (run_dir / "result.json").write_text('{"training": {"epochs": 30}}')
    assert check_start(defaults, run_dir=run_dir).settings == used  # a finished run needs no room


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.source": "vhs"}, "data.source='vhs' .*csv, .*folder"),
        ({"augment.rand_augment": "rand-oops"}, "rand_augment='rand-oops'"),
        # the whole sentence, once for its family
        ({"protocol.num_crops": 2}, r"protocol: num_crops=2 must be 1 \(centre\) or 3 \(along the long side\)$"),
        ({"init_from": "{tmp}/empty.pt"}, "init_from: '{tmp}/empty.pt' is no checkpoint .*empty;"),
        ({"init_from": "{tmp}"}, "init_from: '{tmp}' is a folder without model.safetensors"),
        ({"init_from": "{tmp}/list.pt"}, "init_from: '{tmp}/list.pt' holds a list, not a dictionary"),
        ({"init_from": "{tmp}/words.pt"}, r"init_from: .*holds 1 .*: 'a' \(str\)"),
        ({"distill.teacher": "{tmp}/none.pt"}, "distill.teacher: '{tmp}/none.pt' .*which model"),
        ({"ckpt_path": "{tmp}/none.pt"}, "'{tmp}/none.pt' is no checkpoint .*go on from"),
        (
            {"distill.teacher": "{teacher}", "data.frame_stride": 3},
            "distill.teacher: '{teacher}' .*data.frame_stride=2, this training .*3;",
        ),
    ],
)
def test_each_fault_is_one_sentence(defaults, tiny_run, tmp_path, changes, message):
    (tmp_path / "empty.pt").touch()
    for name, content in {"list": [1], "words": {"a": "b"}, "none": {"a": torch.zeros(2)}}.items():
        torch.save(content, tmp_path / f"{name}.pt")
    places = {"{tmp}": str(tmp_path), "{teacher}": str(tiny_run.checkpoint)}
    for mark, place in places.items():
        message = message.replace(mark, place)
        changes = {k: v.replace(mark, place) if isinstance(v, str) else v for k, v in changes.items()}
    words = faults_of(changed(defaults, changes), tmp_path)
    assert re.match(message, words), words


def test_places_that_are_not_there_come_with_the_rest(defaults, tmp_path):
    settings = changed(defaults, {"data.source": "csv", "data.train": str(tmp_path / "no.csv"), "optim.lr": "fast"})
    words = faults_of(changed(settings, {"data.batch_size": 0, "optim.warmup_epochs": 99}), tmp_path / "run")
    for part in (
        "data.batch_size=0 must be",
        "optim.lr='fast' must be",
        "optim.warmup_epochs=99 [^;]*trainer.max_epochs=30",
        f"data.train: [^;]*{tmp_path}/no.csv",
        "data.source=csv needs data.val;",
    ):
        assert len(re.findall(part, words)) == 1, part
    folder = {"data.root": str(tmp_path / "gone")}
    words = faults_of(changed(defaults, folder), tmp_path / "run")
    assert re.fullmatch(rf"data.root: [^;]*{tmp_path}/gone; .*{re.escape(str(Path.cwd()))}\)", words)


def test_files_that_serve_are_no_faults(defaults, tiny_run, tmp_path):
    legacy = tmp_path / "legacy.pth"
    torch.save({"model": {"a.weight": torch.zeros(2, 3)}}, legacy, _use_new_zipfile_serialization=False)
    changes = {"init_from": str(legacy), "distill.teacher": str(tiny_run.checkpoint)}
    assert check_start(changed(defaults, changes), run_dir=tmp_path).settings.init_from == str(legacy)
    for path in (legacy, tiny_run.checkpoint):
        assert repr(peek_checkpoint(str(path))) == repr(read_checkpoint(path))


def test_every_precision_of_lightning_is_known():
    """The words among the types that its Trainer takes."""
    choices = get_args(get_type_hints(Trainer.__init__)["precision"])
    words = {word for literal in choices for word in get_args(literal) if isinstance(word, str)}
    assert set(words_of(Precision)) == words | {"auto"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"protocol": "videomae"},  # the whole sentence, once for its family
            r"protocol='videomae' must be a group of settings, such as protocol.<name>=\.\.\.(?:;|$)",
        ),
        ({"distill": "/x/teacher.ckpt"}, "distill='/x/teacher.ckpt' [^;]*group of settings"),
        ({"data": None}, "data=None [^;]*group of settings"),
        ({"protocol.num_clip": 5}, r"protocol.num_clip is no setting; [^;]*protocol.num_clips\?"),
        ({"protocol.num_crops": "x"}, "protocol.num_crops='x' [^;]*whole number at least 1"),
        ({"protocol.name": ["a"]}, r"protocol.name=\['a'\] [^;]*word"),
        ({"data.root": 123}, "data.root=123 [^;]*a path; write it as '\"123\"'"),
        ({"data.train": ["a.csv", "b.csv"]}, r"data.train=\['a.csv', 'b.csv'\] [^;]*a path"),
        ({"data.source": ["csv"]}, r"data.source=\['csv'\] [^;]*word"),
        ({"data.cache": "disk"}, "data.cache='disk' [^;]*none, memory"),
        ({"data.train": "???"}, "data.train is missing;"),
        ({"model.name": ["a"]}, r"model.name=\['a'\] [^;]*word"),
        ({"ckpt_path": {"a": 1}}, "ckpt_path={'a': 1} [^;]*a path"),
        ({"optim.betas": [0.9, 1.0]}, r"optim.betas=\[0.9, 1.0\] [^;]*2 numbers at least 0 and below 1"),
        ({"seed": 5_000_000_000}, "seed=5000000000 [^;]*at most 4294967295"),
    ],
)
def test_odd_shapes_are_told_with_the_rest(defaults, tmp_path, changes, message):
    words = faults_of(changed(defaults, {"optim.lr": -1, **changes}), tmp_path)
    assert len(re.findall(message, words)) == 1, words
    assert len(re.findall("optim.lr=-1 [^;]*above 0", words)) == 1, words


def test_settings_that_are_left_out_have_their_defaults(defaults, tmp_path):
    values = copy.deepcopy(defaults)
    del values["data"]["mean"], values["seed"], values["trainer"]
    settings = check_start(values, run_dir=tmp_path).settings
    assert (settings.data.mean, settings.seed, settings.trainer.max_epochs) == ((0.485, 0.456, 0.406), 0, 30)


def test_one_epoch_is_enough(defaults, tmp_path):
    """A newcomer's first try: the usual warm-up is a share of the epochs."""
    assert check_start(changed(defaults, {"trainer.max_epochs": 1}), run_dir=tmp_path).settings.trainer.max_epochs == 1
    words = faults_of(changed(defaults, {"trainer.max_epochs": 1, "optim.warmup_epochs": 1}), tmp_path)
    assert re.match(r"optim.warmup_epochs=1 must be below trainer.max_epochs=1; .*leave it out$", words)


def test_options_of_another_layout_come_with_the_rest(defaults, tmp_path):
    words = faults_of(changed(defaults, {"data.split": 2, "optim.lr": -1, "data.root": "/gone"}), tmp_path)
    assert re.search("data.split is for data=hmdb51, pytorchvideo, ucf101, not for data.source=folder, .*out", words)
    assert len(re.findall("optim.lr=-1 |data.root: [^;]*/gone", words)) == 2
