"""Sentences about parameters in the words of a command: what is changed, and what must never be."""

import pytest

from stvit_video.utils.setting_words import as_settings

NAMES = (
    *("model.num_tokens", "model.pool", "model.image_size", "model.norm_after_pool", "model.num_frames"),
    *("data.num_frames", "data.batch_size", "data.image_size", "data.cache", "data.backend", "optim.lr", "run"),
)
OF_EVALUATE = ("batch_size", "backend", "data.label_separator", "num_workers")


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("lower batch_size or add videos", "lower data.batch_size or add videos"),
        ("set cache='none'", "set data.cache=none"),
        ('use pool="mean", or another', "use model.pool=mean, or another"),
        ("build it with norm_after_pool=True and", "build it with model.norm_after_pool=true and"),
        ("num_tokens=(2, 3) and num_tokens=[2, 3]", "model.num_tokens=[2,3] and model.num_tokens=[2,3]"),
        ("num_tokens=None", "model.num_tokens=null"),
        # of two groups the data, in a sentence about a model the model
        ("num_frames=3 is odd", "data.num_frames=3 is odd"),
        ("model=deit: num_frames=3 is odd", "model=deit: model.num_frames=3 is odd"),
    ],
)
def test_names_and_values(sentence, told):
    assert as_settings(sentence, NAMES) == told


@pytest.mark.parametrize(
    "sentence",
    [
        "data.batch_size=3 and optim.lr=0.1 are fine",
        "there is no file /home/batch_size/num_tokens=3.mp4",
        "can't read 'a batch_size=3.mp4'; the patch's size",
        "the cache is full",  # a plain word
        "run='a b' is no name",  # as the user gave it
        "open_video(path, isolate=False) and decoder='x'",  # no settings
        "write e.g. {000..099}",
        "num_tokens is no setting; did you mean model.num_tokens?",
    ],
)
def test_what_stays(sentence):
    assert as_settings(sentence, NAMES) == sentence


def test_settings_of_a_training_lose_their_group_where_the_command_has_none():
    sentence = "lower data.num_workers or data.batch_size, use data.backend=isolated, or leave label_separator out"
    told = "lower num_workers or batch_size, use backend=isolated, or leave data.label_separator out"
    assert as_settings(sentence, OF_EVALUATE) == told


def test_a_command_without_settings_changes_nothing():
    assert as_settings("lower batch_size='x'", ()) == "lower batch_size='x'"


def test_what_is_said_of_a_training_is_left_out_there():
    sentence = "raise time_limit_seconds (in a training data.time_limit_seconds) if it is long"
    assert as_settings(sentence, ["data.time_limit_seconds"]) == "raise data.time_limit_seconds if it is long"
    assert as_settings(sentence, ["time_limit_seconds"]) == "raise time_limit_seconds if it is long"
