"""The commands on pictures, end to end: a tiny image model trains, evaluates and predicts, from files and a .zip."""

import json
import os
import signal
from shutil import make_archive

import pytest
import torch
from evaluating import evaluate
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from picture_maker import pack, write_picture, write_tree

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.factories.manifests import build_manifest, build_manifests
from stvit_video.inference.predicting import predict_records
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.predictions.inputs import read_inputs
from stvit_video.runs.data_scan import scan_data
from stvit_video.settings.paths import CONF_DIR
from stvit_video.train import train
from stvit_video.training.callbacks.interruption import TrainingInterruptedError
from stvit_video.training.module import ClassificationModule

TINY = [
    "data=image_folder",
    "data.short_side=20",
    "data.crop_size=16",
    "data.batch_size=8",
    "data.num_workers=0",
    "model=stvit_deit_tiny",
    "model.patch_size=4",
    "model.embed_dim=8",
    "model.num_heads=2",
    "model.depth=4",
    "model.generate_at=1",
    "model.num_tokens=4",
    "augment=imagenet",
    "optim.warmup_epochs=0",
    "trainer.max_epochs=1",
    "trainer.accelerator=cpu",
    "trainer.enable_progress_bar=false",
]


@pytest.mark.parametrize("packed", [True, False])
def test_manifests_of_the_settings(tmp_path, monkeypatch, packed):
    for name in ("train/jump/a.JPEG", "train/walk/b.png", "val/walk/c d.jpg"):
        (tmp_path / "tree" / name).parent.mkdir(parents=True)
        (tmp_path / "tree" / name).touch()
    if packed:
        make_archive(str(tmp_path / "tree"), "zip", tmp_path / "tree")
    monkeypatch.chdir(tmp_path)
    data = {"source": "image_folder", "root": "tree.zip" if packed else "tree"}
    train, val = build_manifests(data)
    assert train.classes == val.classes == ("jump", "walk")
    assert [record.video_id for record in train.records] == ["jump/a.JPEG", "walk/b.png"]
    assert all(record.is_picture for record in train.records)
    assert [record.path for record in val.records] == [tmp_path / ("tree.zip" if packed else "tree/val/walk/c d.jpg")]
    if not packed:
        part = build_manifest({"source": "image_folder", "root": "tree", "val": "train"}, "val")
        assert part.records == train.records
        with pytest.raises(ManifestError, match=r"^data.val: .*no.zip;"):
            build_manifest({"source": "image_folder", "val": "no.zip"}, "val")


