import json
import shutil

import pytest
from PIL import Image

from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.tasks.detector_evaluation import evaluate_detections


@pytest.fixture
def values(tiny_detector):
    return {"ckpt_path": str(tiny_detector.checkpoint), "device": "cpu", "num_workers": 0, "batch_size": 2}


def test_the_pictures_of_the_training_give_its_scores(values, tiny_detector, tmp_path):
    summary = evaluate_detections(values, output_dir=tmp_path)
    for name in ("AP", "AP50", "AR", "per_class", "result", "num_pictures_used", "detector", "picture_size"):
        assert summary[name] == tiny_detector.result[name]
    assert summary["ckpt_path"] == values["ckpt_path"]


def test_other_pictures_and_settings(values, tiny_detector, tmp_path):
    folder = tmp_path / "others"
    shutil.copytree(tiny_detector.root / "train", folder)
    shutil.copy(tiny_detector.root / "annotations" / "instances_train.json", tmp_path / "a.json")
    data = {"source": "coco_folders", "val_json": str(tmp_path / "a.json"), "val_images": str(folder)}
    changes = {"short_side": 40, "detections": 7, "score_threshold": 0.2, "nms_threshold": 0.6, "precision": "bf16"}
    summary = evaluate_detections(values | changes | {"data": data}, output_dir=tmp_path / "out")
    assert summary["result"].endswith("(64x40, 7 detections, score .2, NMS .6, 6 of 6 pictures)")
    assert summary["precision"] == "bf16"


def test_pictures_of_16_bits_are_told(values, tiny_detector, tmp_path, capsys):
    for name in ("val", "annotations"):
        shutil.copytree(tiny_detector.root / name, tmp_path / name)
    path = tmp_path / "val" / tiny_detector.pictures[0].name
    with Image.open(path) as picture:
        picture.convert("L").convert("I;16").save(path)
    data = {"source": "coco", "root": str(tmp_path)}
    evaluate_detections(values | {"data": data}, output_dir=tmp_path / "out")
    (note,) = [line for line in capsys.readouterr().out.splitlines() if "8 bits" in line]
    assert note.startswith("note: 1 of 5 val pictures")
    assert path.name in note


def test_other_categories_are_refused(values, tiny_detector, tmp_path):
    content = json.loads((tiny_detector.root / "annotations" / "instances_val.json").read_text())
    content["categories"][1]["name"] = "rectangle"
    (tmp_path / "a.json").write_text(json.dumps(content))
    data = {
        "source": "coco_folders",
        "val_json": str(tmp_path / "a.json"),
        "val_images": str(tiny_detector.root / "val"),
    }
    with pytest.raises(ValueError, match="rectangle"):
        evaluate_detections(values | {"data": data}, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_hold_no_detector_of_ours(values, tiny_run, tmp_path):
    with pytest.raises(CheckpointError, match="task=classification"):
        evaluate_detections(values | {"ckpt_path": str(tiny_run.checkpoint)}, output_dir=tmp_path)


def test_settings_of_detectors_for_a_checkpoint_that_labels_videos(tiny_run, tmp_path):
    from stvit_video.evaluate import evaluate

    with pytest.raises(ValueError, match="detections is for a checkpoint that finds objects"):
        evaluate({"ckpt_path": str(tiny_run.checkpoint), "detections": 5}, output_dir=tmp_path)


def test_detections_have_the_category_ids_of_the_file_that_is_scored(values, tiny_detector, tmp_path):
    content = json.loads((tiny_detector.root / "annotations" / "instances_val.json").read_text())
    new = {1: 7, 2: 37, 3: 67}
    for category in content["categories"]:
        category["id"] = new[category["id"]]
    for one in content["annotations"]:
        one["category_id"] = new[one["category_id"]]
    (tmp_path / "a.json").write_text(json.dumps(content))
    images = str(tiny_detector.root / "val")
    data = {"source": "coco_folders", "val_json": str(tmp_path / "a.json"), "val_images": images}
    summary = evaluate_detections(values | {"data": data, "score_threshold": 0.001}, output_dir=tmp_path / "out")
    found = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert found
    assert {one["category_id"] for one in found} <= {7, 37, 67}
    assert summary["AP"] == tiny_detector.result["AP"]


def test_a_classifier_of_one_label_is_refused_on_boxes(tiny_run, tiny_detector, tmp_path):
    from stvit_video.evaluate import evaluate

    values = {"ckpt_path": str(tiny_run.checkpoint), "data": {"source": "coco", "root": str(tiny_detector.root)}}
    with pytest.raises(ValueError, match="one label.*data.source=coco has boxes.*task=detection"):
        evaluate(values, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_checkpoint_is_told_before_settings_of_one_kind(tmp_path):
    from stvit_video.evaluate import evaluate

    with pytest.raises(CheckpointError, match="^there is no checkpoint file '/no/last.ckpt'"):
        evaluate({"ckpt_path": "/no/last.ckpt", "detections": 300}, output_dir=tmp_path)
