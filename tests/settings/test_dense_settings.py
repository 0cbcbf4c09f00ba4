import pytest

from stvit_video.settings.declare import MISSING
from stvit_video.settings.dense_settings import DenseSettings
from stvit_video.settings.reading import read_settings
from stvit_video.settings.train_settings import TaskSettings


def test_a_head_is_chosen_and_has_options_of_its_own():
    read = read_settings(DenseSettings, {"head": {"name": "retinanet", "neck_channels": 8}})
    assert read.settings.head.options == {"neck_channels": 8}
    assert (read.settings.head.name, read.settings.head.head_rule) == ("retinanet", "ours")
    assert DenseSettings().head.name == MISSING


@pytest.mark.parametrize("value", ["detectron", 3, None])
def test_a_rule_is_one_of_those_that_there_are(value):
    read = read_settings(DenseSettings, {"head": {"name": "retinanet", "head_rule": value}})
    assert "head.head_rule" in read.wrong
    assert "ours" in read.wrong["head.head_rule"]
    assert "torchvision" in read.wrong["head.head_rule"]


def test_it_has_what_all_tasks_have_and_no_protocol():
    assert set(DenseSettings.model_fields) == {*TaskSettings.model_fields, "head"}