def settings_for(place, *overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("train", overrides=[*TINY, f"data.root='{place}'", *overrides])
    return OmegaConf.to_container(config, resolve=True)


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of a run on a tree of 40 pictures and of one on its archive, the tree, the archive."""
    root = tmp_path_factory.mktemp("images")
    tree = write_tree(root / "tree", num_train=10, num_val=3)
    archive = pack(tree, root / "tree.zip", below="pictures/")
    for name, place in (("folder", tree), ("archive", archive)):
        train(settings_for(place), run_dir=root / name)
    return root


def test_archive_and_folder_train_alike(runs):
    folder, archive = weights(runs / "folder" / "last.ckpt"), weights(runs / "archive" / "last.ckpt")
    assert all(torch.equal(archive[key], value) for key, value in folder.items())
    results = [json.loads((runs / name / "result.json").read_text()) for name in ("folder", "archive")]
    assert results[0]["result"] == results[1]["result"]
    assert results[0]["result"].endswith(
        "(9 of 9 videos, 1 clip x 1 crop, softmax averaged, short side 20, protocol single)"
    )
    assert results[0]["protocol"] == {"name": "single", "num_clips": 1, "num_crops": 1, "average": "prob"}


SEVERAL_SIZES = [
    "data.short_side=28",
    "data.crop_size=24",
    "data.batch_size=4",
    "data.multi_scale=[16,24,32]",
    "data.multi_scale_batch=constant_pixels",
    "augment.on_device=true",
    "trainer.max_epochs=3",
]


def test_a_training_at_several_sizes_goes_on_in_the_middle_of_an_epoch(runs, tmp_path, monkeypatch, capsys):
    """30 pictures: 2 batches of each size an epoch, of 9, 4 and 2 pictures."""
    seen, number = [], {"stop": None}
    plain_step = ClassificationModule.training_step

    def step(self, batch, batch_index):
        seen.append((self.current_epoch, tuple(batch["clip"].shape), tuple(batch["index"].tolist())))
        if len(seen) == number["stop"]:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain_step(self, batch, batch_index)

    monkeypatch.setattr(ClassificationModule, "training_step", step)
    train(settings_for(runs / "tree", *SEVERAL_SIZES), run_dir=tmp_path / "whole")
    assert (
        "; multi-scale 16 to 32 pixels: batch 9 to 2/process, the effective batch is that of "
        in capsys.readouterr().out
    )
    whole = list(seen)
    shapes = sorted([(9, 3, 1, 16, 16), (4, 3, 1, 24, 24), (2, 3, 1, 32, 32)] * 2)
    for epoch in range(3):
        assert sorted(shape for at, shape, _ in whole if at == epoch) == shapes
        assert sorted(index for at, _, indices in whole if at == epoch for index in indices) == list(range(30))
    seen.clear()
    number["stop"] = 9  # the third batch of the second epoch
    settings = settings_for(runs / "tree", *SEVERAL_SIZES, "data.num_workers=1")
    with pytest.raises(TrainingInterruptedError):
        train(settings, run_dir=tmp_path / "parts")
    train(settings, run_dir=tmp_path / "parts")
    assert seen == whole
    one, two = (weights(tmp_path / name / "last.ckpt") for name in ("whole", "parts"))
    assert all(torch.equal(two[key], value) for key, value in one.items())
    steps = torch.load(tmp_path / "parts" / "last.ckpt", weights_only=True)["lr_schedulers"][0]["last_epoch"]
    assert steps == 18  # all that the schedule was made for
    assert json.loads((tmp_path / "parts" / "result.json").read_text())["preprocessing"]["crop_size"] == 24


def test_evaluation_of_the_same_and_of_other_pictures(runs, tmp_path):
    trained = json.loads((runs / "archive" / "result.json").read_text())
    checkpoint = runs / "archive" / "best.ckpt"
    assert evaluate(ckpt_path=checkpoint, output_dir=tmp_path / "same")["top1"] == trained["top1"]
    moved = evaluate(ckpt_path=checkpoint, output_dir=tmp_path / "moved", root=str(runs / "tree"), num_workers=2)
    assert moved["top1"] == trained["top1"]
    broken = write_tree(tmp_path / "broken", num_val=2)
    (broken / "val" / "pear" / "0 of 2.JPEG").write_bytes(b"no picture")
    result = evaluate(
        ckpt_path=checkpoint, output_dir=tmp_path / "other", source="image_folder", val=str(broken / "val")
    )
    assert [result["num_videos_used"], result["num_videos_listed"]] == [5, 6]
    assert "pear/0 of 2.JPEG" in (tmp_path / "other" / "predictions.csv").read_text()


def test_prediction_of_a_photograph(runs, tmp_path):
    photo = write_picture(tmp_path / "my photo.jpg", seed=5)
    (tmp_path / "bad.jpg").write_bytes(b"")
    recognizer = load_recognizer(runs / "folder" / "best.ckpt")
    listed = read_inputs([str(photo), str(tmp_path / "bad.jpg")], of_pictures=True)
    good, bad = predict_records(recognizer, [video.record() for video in listed.videos])
    assert set(good.labels) == {"apple", "pear", "quince"}
    assert abs(sum(good.probabilities) - 1) < 1e-5
    assert "bad.jpg': it is no picture of a known format" in bad.error


def test_models_of_clips_take_no_pictures(runs, tiny_run, tmp_path):
    with pytest.raises(ValueError, match=r"is a picture, .*clips of 4 frames"):
        evaluate(
            ckpt_path=tiny_run.checkpoint,
            output_dir=tmp_path,
            source="image_folder",
            root=str(pack(write_as_trained(tmp_path), tmp_path / "x.zip")),
        )
    photo = write_picture(tmp_path / "photo.jpg", seed=5)
    records = [video.record() for video in read_inputs([str(photo)]).videos]
    [prediction] = predict_records(load_recognizer(tiny_run.checkpoint), records)
    assert "it is a still picture, not a video" in prediction.error


def write_as_trained(folder):
    """A tree of pictures under class names that the tiny run's checkpoint knows."""
    write_picture(folder / "tree" / "val" / "jump" / "1.png", seed=1)
    write_picture(folder / "tree" / "val" / "run" / "1.png", seed=2)
    return folder / "tree"


@pytest.mark.parametrize("packed", [True, False])
def test_doctor(tmp_path, capsys, packed):
    tree = write_tree(tmp_path / "tree", num_train=2, num_val=1)
    copy = tree / "val" / "pear" / "copy.jpeg"
    copy.write_bytes((tree / "train" / "apple" / "0 of 2.JPEG").read_bytes())
    (tree / "train" / "quince" / "bad.jpg").write_bytes(copy.read_bytes()[:200])
    place = pack(tree, tmp_path / "tree.zip") if packed else tree
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        config = compose("doctor", overrides=["data=image_folder", f"data.root='{place}'", "num_workers=1"])
    settings = OmegaConf.to_container(config, resolve=True)
    scan_data(settings, output_dir=tmp_path / "out")
    printed = capsys.readouterr().out
    assert "11 files are listed (7 train, 4 val): 10 are good, 1 are not" in printed
    assert "10 jpeg; 0.00 GB, short side " in printed
    assert "1 pictures are in train and in val, byte by byte" in printed
    assert "preparing" not in printed
    data = settings["data"] | {"quarantine": str(tmp_path / "out" / "quarantine.csv")}
    assert len(build_manifest(data, "train").records) == 6


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=stvit_video_deit_tiny"], "model=stvit_video_deit_tiny .*clips, data.source=image_folder .*pictures"),
        (["data.root=gone.zip"], "data.root: .*gone.zip;"),
        (["data.num_frames=4"], "data.num_frames=4 .*data.source=image_folder"),
        (["model.num_tokens=5000"], "num_tokens=5000"),
    ],
)
def test_mistakes_are_one_sentence(runs, tmp_path, overrides, message):
    with pytest.raises(ValueError, match=message):
        train(settings_for(runs / "tree.zip", *overrides), run_dir=tmp_path)
