import shutil

import pytest

from stvit_video.evaluate import evaluate
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.tasks.segmenter_evaluation import evaluate_segmentation

SCORES = ("mIoU", "mAcc", "aAcc", "per_class")


@pytest.fixture
def values(tiny_segmenter):
    return {"ckpt_path": str(tiny_segmenter.checkpoint), "device": "cpu", "num_workers": 0, "batch_size": 2}


def test_the_pictures_of_the_training_give_its_scores(values, tiny_segmenter, tmp_path):
    summary = evaluate_segmentation(values, output_dir=tmp_path)
    for name in (*SCORES, "result", "num_pictures_used"):
        assert summary[name] == tiny_segmenter.result[name]
    assert summary["ckpt_path"] == values["ckpt_path"]


def test_other_pictures_and_settings(values, tiny_segmenter, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(tiny_segmenter.root, moved)
    changes = {"short_side": 40, "window": 32, "window_stride": 24, "precision": "bf16", "data": {"root": str(moved)}}
    summary = evaluate_segmentation(values | changes, output_dir=tmp_path / "out")
    assert summary["result"].endswith("(short side 40, long side 64, windows of 32 at stride 24, 5 of 5 pictures)")
    assert summary["precision"] == "bf16"


def test_settings_of_other_checkpoints_are_refused(values, tiny_run, tiny_detector, tmp_path):
    with pytest.raises(ValueError, match="detections is for a checkpoint that finds objects, .*labels pixels; leave"):
        evaluate(values | {"detections": 3}, output_dir=tmp_path / "out")
    with pytest.raises(ValueError, match="window is for a checkpoint that labels pixels, .*finds objects; leave"):
        evaluate({"ckpt_path": str(tiny_detector.checkpoint), "window": 64}, output_dir=tmp_path / "out")
    with pytest.raises(ValueError, match="window is for a checkpoint that labels pixels, .*labels videos; leave"):
        evaluate({"ckpt_path": str(tiny_run.checkpoint), "window": 64}, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_hold_no_segmenter_of_ours(values, tiny_run, tiny_detector, tmp_path):
    for run, task in ((tiny_run, "classification"), (tiny_detector, "detection")):
        with pytest.raises(CheckpointError, match=f"task={task}, .*task=semantic is needed"):
            evaluate_segmentation(values | {"ckpt_path": str(run.checkpoint)}, output_dir=tmp_path)


def test_data_without_maps_are_refused(values, tiny_detector, tmp_path):
    data = {"source": "coco", "root": str(tiny_detector.root)}
    with pytest.raises(ValueError, match="data.source=coco has no .*maps.*: data.source=ade, data.source="):
        evaluate_segmentation(values | {"data": data}, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_detector_and_a_classifier_are_refused_on_maps(tiny_detector, tiny_run, drawn_maps, tmp_path):
    data = {"source": "drawn_maps", "root": str(drawn_maps)}
    with pytest.raises(ValueError, match="data.source=drawn_maps has no boxes.*: data.source=coco, data.source="):
        evaluate({"ckpt_path": str(tiny_detector.checkpoint), "data": data}, output_dir=tmp_path / "out")
    with pytest.raises(ValueError, match="data.source=drawn_maps has label maps.*task=semantic"):
        evaluate({"ckpt_path": str(tiny_run.checkpoint), "data": data}, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_other_folders_need_no_names_of_classes(values, tiny_segmenter, tmp_path):
    places = {"val_images": tiny_segmenter.root / "images/validation"}
    places["val_maps"] = tiny_segmenter.root / "annotations/validation"
    data = {"source": "label_maps", **{name: str(place) for name, place in places.items()}}
    summary = evaluate_segmentation(values | {"data": data}, output_dir=tmp_path)
    for name in SCORES:
        assert summary[name] == tiny_segmenter.result[name]
    (tmp_path / "maps").mkdir()
    with pytest.raises(ValueError, match="there are no val label maps"):
        evaluate_segmentation(
            values | {"data": data | {"val_maps": str(tmp_path / "maps")}}, output_dir=tmp_path / "out"
        )


def test_other_classes_are_refused(values, tiny_segmenter, tmp_path):
    first = next(iter(tiny_segmenter.result["per_class"]))
    with pytest.raises(ValueError, match="class"):
        evaluate_segmentation(values | {"data": {"keep_classes": [first]}}, output_dir=tmp_path / "out")
    assert not (tmp_path / "out").exists()
