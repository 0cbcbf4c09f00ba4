"""The settings that commands share are those of the commands, not copies."""

from dataclasses import replace
from inspect import signature

import pytest

from stvit_video import benchmark, predict
from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.shared_settings import (
    CKPT_PATH,
    DEVICE,
    PROTOCOL,
    TIME_LIMIT,
    VIEWS,
    token_choices,
    view_choices,
)


@pytest.mark.parametrize("command", [predict.COMMAND, benchmark.PREDICT])
def test_commands_have_them(command):
    settings = {setting.name: setting for setting in command.settings}
    shared = {setting.name: setting for setting in (CKPT_PATH, DEVICE, PROTOCOL, TIME_LIMIT, *VIEWS)}
    both = settings.keys() & shared.keys()
    assert {"ckpt_path", "device", "protocol"} <= both
    assert all(replace(settings[name], stand_ins=()) == shared[name] for name in both)


def test_what_they_take():
    assert PROTOCOL.read("videoswin") == "videoswin"
    with pytest.raises(ValueError, match="protocol='best' must be one of uniform, single"):
        PROTOCOL.read("best")
    with pytest.raises(ValueError, match="time_limit_seconds='0' .*above 0"):
        TIME_LIMIT.read("0")


@pytest.mark.parametrize(("words", "expected"), [([], None), (["num_tokens=8"], 8), (["num_tokens=2x3"], (2, 3))])
def test_the_choices_of_tokens_are_a_count_or_a_grid_and_a_place(words, expected):
    chosen = token_choices(replace(predict.COMMAND, positional=None).parse(["ckpt_path=a", "generate_at=2", *words]))
    assert chosen == {"num_tokens": expected, "generate_at": 2}
    for load in (load_recognizer, load_bundle):
        assert chosen.keys() <= signature(load).parameters.keys()


def test_the_choices_of_views_are_arguments_of_what_loads_checkpoints_and_bundles():
    command = replace(predict.COMMAND, positional=None)
    given = command.parse(["ckpt_path=a", "num_clips=3", "crop_size=64"])
    chosen = view_choices(given)
    assert {name: value for name, value in chosen.items() if value is not None} == {"num_clips": 3, "crop_size": 64}
    for load in (load_recognizer, load_bundle):
        assert chosen.keys() <= signature(load).parameters.keys()
