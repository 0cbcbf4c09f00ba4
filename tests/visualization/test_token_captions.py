"""Captions: times, signs, and warnings where a picture misleads."""

import pytest
from made_tokens import made_clip, made_video, three_clips

from stvit_video.visualization.token_captions import (
    agreement_words,
    clip_words,
    entropy_words,
    full_words,
    probability_words,
    signed_words,
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
    assert agreement_words(0.71) == "correlation of contribution and occlusion 0.71"
    assert "don't trust" in agreement_words(0.49)
    assert "-0.30" in agreement_words(-0.3)
    assert "no correlation" in agreement_words(None)
