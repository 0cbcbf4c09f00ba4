"""Trainings of detectors by the command's own function: each head, what a training starts from, broken pictures."""

import csv
import json
import re
import shutil

import pytest
import torch
from detector_run import OF_HEADS, detector_settings

from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.evaluate import evaluate
from stvit_video.train import train
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
    assert re.search(r"epoch 1/1 .*val/AP 0\.\d+  val/AP50 .* pictures/s", capsys.readouterr().out)
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
    given = ("report_checkpoint=last", "optim.ema_decay=0.5", "init_from=null", "trainer.check_val_every_n_epoch=1")
    result = train(detector_settings(shapes, *given), run_dir=tmp_path)
    assert result["checkpoint"] == "last"
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)
    averaged = load_trained_detector(tmp_path / "last.ckpt", device="cpu").model.state_dict()
    trained = [
        key for key, value in averaged.items() if value.is_floating_point() and f"model.{key}" in content["state_dict"]
    ]
    assert trained
    assert {key for key in content if "average" in key or "ema" in key} or content["callbacks"]


def test_weights_of_a_classifier_of_the_same_backbone_are_a_start(shapes, tmp_path, capsys):
    from stvit_video.models import create_model

    sizes = {"depths": (1, 1, 1, 1), "embed_dims": (16, 16, 16, 16)}
    classifier = create_model("casvit_xs", num_classes=7, **sizes)
    torch.save({"state_dict": classifier.state_dict()}, tmp_path / "classifier.pth")
    settings = detector_settings(shapes, f"init_from='{tmp_path}/classifier.pth'", "optim.lr=1e-12")
    train(settings, run_dir=tmp_path / "run")
    assert re.search(r"weights of .*classifier.pth: .*\d+ loaded", capsys.readouterr().out)
    weights = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["state_dict"]
    kept = {
        key: value
        for key, value in classifier.state_dict().items()
        if key.startswith("patch_embed") and value.dim() == 4
    }
    assert kept
    for key, value in kept.items():
        torch.testing.assert_close(weights[f"model.backbone.{key}"], value, rtol=0, atol=1e-6)


def test_a_detector_of_other_classes_is_a_start_and_one_of_the_same_keeps_its_head(tiny_detector, tmp_path, capsys):
    root = tmp_path / "two classes"
    shutil.copytree(tiny_detector.root, root)
    (root / "dataset.json").unlink()
    for part in ("train", "val"):
        path = root / "annotations" / f"instances_{part}.json"
        content = json.loads(path.read_text())
        content["categories"] = content["categories"][:2]
        known = {category["id"] for category in content["categories"]}
        content["annotations"] = [one for one in content["annotations"] if one["category_id"] in known]
        path.write_text(json.dumps(content))
    start = f"init_from='{tiny_detector.checkpoint}'"
    folders = [f"data.{part}_{kind}='{root}/{place}'" for part in ("train", "val") for kind, place in (
        ("json", f"annotations/instances_{part}.json"), ("images", part))]  # fmt: skip
    settings = detector_settings(tiny_detector.root, start, "optim.lr=1e-12")
    overrides = {
        key: value
        for key, value in settings["data"].items()
        if key not in ("root", "num_train", "num_val", "image_size", "generation_seed")
    }
    settings["data"] = {**overrides, "source": "coco_folders"} | {
        name.removeprefix("data."): value.strip("'") for name, _, value in (text.partition("=") for text in folders)
    }
    result = train(settings, run_dir=tmp_path / "other")
    assert result["num_classes"] == 2
    told = capsys.readouterr().out
    assert re.search("weights of .*stages.0.box.classes", told), told
    kept = detector_settings(tiny_detector.root, start, "init_head=keep", "optim.lr=1e-12")
    train(kept, run_dir=tmp_path / "kept")
    then, now = (
        torch.load(path, weights_only=True)["state_dict"]
        for path in (tiny_detector.checkpoint, tmp_path / "kept" / "last.ckpt")
    )
    for key in ("model.stages.0.box.classes.weight", "model.stages.0.box.boxes.bias"):
        torch.testing.assert_close(now[key], then[key], rtol=0, atol=1e-6)


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
    with pytest.warns(UserWarning, match="1 of 5 validation pictures can't be read .*left out of val/AP: .*000001.png"):
        result = train(settings, run_dir=tmp_path / "run")
    assert result["result"].endswith("4 of 5 pictures)")
    assert (result["num_pictures_used"], result["num_pictures_listed"]) == (4, 5)
    assert result["training"]["num_skipped"] == 1
    assert re.search("1 of 5 pictures .*000001.png", capsys.readouterr().out)
    (skipped,) = rows_of(tmp_path / "run" / "skipped.csv")
    assert "000001.png" in skipped[next(iter(skipped))]


def test_too_many_broken_pictures_stop_the_training(broken, tmp_path):
    for path in (broken / "train").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises((TrainingStoppedError, RuntimeError, ValueError), match="read|broken|damaged"):
        train(detector_settings(broken), run_dir=tmp_path / "run")
