"""Models of dense trainings from their settings; the weights they start from are tried in test_detection_parts.py."""

import pytest
from detector_run import detector_settings
from settings_checker import all_changed

from stvit_video.config.layout_options import read_with_layout
from stvit_video.dense.detector import Detector
from stvit_video.factories.dense_parts import build_dense, meta_dense, start_dense, training_arguments
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.settings.dense_settings import DenseSettings


def settings_of(values, **changes):
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    read = read_with_layout(DenseSettings, all_changed(values, dotted))
    assert (dict(read.wrong), read.unknown) == ({}, ())
    return read.settings


def test_head_rule_and_options_reach_the_model():
    values = detector_settings("/x", head="retinanet")
    detector = build_dense(settings_of(values, head__head_rule="mmdet", head__scales=2), num_classes=4)
    told = detector.describe()
    assert isinstance(detector, Detector)
    assert (told["head"], told["head_rule"], told["num_classes"]) == ("retinanet", "mmdet", 4)
    assert (told["options"]["scales"], told["options"]["neck_channels"]) == (2, 8)
    assert told["backbone"]["options"]["depths"] == [1, 1, 1, 1]
    assert not any("features_only" in options for options in (told["options"], told["backbone"]["options"]))


def test_the_model_without_memory_has_as_many_classes_as_coco():
    model = meta_dense(settings_of(detector_settings("/x")))
    assert model.num_classes == 80
    assert {one.device.type for one in model.parameters()} == {"meta"}


def test_a_start_without_weights_says_nothing(capsys):
    settings = settings_of(detector_settings("/x"))
    model = build_dense(settings, num_classes=3)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    start_dense(model, settings)
    assert all(before[key].equal(value) for key, value in model.state_dict().items())
    assert capsys.readouterr().out == ""
    with pytest.raises(CheckpointError, match="init_from=/no/where.ckpt: .*no checkpoint file"):
        start_dense(model, settings_of(detector_settings("/x"), init_from="/no/where.ckpt"))


def test_what_all_dense_modules_are_built_with(tiny_detector, capsys):
    settings = settings_of(tiny_detector.settings, optim__lr=0.5, trainer__max_nonfinite_steps=3, seed=7)
    listed = [type("Record", (), {"video_id": f"{name}.jpg"}) for name in "abc"]
    given = training_arguments(settings, type("Listed", (), {"records": listed})())
    assert (given["optim"].lr, given["seed"], given["max_skipped_fraction"]) == (0.5, 7, 0.05)
    assert (given["guard"].max_in_a_row, given["guard"].name_of(1)) == (3, "b.jpg")
    assert "effective batch 2" in capsys.readouterr().out
