"""Shares, entropy and agreement of tokens, against loops and cases by hand."""

from dataclasses import replace

import numpy as np
import pytest

from stvit_video.visualization.token_record import NUM_NAMED, ClipTokens, VideoTokens


def clip(sources: np.ndarray, contributions: np.ndarray, occlusions: np.ndarray, *, num_frames: int = 6) -> ClipTokens:
    return ClipTokens(
        frames=np.zeros((num_frames, 5, 7, 3), dtype=np.uint8),
        seconds=np.arange(num_frames) / 10,
        seen=(0, 1, 5, 6),
        sources=sources.astype(np.float32),
        contributions=contributions,
        occlusions=occlusions,
        logits=np.array([1.0, 2.0]),
        probabilities=np.array([0.3, 0.7]),
    )


def video(*clips: ClipTokens) -> VideoTokens:
    return VideoTokens(
        name="a.mp4",
        clips=clips,
        classes=("no", "yes"),
        label=1,
        probabilities=np.array([0.3, 0.7]),
        multi_label=False,
        is_semantic=True,
        where="generated after 2 of 6 blocks",
        left_out="removed",
        token_grid=(1, 1, len(clips[0].sources)),
        fps=10.0,
        seconds=0.6,
        protocol="1 clip x 1 crop",
        model_name="stvit_video_deit_tiny",
        cost={},
    )


@pytest.fixture
def sources() -> np.ndarray:
    values = np.random.default_rng(0).random((5, 3, 2, 2))
    return values / values.sum(axis=(1, 2, 3), keepdims=True)


def test_shares_of_an_image_token_sum_to_one_and_are_in_proportion(sources):
    shares = clip(sources, np.ones(5), np.ones(5)).shares
    for place in np.ndindex(3, 2, 2):
        column = sources[(slice(None), *place)]
        np.testing.assert_allclose(shares[(slice(None), *place)], column / column.sum(), rtol=1e-5)


def test_an_image_token_that_no_token_comes_from_belongs_to_none(sources):
    sources[:, 1, 0, 1] = 0
    np.testing.assert_array_equal(clip(sources, np.ones(5), np.ones(5)).shares[:, 1, 0, 1], 0)


def test_entropy_is_zero_for_a_partition_and_one_for_equal_shares():
    partition = np.eye(4).reshape(4, 1, 2, 2)
    assert clip(partition, np.ones(4), np.ones(4)).entropy == 0
    assert clip(np.full((4, 1, 2, 2), 0.25), np.ones(4), np.ones(4)).entropy == pytest.approx(1)
    halves = np.array([[[[0.5, 0.5]]], [[[0.5, 0.5]]], [[[0, 0]]], [[[0, 0]]]])  # two of four tokens share all
    assert clip(halves, np.ones(4), np.ones(4)).entropy == pytest.approx(0.5)
    assert clip(np.ones((1, 1, 1, 1)), np.ones(1), np.ones(1)).entropy == 0
    drawn = np.concatenate([partition[:2], np.zeros((2, 1, 2, 2))])  # half of the places are in no token
    assert clip(drawn, np.ones(4), np.ones(4)).entropy == 0


def test_values_are_shared_out_over_their_sources(sources):
    values = np.array([3.0, -1.0, 0.5, 0.0, 2.0])
    spread = clip(sources, values, values).spread(values)
    assert spread.shape == (3, 2, 2)
    assert spread.sum() == pytest.approx(values.sum(), rel=1e-5)
    assert spread[2, 1, 0] == pytest.approx(sum(v * s[2, 1, 0] for v, s in zip(values, sources, strict=True)))


def test_frames_belong_to_the_steps_of_the_grid_in_equal_parts(sources):
    found = clip(sources, np.ones(5), np.ones(5))
    assert [found.frame_step(frame) for frame in range(6)] == [0, 0, 1, 1, 2, 2]


def test_named_tokens_are_those_that_contribute_most_over_all_clips():
    sources = np.full((10, 1, 1, 10), 0.1)
    first, second = np.arange(10.0), np.zeros(10)
    second[0] = -40.0
    found = video(clip(sources, first, first), clip(sources, second, second))
    assert found.num_tokens == 10
    assert found.named == (0, 9, 8, 7, 6, 5, 4, 3)
    assert len(found.named) == NUM_NAMED


def test_agreement_is_the_correlation_over_all_clips(sources):
    rng = np.random.default_rng(1)
    pairs = rng.normal(size=(4, 5))
    found = video(clip(sources, pairs[0], pairs[1]), clip(sources, pairs[2], pairs[3]))
    x, y = np.concatenate(pairs[[0, 2]]), np.concatenate(pairs[[1, 3]])
    slow = ((x - x.mean()) * (y - y.mean())).sum() / np.sqrt(((x - x.mean()) ** 2).sum() * ((y - y.mean()) ** 2).sum())
    assert found.agreement == pytest.approx(slow)
    assert video(clip(sources, np.ones(5), np.ones(5))).agreement is None


def test_means_and_full_values_are_over_all_clips(sources):
    rng = np.random.default_rng(2)
    clips = [clip(sources[::step], *rng.normal(size=(2, 5))) for step in (1, -1)]
    found = video(*clips)
    np.testing.assert_allclose(found.mean("occlusions"), (clips[0].occlusions + clips[1].occlusions) / 2)
    assert found.full_share == pytest.approx(
        max(one.shares[place] for one in clips for place in np.ndindex(5, 3, 2, 2))
    )
    for values in ("contributions", "occlusions"):
        spread = [one.spread(getattr(one, values))[place] for one in clips for place in np.ndindex(3, 2, 2)]
        sizes = sorted(map(abs, spread))
        assert found.largest_values[values] == pytest.approx(sizes[-1])
        below, rest = divmod(0.99 * (len(sizes) - 1), 1)
        quantile = sizes[int(below)] * (1 - rest) + sizes[int(below) + 1] * rest
        assert found.full_values[values] == pytest.approx(max(quantile, sizes[-1] / 4))
        assert found.full_values[values] < sizes[-1]


def test_a_quarter_of_one_huge_cell_is_full():
    sources = np.zeros((3, 1, 20, 20))
    sources[0, 0, 0, 0] = 1
    sources[1:] = 1 / 400
    found = video(clip(sources, np.array([8.0, 1, 1]), np.zeros(3)))
    assert (found.full_values["contributions"], found.largest_values["contributions"]) == pytest.approx(
        (2, 8), abs=0.01
    )
    assert found.full_values["occlusions"] == 0


def test_fewer_than_three_tokens_do_not_agree_however_many_clips(sources):
    pair = sources[:2] / sources[:2].sum(axis=(1, 2, 3), keepdims=True)
    values = np.random.default_rng(0).normal(size=(6, 2))
    assert video(*(clip(pair, value, value) for value in values)).agreement is None
    assert video(clip(sources, np.arange(5.0), np.arange(5.0))).agreement == pytest.approx(1)


def test_the_outline_of_what_is_seen(sources):
    part = clip(sources, np.ones(5), np.ones(5))  # columns 1 to 5 of 7
    assert not video(part).shows_all
    assert video(replace(part, seen=(0, 0, 5, 7))).shows_all
    assert not video(part, replace(part, seen=(0, 0, 5, 7))).shows_all


def test_a_picture_is_what_lasts_no_time(sources):
    moving = video(clip(sources, np.ones(5), np.ones(5)))
    assert not moving.is_picture
    assert replace(moving, seconds=float("nan")).is_picture
