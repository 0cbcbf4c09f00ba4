"""Captions: times, signs, and warnings where a picture misleads."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import made_clip, made_video, three_clips

from stvit_video.visualization.token_captions import (
    agreement_words,
    clip_words,
    entropy_words,
    full_words,
    probability_words,
    scale_words,
    signed_words,
    tokens_words,
)


@pytest.mark.parametrize(
    ("value", "words"), [(0.41234, "+0.412"), (-12.3456, "-12.3"), (0.0, "0"), (-0.0, "0"), (1e-9, "+1e-09")]
)
def test_values_have_a_sign(value, words):
    assert signed_words(value) == words


def test_a_frame_says_its_clip_and_its_time():
    video = three_clips(num_tokens=3)
    assert clip_words(video, video.clips[1], 3) == "clip 2 of 3, 3.12 s"
    alone = made_video(made_clip(num_tokens=3))
    assert clip_words(alone, alone.clips[0], 4) == "0.50 s"
    picture = made_video(made_clip(num_tokens=3, num_frames=1, grid=(1, 2, 2)), is_picture=True)
    assert clip_words(picture, picture.clips[0], 0) == ""


def test_the_probability_is_that_of_the_clip_where_there_are_more():
    video = three_clips(num_tokens=3)
    chance = f" {video.clips[2].probabilities[1]:.2f}"
    assert probability_words(video, video.clips[2]) == ("right", f"{chance} in this clip")
    alone = made_video(video.clips[2])
    assert probability_words(alone, alone.clips[0]) == ("right", chance)


def test_a_nearly_even_assignment_is_told():
    assert entropy_words(0.1) == "assignment 0.10 of even: hard"
    assert entropy_words(0.83) == "assignment 0.83 of even: soft"
    assert "areas say little" in entropy_words(0.97)


def test_what_a_full_colour_stands_for():
    assert full_words(0.414, num_tokens=16) == (
        "full colour = a share of 0.41 of an image token; even shares would be 0.062"
    )


def test_low_agreement_is_a_warning():
    clip = made_clip(num_tokens=5)
    agreeing = made_video(replace(clip, occlusions=clip.contributions))
    assert agreement_words(agreeing) == "correlation of contribution and occlusion 1.00"
    told = agreement_words(made_video(replace(clip, occlusions=-clip.contributions)))
    assert told == (
        "correlation of contribution and occlusion -1.00, below 0.5: they disagree, so don't trust the contributions"
    )


@pytest.mark.parametrize(
    ("num_tokens", "changes", "why"),
    [
        (2, {}, "a clip has 2 tokens, and 3 are needed"),
        (5, {"occlusions": np.zeros(5)}, "all occlusions are 0"),
        (5, {"occlusions": np.zeros(5), "contributions": np.zeros(5)}, "all contributions and occlusions are 0"),
        (5, {"occlusions": np.ones(5)}, "all values are alike"),
    ],
)
def test_why_there_is_no_correlation(num_tokens, changes, why):
    clips = [replace(made_clip(num_tokens=num_tokens, seed=seed), **changes) for seed in range(4)]
    assert agreement_words(made_video(*clips)) == f"no correlation of contribution and occlusion: {why}"


def test_a_scale_that_some_cells_are_beyond_says_the_largest():
    sources = np.full((2, 1, 10, 20), 1 / 200, dtype=np.float32)
    clip = replace(made_clip(num_tokens=2), sources=sources, occlusions=np.array([2.0, 4.0]))
    video = made_video(replace(clip, contributions=np.zeros(2)))
    assert scale_words(video, "occlusions") == "±0.03"
    assert scale_words(video, "contributions") == "all 0"
    peak = np.zeros_like(sources)
    peak[:, 0, 0, 0] = 1
    peaked = made_video(replace(clip, sources=0.5 * sources + 0.5 * peak))
    assert scale_words(peaked, "occlusions") == "±0.75 and beyond (largest 3)"


def test_one_token_is_no_tokens():
    assert [tokens_words(count) for count in (1, 2)] == ["1 token", "2 tokens"]
