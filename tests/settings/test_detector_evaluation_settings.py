import pytest

from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.reading import read_settings


def test_what_is_left_out_is_as_the_checkpoint_says():
    settings = read_settings(DetectorEvaluation, {"ckpt_path": "a.ckpt"}).settings
    of_checkpoint = ("short_side", "long_side", "detections", "score_threshold", "nms_threshold")
    assert [getattr(settings, name) for name in of_checkpoint] == [None] * 5
    assert (settings.precision, settings.batch_size) == ("32", 4)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("detections", 0, "at least 1"),
        ("score_threshold", 1.5, "at most 1"),
        ("nms_threshold", -0.1, "at least 0"),
        ("long_side", 2.5, "whole number"),
        ("precision", "8", "bf16"),
    ],
)
def test_values_out_of_range(name, value, rule):
    wrong = read_settings(DetectorEvaluation, {"ckpt_path": "a.ckpt", name: value}).wrong
    assert f"{name}={value!r}" in wrong[name]
    assert rule in wrong[name]
