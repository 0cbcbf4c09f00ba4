"""The task itself: what it finds wrong, completes and builds."""

import re

import pytest
from detector_run import detector_settings
from settings_checker import all_changed

from stvit_video.runs.preflight import check_start
from stvit_video.tasks.detection import Detection


def test_sound_settings_have_no_faults_and_become_whole(tiny_detector, monkeypatch):
    task = Detection()
    read = task.read(all_changed(tiny_detector.settings, {"data.root": "drawn"}))
    assert (dict(read.wrong), read.unknown) == ({}, ())
    assert task.faults(read.settings, (), task.parts(read.settings)) == []
    monkeypatch.chdir(tiny_detector.root.parent)
    assert task.complete(read.settings).data.plain()["root"] == str(tiny_detector.root)
    assert task.place_faults(read.settings, ()) == []


def test_the_model_without_memory_is_the_one_that_is_built(tiny_detector):
    task = Detection()
    settings = task.read(tiny_detector.settings).settings
    meta = task.meta_model(settings)
    assert {one.device.type for one in meta.parameters()} == {"meta"}
    module, data = task.build(settings, None)
    assert data.classes == ("disc", "square", "triangle")
    of_meta, of_built = ({k: tuple(v.shape) for k, v in model.state_dict().items()} for model in (meta, module.model))
    assert set(of_meta) == set(of_built)
    differing = {key.split(".")[-2] for key in of_meta if of_meta[key] != of_built[key]}
    assert differing == {"classes", "boxes"}  # of 80 classes and of three


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"data.source": "coco_folders", "data.root": None}, ["data.train_json"]),
        ({"data.source": "coco", "data.root": "/no/where"}, ["/no/where"]),
        ({"data.source": "voc_boxes", "data.root": "/no/where"}, ["/no/where"]),
        ({"data.short_side": 90}, ["short_side=90 .*long_side=64"]),
        ({"augment.crop_sides": [60, 40]}, ["crop_sides=.*60, 40"]),
        ({"head.anchor_ratios": [], "optim.lr": -1}, ["optim.lr=-1", "anchor_ratios"]),
        ({"head.necks": 3}, ["head.necks is no setting|necks"]),
    ],
)
def test_all_that_is_wrong_is_told_at_once(tiny_detector, tmp_path, changes, messages):
    values = all_changed(tiny_detector.settings, changes)
    if "data.source" in changes:
        own = ("num_train", "num_val", "image_size", "generation_seed")
        values["data"] = {name: value for name, value in values["data"].items() if name not in own}
    with pytest.raises(ValueError, match=".") as error:
        check_start(values, run_dir=tmp_path / "run")
    for message in messages:
        assert re.search(message, str(error.value)), str(error.value)
    assert not (tmp_path / "run").exists()


def test_checkpoints_of_the_other_kind_can_not_be_gone_on_with(tiny_run, tiny_detector, tmp_path):
    values = all_changed(tiny_detector.settings, {"ckpt_path": str(tiny_run.checkpoint)})
    with pytest.raises(ValueError, match="best.ckpt' .*go on from"):
        check_start(values, run_dir=tmp_path)
    longer = {"ckpt_path": str(tiny_detector.folder / "last.ckpt"), "trainer.max_epochs": 2}
    assert check_start(all_changed(tiny_detector.settings, longer), run_dir=tmp_path).settings.trainer.max_epochs == 2
    other = detector_settings(tiny_detector.root, head="retinanet")
    with pytest.raises(ValueError, match="last.ckpt' is of a training .*: .*head.name=faster_rcnn then, retinanet now"):
        check_start(all_changed(other, longer), run_dir=tmp_path)
