from dataclasses import replace

import numpy as np
import pytest
from made_tokens import made_clip, made_video

from stvit_video.visualization.token_words import (
    asked_lines,
    doubts,
    home_share,
    label_words,
    place_words,
    same_sides,
)


def with_values(video, **values):
    """The video with other values in its only clip."""
    return replace(video, clips=[replace(video.clips[0], **values)])


@pytest.fixture(scope="module")
def video():
    return made_video(made_clip(num_tokens=5))


@pytest.mark.parametrize(("softness", "is_doubted"), [(0.0, False), (0.5, False), (1.0, True)])
def test_nearly_even_shares_are_told(softness, is_doubted):
    video = made_video(made_clip(num_tokens=5, softness=softness))
    assert any("(entropy 1.00 of 1)" in sentence for sentence in doubts(video)) == is_doubted


def test_a_dense_model_assigns_nothing(video):
    dense = replace(video, is_semantic=False, clips=made_video(made_clip(num_tokens=5, softness=1.0)).clips)
    assert not any("entropy" in sentence for sentence in doubts(dense))
    assert place_words(video) == "5 tokens generated after 2 of 6 blocks"
    assert place_words(dense).startswith("5 cells of")


@pytest.mark.parametrize(
    ("occlusions", "words"),
    [
        ([1, 2, 3, 4, 5], ""),
        ([2, 1, 5, 3, 4], ""),  # 0.6
        ([3, 1, 5, 2, 4], "disagree (correlation 0.30)"),
        ([5, 4, 3, 2, 1], "disagree (correlation -1.00)"),
        ([2, 2, 2, 2, 2], "can't be compared"),
    ],
)
def test_what_does_not_agree_is_told(video, occlusions, words):
    told = " ".join(doubts(with_values(video, contributions=np.arange(1, 6), occlusions=np.array(occlusions))))
    assert words in told
    assert ("Contribution and occlusion " in told.replace("occlusion are of the label", "")) == bool(words)


@pytest.mark.parametrize(
    ("contributions", "occlusions", "same", "is_told"),
    [
        ([1, 2, -3, 4, 5], [1, 2, -3, 4, 5], 1.0, False),
        ([1, 2, 3, 4, 5], [-5, -4, -3, -2, -1], 0.0, True),  # they agree in all but their sides
        ([-2, -1, 0.5, 1, 2], [-4, -3, -2, 1, 2], 10 / 12, False),
        ([-0.5, 1, 2, 3, 4], [-3, -2, -1, 0, 2], 5 / 8, True),  # 0 is on no side, whichever is counted
    ],
)
def test_the_same_side_by_hand(video, contributions, occlusions, same, is_told):
    asked = with_values(video, contributions=np.array(contributions), occlusions=np.array(occlusions))
    assert same_sides(asked) == pytest.approx(same)
    assert any("on the other side" in sentence for sentence in doubts(asked)) == is_told


def test_a_label_that_is_not_the_likeliest_is_told(video):
    likely = int(video.probabilities.argmax())
    other = (likely + 1) % len(video.classes)
    assert f"not the likeliest one ({video.classes[likely]})" in doubts(replace(video, label=other))[-1]
    assert label_words(replace(video, label=other)) == (
        f"predicted {video.classes[likely]} {video.probabilities[likely]:.3f}; "
        f"shown for {video.classes[other]} {video.probabilities[other]:.3f}"
    )
    assert asked_lines(replace(video, label=other)) == label_words(replace(video, label=other)).split("; ")
    assert label_words(replace(video, label=likely)) == (
        f"{video.classes[likely]}, probability {video.probabilities[likely]:.3f}"
    )
    assert asked_lines(replace(video, label=likely)) == []
    assert doubts(replace(video, label=likely, notes=["a note"])) == []


@pytest.mark.parametrize("token_grid", [(1, 2, 3), (2, 3), (3, 2, 2), (5,)])
def test_places_at_home_are_those_of_a_slow_loop(token_grid):
    sizes = (1,) * (3 - len(token_grid)) + token_grid
    num_tokens = int(np.prod(sizes))
    sources = np.random.default_rng(0).random((num_tokens, 3, 4, 5), dtype=np.float32)
    clip = replace(made_clip(num_tokens=num_tokens), sources=sources)
    num_at_home = 0
    for place in np.ndindex(3, 4, 5):
        time, row, column = (at * size // length for at, size, length in zip(place, sizes, (3, 4, 5), strict=True))
        home = (time * sizes[1] + row) * sizes[2] + column
        num_at_home += int(max(range(num_tokens), key=lambda token: sources[(token, *place)])) == home
    assert home_share(replace(made_video(clip), token_grid=token_grid)) == pytest.approx(num_at_home / 60)


def test_tubes_that_are_the_grid_of_pooling_are_told():
    cells = np.arange(3 * 4 * 4).reshape(3, 4, 4) % 16 // 2  # 8 tokens on a grid of 1 x 4 x 2
    clip = replace(made_clip(num_tokens=8), sources=(np.eye(8)[cells] / 6).transpose(3, 0, 1, 2).astype(np.float32))
    at_home = replace(made_video(clip), token_grid=(1, 4, 2))
    assert any("100 % of the places" in sentence for sentence in doubts(at_home))
    assert not any("grid" in sentence for sentence in doubts(replace(at_home, token_grid=(1, 2, 4))))


def test_one_token_is_neither_a_grid_nor_even():
    clip = replace(made_clip(num_tokens=2), sources=np.full((1, 3, 4, 4), 1 / 48, dtype=np.float32))
    clip = replace(clip, contributions=np.ones(1), occlusions=np.ones(1))
    alone = replace(made_video(clip), label=int(clip.probabilities.argmax()))
    assert doubts(alone) == [
        "Contribution and occlusion can't be compared: a clip has 1 token, and 3 are needed. Nothing vouches for the "
        "maps."
    ]
    assert place_words(alone) == "1 token generated after 2 of 6 blocks"
    assert place_words(replace(alone, is_semantic=False)) == "1 cell of generated after 2 of 6 blocks"
