"""Trainings of segmenters by the command's own function: each head, resumption, averages, broken pictures."""

import csv
import json
import re
import shutil

import pytest
import torch
from segmenter_run import OF_HEADS, segmenter_settings

from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.evaluate import evaluate
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.train import train
from stvit_video.training.segmentation_module import SegmentationModule
from stvit_video.training.task_module import TrainingStoppedError

SCORES = ("mIoU", "mAcc", "aAcc")


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("head", [head for head in OF_HEADS if head != "semantic_fpn"])
def test_each_head_trains_and_its_checkpoint_scores_alike(drawn_maps, tmp_path, capsys, head):
    """That of semantic_fpn is trained by the fixture of many tests."""
    result = train(segmenter_settings(drawn_maps, head=head), run_dir=tmp_path / "run")
    assert (result["task"], result["head"], result["num_pictures_used"]) == ("semantic", head, 5)
    (row,) = [row for row in rows_of(tmp_path / "run" / "metrics.csv") if row["val/mIoU"]]
    for name in SCORES:
        assert float(row[f"val/{name}"]) == pytest.approx(result[name], abs=1e-6)
    (row,) = [row for row in rows_of(tmp_path / "run" / "metrics.csv") if row["train/loss"]]
    losses = [float(row[f"train/{name}"]) for name in ("loss_map", "loss_auxiliary", "loss")]
    assert losses[0] > losses[1] > 0
    assert sum(losses[:2]) == pytest.approx(losses[2])
    told = capsys.readouterr().out
    assert re.search(r"epoch 1/1 .*val/mIoU 0\.\d+  .* pictures/s", told)
    assert "\nevaluating best.ckpt\n" in told
    again = evaluate({"ckpt_path": str(tmp_path / "run" / "best.ckpt"), "device": "cpu"}, output_dir=tmp_path / "again")
    assert {key: again[key] for key in SCORES} == {key: result[key] for key in SCORES}


def test_the_result_of_a_training(tiny_segmenter):
    result = json.loads((tiny_segmenter.folder / "result.json").read_text())
    assert result == tiny_segmenter.result
    assert re.fullmatch(
        r"mIoU 0\.\d+ .*\(short side 48, long side 64, whole picture, 5 of 5 pictures\)", result["result"]
    )
    assert (result["checkpoint"], result["training"]["epochs"], result["training"]["num_skipped"]) == ("best", 1, 0)
    assert result["training"]["clips_per_second"] > 0
    names = {path.name for path in tiny_segmenter.folder.iterdir()}
    assert {"result.json", "per_class.csv", "confusion_matrix.png", "examples.png", "curves.png"} <= names


def test_the_last_checkpoint_with_averaged_weights_is_reported(drawn_maps, tmp_path):
    settings = segmenter_settings(drawn_maps, "report_checkpoint=last", "optim.ema_decay=0.9", "optim.lr=0.1")
    assert train(settings, run_dir=tmp_path)["checkpoint"] == "last"
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    used = load_trained_segmenter(tmp_path / "last.ckpt", device="cpu").model.state_dict()
    key = next(key for key in used if key.startswith("map_head.") and key.endswith(".weight"))
    assert torch.equal(used[key], content["state_dict"][f"model.{key}"])
    assert not torch.equal(used[key], content["current_model_state"][f"model.{key}"])


@pytest.fixture
def broken(tiny_segmenter, tmp_path):
    """The settings for a copy of the pictures, and a function that cuts a picture of a part off."""
    root = tmp_path / "broken"
    shutil.copytree(tiny_segmenter.root, root)
    settings = as_label_maps(tiny_segmenter.settings, root)

    def cut_off(part, number=0):
        folder = root / "images" / part
        path = sorted(folder.iterdir())[number]
        path.write_bytes(path.read_bytes()[:200])
        return path.name

    return settings, cut_off


def as_label_maps(settings, root):
    """The same settings for pictures in ADE20K's layout that may have been changed, which nothing is to draw again."""
    own = ("num_train", "num_val", "image_size", "generation_seed", "root")
    data = {name: value for name, value in settings["data"].items() if name not in own}
    return {**settings, "data": {**data, "source": "ade", "root": str(root)}}


def test_pictures_that_can_not_be_read_are_told_and_left_out(broken, tmp_path, capsys):
    settings, cut_off = broken
    cut_off("validation")
    name = cut_off("training")
    settings["data"]["max_skipped_fraction"] = 0.5
    result = train(settings, run_dir=tmp_path / "run")
    assert result["result"].endswith("4 of 5 pictures)")
    assert (result["num_pictures_used"], result["num_pictures_listed"]) == (4, 5)
    assert result["training"]["num_skipped"] == 1
    told = capsys.readouterr().out
    assert "note: 1 of 5 validation pictures can't be read and are left out of val/mIoU" in told
    assert "1 training picture could not be read" in told
    (skipped,) = rows_of(tmp_path / "run" / "skipped.csv")
    assert name in skipped[next(iter(skipped))]


def test_too_many_broken_pictures_stop_the_training(broken, tmp_path):
    settings, cut_off = broken
    for number in range(6):
        cut_off("training", number)
    with pytest.raises((TrainingStoppedError, BrokenVideosError), match=r"\d+ .*\.png"):
        train(settings, run_dir=tmp_path / "run")
    assert not (tmp_path / "run" / "result.json").exists()


class PowerCutError(Exception):
    """What ends a training in the middle of an epoch."""


def test_stopped_within_an_epoch_it_ends_with_the_same_bits(drawn_maps, tmp_path, monkeypatch):
    """With random sizes, crops, flips and colours, an average of the weights, and channels that are dropped."""
    settings = segmenter_settings(
        *(drawn_maps, "trainer.max_epochs=3", "optim.ema_decay=0.7", "trainer.checkpoint_minutes=1e-6"),
        *("augment.photometric_probability=0.5", "model.drop_path_rate=0.3", "head.dropout=0.3"),
        *("optim.schedule=poly", "optim.poly_power=0.9"),
    )
    train(settings, run_dir=tmp_path / "whole")
    with monkeypatch.context() as patch:
        plain = SegmentationModule.training_step

        def step(self, batch, batch_index):
            if self.global_step == 5:
                raise PowerCutError
            return plain(self, batch, batch_index)

        patch.setattr(SegmentationModule, "training_step", step)
        with pytest.raises(PowerCutError):
            train(settings, run_dir=tmp_path / "part")
    stopped = torch.load(tmp_path / "part" / "last.ckpt", weights_only=True)
    assert (stopped["epoch"], stopped["global_step"]) == (1, 5)  # of three steps an epoch
    train(settings, run_dir=tmp_path / "part")
    ends = [torch.load(tmp_path / name / "last.ckpt", weights_only=True) for name in ("part", "whole")]
    for part in ("state_dict", "current_model_state"):
        one, other = (end[part] for end in ends)
        assert [key for key in other if not torch.equal(one[key], other[key])] == []
    timed = ("train/clips_per_second", "train/data_wait")
    rows = [
        [
            {key: value for key, value in row.items() if key not in timed}
            for row in rows_of(tmp_path / name / "metrics.csv")
        ]
        for name in ("part", "whole")
    ]
    assert rows[0] == rows[1]
