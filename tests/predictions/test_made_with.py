"""What results depend on: the same for a copy of a checkpoint, another for everything that changes a probability."""

import pytest

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.predictions.checkpoint_digest import checkpoint_values
from stvit_video.predictions.made_with import describe_differences, made_with


@pytest.fixture
def recognizer(tiny_run):
    return load_recognizer(tiny_run.checkpoint, device="cpu")


def values(recognizer, **settings):
    return made_with(
        checkpoint_values(recognizer),
        protocol=recognizer.protocol,
        preprocessing=recognizer.preprocessing,
        num_classes=len(recognizer.classes),
        **({"top_k": 5, "threshold": None} | settings),
    )


def test_the_values_are_plain_and_named_as_settings_are(recognizer):
    found = values(recognizer)
    assert (found["num_clips"], found["num_crops"], found["average"], found["protocol"]) == (2, 3, "prob", "uniform")
    assert (found["top_k"], found["threshold"], found["num_tokens"]) == (3, None, [1, 2, 2])  # three classes
    assert (found["num_frames"], found["crop_size"]) == (4, 16)
    assert values(recognizer, threshold=0.5)["top_k"] is None


def test_every_choice_is_seen(recognizer, tiny_run):
    choices = [{"num_tokens": 8}, {"protocol": "videoswin"}, {"num_clips": 3}, {"num_crops": 1}, {"average": "logit"}]
    loaded = [values(load_recognizer(tiny_run.checkpoint, device="cpu", **choice)) for choice in choices]
    asked = [values(recognizer, **choice) for choice in ({"top_k": 1}, {"threshold": 0.5}, {"features": True})]
    assert all(describe_differences(values(recognizer), other) for other in (*loaded, *asked))
    assert describe_differences(values(recognizer), values(recognizer)) == ""


def test_differences_in_words():
    then = {"checkpoint": "a" * 64, "num_tokens": [4, 2, 2], "features": False, "threshold": None, "top_k": 5}
    now = {"checkpoint": "b" * 64, "num_tokens": [1, 2, 2], "features": True, "threshold": 0.5, "top_k": 5}
    assert describe_differences(then, now) == (
        "another checkpoint (digest aaaaaaaaaaaa then, bbbbbbbbbbbb now); num_tokens=4,2,2 then, 1,2,2 now; "
        "features=false then, true now; threshold=none then, 0.5 now"
    )
    assert describe_differences({"bundle": "a" * 64}, {"bundle": "b" * 64}).startswith(
        "another bundle (digest aaaaaaaaaaaa "
    )
