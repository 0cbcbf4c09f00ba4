"""The task itself: what it finds wrong, completes and builds."""

import re

import pytest
from segmenter_run import segmenter_settings
from settings_checker import all_changed

from stvit_video.runs.preflight import check_start
from stvit_video.tasks.semantic_segmentation import SemanticSegmentation


def test_sound_settings_have_no_faults_and_become_whole(tiny_segmenter, monkeypatch):
    task = SemanticSegmentation()
    read = task.read(all_changed(tiny_segmenter.settings, {"data.root": "drawn"}))
    assert (dict(read.wrong), read.unknown) == ({}, ())
    assert task.faults(read.settings, (), task.parts(read.settings)) == []
    monkeypatch.chdir(tiny_segmenter.root.parent)
    assert task.complete(read.settings).data.plain()["root"] == str(tiny_segmenter.root)
    assert task.place_faults(read.settings, ()) == []


def test_the_model_without_memory_is_the_one_that_is_built(tiny_segmenter):
    task = SemanticSegmentation()
    settings = task.read(tiny_segmenter.settings).settings
    meta = task.meta_model(settings)
    assert {one.device.type for one in meta.parameters()} == {"meta"}
    module, _ = task.build(settings, None)
    of_meta, of_built = ({k: tuple(v.shape) for k, v in model.state_dict().items()} for model in (meta, module.model))
    assert set(of_meta) == set(of_built)
    differing = {key.rpartition(".")[0] for key in of_meta if of_meta[key] != of_built[key]}
    assert len(differing) == 1  # of 80 classes and of those of the data


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"data.source": "ade", "data.root": "/no/where"}, ["/no/where"]),
        ({"data.source": "voc_segments", "data.root": "/no/where"}, ["/no/where"]),
        ({"data.short_side": 90}, ["short_side=90 .*long_side=64"]),
        ({"augment.scale_range": [2.0, 0.5]}, ["scale_range=.*2.0, 0.5"]),
        ({"head.dropout": 2, "optim.lr": -1}, ["optim.lr=-1", "dropout=2"]),
        ({"head.necks": 3}, ["head.necks is no setting|necks"]),
    ],
)
def test_all_that_is_wrong_is_told_at_once(tiny_segmenter, tmp_path, changes, messages):
    values = all_changed(tiny_segmenter.settings, changes)
    if "data.source" in changes:
        own = ("num_train", "num_val", "image_size", "generation_seed")
        values["data"] = {name: value for name, value in values["data"].items() if name not in own}
    with pytest.raises(ValueError, match=".") as error:
        check_start(values, run_dir=tmp_path / "run")
    for message in messages:
        assert re.search(message, str(error.value)), str(error.value)
    assert not (tmp_path / "run").exists()


def test_checkpoints_of_the_other_kind_can_not_be_gone_on_with(tiny_detector, tiny_segmenter, tmp_path):
    values = all_changed(tiny_segmenter.settings, {"ckpt_path": str(tiny_detector.checkpoint)})
    with pytest.raises(ValueError, match="best.ckpt' is of a training .*: task=detection then, semantic now"):
        check_start(values, run_dir=tmp_path)
    longer = {"ckpt_path": str(tiny_segmenter.folder / "last.ckpt"), "trainer.max_epochs": 2}
    assert check_start(all_changed(tiny_segmenter.settings, longer), run_dir=tmp_path).settings.trainer.max_epochs == 2
    other = segmenter_settings(tiny_segmenter.root, head="upernet")
    with pytest.raises(ValueError, match="last.ckpt' is of a training .*: .*head.name=semantic_fpn then, upernet now"):
        check_start(all_changed(other, longer), run_dir=tmp_path)
