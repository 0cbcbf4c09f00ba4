"""Settings of a run: what they mean for a checkpoint, on a command line, and stored."""

import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch

from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.run_settings import RunSettings, own_settings, run_with, short_side_of
from stvit_video.models import create_model

SETTINGS = RunSettings(
    num_frames=2,
    frame_stride=3,
    crop_size=12,
    short_side=14,
    num_tokens=2,
    generate_at=1,
    num_clips=3,
    num_crops=1,
)


def test_a_run_with_settings_equals_a_checkpoint_that_is_loaded_with_them(elastic_run):
    trained, clip = elastic_run.load(), torch.rand(2, 3, 4, 12, 12)
    one = replace(SETTINGS, num_frames=4)
    run, loaded = run_with(trained, one), load_recognizer(elastic_run.checkpoint, device="cpu", **one.plain())
    assert (run.protocol, run.preprocessing) == (loaded.protocol, loaded.preprocessing)
    with torch.inference_mode():
        assert torch.equal(run.model(clip), loaded.model(clip))
    assert own_settings(run) == one
    assert own_settings(trained).num_clips == 2  # the checkpoint's views stay its own


def test_own_settings_are_those_of_the_checkpoint(elastic_run):
    own = own_settings(elastic_run.load())
    assert own.plain() == {
        "num_frames": 4,
        "frame_stride": 2,
        "crop_size": 16,
        "short_side": 20,
        "num_tokens": 4,
        "generate_at": 2,
        "num_clips": 2,
        "num_crops": 3,
    }
    assert own.num_views == 6
    assert own.view_size == (3, 4, 16, 16)


def test_a_grid_that_no_count_gives_stays_a_grid(elastic_run):
    trained = elastic_run.load()
    run = run_with(trained, replace(SETTINGS, num_frames=4, num_tokens=(1, 1, 4)))
    assert own_settings(run).num_tokens == (1, 1, 4)
    assert own_settings(run_with(trained, replace(SETTINGS, num_tokens=4))).num_tokens == 4


def test_the_short_side_grows_with_the_picture(elastic_run):
    trained = elastic_run.load()
    assert [short_side_of(trained, crop_size=size, num_crops=1) for size in (8, 16, 32)] == [10, 20, 40]
    videoswin = load_recognizer(elastic_run.checkpoint, device="cpu", protocol="videoswin")
    assert short_side_of(videoswin, crop_size=12, num_crops=3) == 12
    loaded = load_recognizer(elastic_run.checkpoint, device="cpu", protocol="mvit", crop_size=12, num_crops=1)
    assert short_side_of(loaded, crop_size=12, num_crops=1) == loaded.preprocessing.short_side


def test_words_of_a_command_line():
    own = replace(SETTINGS, num_frames=4, num_tokens=(1, 2, 2), short_side=14)
    assert SETTINGS.words(SETTINGS) == ""
    assert SETTINGS.words(own) == "num_frames=2 num_tokens=2"
    assert own.words(SETTINGS, model_prefix="model.") == "num_frames=4 model.num_tokens=[1,2,2]"
    assert own.words(SETTINGS) == "num_frames=4 num_tokens=1x2x2"
    whole = "num_frames=2 frame_stride=3 crop_size=12 short_side=14 num_tokens=2 generate_at=1 num_clips=3 num_crops=1"
    assert SETTINGS.words() == whole
    # the default of the short side depends on the picture size, so it is told with it
    assert SETTINGS.words(replace(SETTINGS, crop_size=10)) == "crop_size=12 short_side=14"
    dense = replace(SETTINGS, num_tokens=None, generate_at=None)
    assert "tokens" not in dense.words()
    assert len(shlex.split(dense.words())) == 6


def test_plain_values_and_back():
    for one in (
        SETTINGS,
        replace(SETTINGS, num_tokens=(1, 2, 2)),
        replace(SETTINGS, num_tokens=None, generate_at=None),
    ):
        assert RunSettings.of_plain(one.plain()) == one
    for wrong in ({"num_frames": 0}, {"num_tokens": [0]}, {"num_clips": None}, {"more": 1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            RunSettings.of_plain({**SETTINGS.plain(), **wrong})


def test_a_place_that_was_not_trained_is_no_warning_here(elastic_run, recwarn):
    model = create_model(
        "stvit_video_deit_tiny",
        num_frames=4,
        image_size=16,
        patch_size=4,
        embed_dim=8,
        num_heads=2,
        depth=6,
        num_tokens=2,
        generate_at=2,
    )
    trained = replace(elastic_run.load(), model=model.eval())
    assert run_with(trained, SETTINGS).model.generate_at == 1
    assert not recwarn.list
    assert np.isfinite(own_settings(trained).num_views)
