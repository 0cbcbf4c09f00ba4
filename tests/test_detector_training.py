"""Trainings of detectors by the command's own function: each head, what a training starts from, broken pictures."""

import csv
import json
import re
import shutil

import pytest
import torch
from detector_run import OF_HEADS, detector_settings

from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.evaluate import evaluate
from stvit_video.train import train
from stvit_video.training.detection_module import DetectionModule
from stvit_video.training.task_module import TrainingStoppedError


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("head", [head for head in OF_HEADS if head != "faster_rcnn"])
def test_each_head_trains_and_its_checkpoint_scores_alike(shapes, tmp_path, capsys, head):
    """That of faster_rcnn is trained by the fixture of many tests."""
    settings = detector_settings(shapes, head=head)
    result = train(settings, run_dir=tmp_path / "run")
    masks = settings["task"] == "instance"
    assert (result["task"], result["head"], result["num_pictures_used"]) == (settings["task"], head, 5)
    assert ("box_AP" in result) == masks
    (row,) = [row for row in rows_of(tmp_path / "run" / "metrics.csv") if row["val/AP"]]
    assert float(row["val/AP"]) == pytest.approx(result["AP"], abs=1e-6)
    told = capsys.readouterr().out
    assert re.search(r"epoch 1/1 .*val/AP 0\.\d+  val/AP50 .* pictures/s", told)
    assert "\nevaluating best.ckpt\n" in told
    again = evaluate({"ckpt_path": str(tmp_path / "run" / "best.ckpt"), "device": "cpu"}, output_dir=tmp_path / "again")
    assert {key: again[key] for key in ("AP", "AP50", "AR")} == {key: result[key] for key in ("AP", "AP50", "AR")}
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"result.json", "per_class.csv", "detections.json", "pr_curves.png", "examples.png", "curves.png"} <= names


def test_the_result_of_a_training(tiny_detector):
    result = json.loads((tiny_detector.folder / "result.json").read_text())
    assert result == tiny_detector.result
    assert re.fullmatch(
        r"AP 0\.\d+ .*\(64x48, 100 detections, score \.05, NMS \.5, 5 of 5 pictures\)", result["result"]
    )
    assert (result["checkpoint"], result["training"]["epochs"], result["training"]["num_skipped"]) == ("best", 1, 0)
    assert result["training"]["clips_per_second"] > 0
    assert set(result["per_class"]) == {"disc", "square", "triangle"}


def test_the_last_checkpoint_with_averaged_weights_is_reported(shapes, tmp_path):
    settings = detector_settings(shapes, "report_checkpoint=last", "optim.ema_decay=0.9", "optim.lr=0.1")
    assert train(settings, run_dir=tmp_path)["checkpoint"] == "last"
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    key = "stages.0.box.classes.weight"
    used = load_trained_detector(tmp_path / "last.ckpt", device="cpu").model.state_dict()[key]
    assert torch.equal(used, content["state_dict"][f"model.{key}"])
    assert not torch.equal(used, content["current_model_state"][f"model.{key}"])


@pytest.fixture
def broken(tiny_detector, tmp_path):
    """A copy of the pictures of which one in each part is cut off."""
    root = tmp_path / "broken"
    shutil.copytree(tiny_detector.root, root)
    for part in ("train", "val"):
        path = root / part / "000001.png"
        path.write_bytes(path.read_bytes()[:200])
    return root


def test_pictures_that_can_not_be_read_are_told_and_left_out(broken, tmp_path, capsys):
    settings = detector_settings(broken, "data.max_skipped_fraction=0.5", "trainer.max_epochs=1")
    result = train(settings, run_dir=tmp_path / "run")
    assert result["result"].endswith("4 of 5 pictures)")
    assert (result["num_pictures_used"], result["num_pictures_listed"]) == (4, 5)
    assert result["training"]["num_skipped"] == 1
    told = capsys.readouterr().out
    assert "1 of 5 pictures" in told
    assert "note: 1 of 5 validation pictures can't be read and are left out of val/AP" in told
    assert "1 training picture could not be read" in told
    assert "000001.png" in told
    (skipped,) = rows_of(tmp_path / "run" / "skipped.csv")
    assert "000001.png" in skipped[next(iter(skipped))]


def test_too_many_broken_pictures_stop_the_training(broken, tmp_path):
    for path in (broken / "train").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises((TrainingStoppedError, BrokenVideosError), match=r"\d+ .*000.*png"):
        train(detector_settings(broken), run_dir=tmp_path / "run")
    assert not (tmp_path / "run" / "result.json").exists()


class PowerCutError(Exception):
    """What ends a training in the middle of an epoch."""


def test_stopped_within_an_epoch_it_ends_with_the_same_bits(shapes, tmp_path, monkeypatch):
    """With random sizes, flips and parts, an average of the weights, and regions that are drawn."""
    settings = detector_settings(
        *(shapes, "trainer.max_epochs=3", "optim.ema_decay=0.7", "trainer.checkpoint_minutes=1e-6"),
        *("augment.short_sides=[32,40,48]", "augment.photometric_probability=0.5", "model.drop_path_rate=0.3"),
    )
    train(settings, run_dir=tmp_path / "whole")
    with monkeypatch.context() as patch:
        plain = DetectionModule.training_step

        def step(self, batch, batch_index):
            if self.global_step == 5:
                raise PowerCutError
            return plain(self, batch, batch_index)

        patch.setattr(DetectionModule, "training_step", step)
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
