import pytest

from stvit_video.settings.reading import read_settings
from stvit_video.settings.segmenter_evaluation_settings import SegmenterEvaluation


def test_what_is_left_out_is_as_the_checkpoint_says():
    settings = read_settings(SegmenterEvaluation, {"ckpt_path": "a.ckpt"}).settings
    of_checkpoint = ("short_side", "long_side", "window", "window_stride")
    assert [getattr(settings, name) for name in of_checkpoint] == [None] * 4
    assert (settings.precision, settings.batch_size) == ("32", 4)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("window_stride", 1.5, "whole number"),
        ("window", -1, "at least 0"),
        ("long_side", -2, "at least 1"),
        ("precision", "8", "bf16"),
    ],
)
def test_values_out_of_range(name, value, rule):
    wrong = read_settings(SegmenterEvaluation, {"ckpt_path": "a.ckpt", name: value}).wrong
    assert f"{name}={value!r}" in wrong[name]
    assert rule in wrong[name]
