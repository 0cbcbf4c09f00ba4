"""Tubes in frames: colours of winners, opacity by share, outlines between areas, dark surroundings, pixel by pixel."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import GRID_PIXELS, made_clip, made_video, three_clips

from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of
from stvit_video.visualization.tube_frame import (
    LINE_PIXELS,
    MOST_OPACITY,
    OTHERS_OPACITY,
    others_share,
    seen_frame,
    seen_title,
    share_frame,
    tube_frame,
)

ZOOM = 3
SIDE = ZOOM * GRID_PIXELS  # of a cell as drawn


def enlarged(clip):
    return clip.frames.shape[1] * ZOOM, clip.frames.shape[2] * ZOOM


def cell_at(picture, clip, row, column):
    """The pixels of a cell of what is seen."""
    top, left = clip.seen[0] * ZOOM + row * SIDE, clip.seen[1] * ZOOM + column * SIDE
    return picture[top : top + SIDE, left : left + SIDE]


def middle_of(picture, clip, row, column):
    """Without the outlines."""
    return cell_at(picture, clip, row, column)[LINE_PIXELS:-LINE_PIXELS, LINE_PIXELS:-LINE_PIXELS]


def grey_clip(**settings):
    """On frames of one grey, so that what is below a colour is known everywhere."""
    clip = made_clip(**settings)
    return replace(clip, frames=np.full_like(clip.frames, 100))


def laid(colour, opacity):
    return np.round(100 * (1 - opacity) + np.array(colour) * opacity)


def test_each_cell_has_the_colour_of_its_token_as_full_as_its_share():
    clip = grey_clip(num_tokens=5, softness=0.4)
    video = made_video(clip)
    most = video.full_share
    assert most == pytest.approx(max(clip.shares.reshape(-1)))
    for frame, step in ((0, 0), (3, 1), (5, 2)):
        picture = tube_frame(video, clip, frame, size=enlarged(clip))
        for row, column in np.ndindex(4, 4):
            shares = [float(clip.shares[token, step, row, column]) for token in range(5)]
            owner = shares.index(max(shares))
            expected = laid(colour_of(video, owner), MOST_OPACITY * shares[owner] / most)
            assert np.abs(middle_of(picture, clip, row, column) - expected).max() <= 1, (frame, row, column)


def test_a_hard_assignment_is_drawn_in_full_colour():
    clip = grey_clip(num_tokens=4)
    video = made_video(clip)
    assert video.full_share == 1
    picture = tube_frame(video, clip, 0, size=enlarged(clip))
    assert (middle_of(picture, clip, 1, 0) == laid(colour_of(video, 1), MOST_OPACITY)).all()  # the disc


def test_outlines_are_where_the_token_changes_and_nowhere_else():
    clip = grey_clip(num_tokens=3, grid=(1, 1, 2), num_frames=1, margin=(0, 0))
    sources = np.zeros((3, 1, 1, 2), dtype=np.float32)
    sources[0, 0, 0, 0] = sources[2, 0, 0, 1] = 1
    clip = replace(clip, sources=sources)
    video = made_video(clip)
    picture = tube_frame(video, clip, 0, size=enlarged(clip))
    left, right = (np.array(colour_of(video, token)) for token in (0, 2))
    assert (picture[:, SIDE - LINE_PIXELS : SIDE] == left).all()
    assert (picture[:, SIDE : SIDE + LINE_PIXELS] == right).all()
    assert (picture[:, : SIDE - LINE_PIXELS] == laid(left, MOST_OPACITY)).all()
    assert (picture[:, SIDE + LINE_PIXELS :] == laid(right, MOST_OPACITY)).all()


def test_tokens_without_a_colour_are_grey_and_have_no_outlines_between_them():
    clip = grey_clip(num_tokens=40, grid=(1, 1, 3), num_frames=1, margin=(0, 0))
    video = made_video(clip)
    first, second, *_ = (token for token in range(40) if token not in video.named)
    named = video.named[0]
    sources = np.zeros((40, 1, 1, 3), dtype=np.float32)
    for column, token in enumerate((first, second, named)):
        sources[token, 0, 0, column] = 1
    clip = replace(clip, sources=sources)
    video = made_video(clip)
    picture = tube_frame(video, clip, 0, size=enlarged(clip))
    grey = laid(OTHER_COLOUR, OTHERS_OPACITY)
    assert (picture[:, : 2 * SIDE - LINE_PIXELS] == grey).all()
    assert (picture[:, 2 * SIDE - LINE_PIXELS : 2 * SIDE] == OTHER_COLOUR).all()
    assert (picture[:, 2 * SIDE + LINE_PIXELS :] == laid(colour_of(video, named), MOST_OPACITY)).all()


def test_a_place_that_no_token_comes_from_has_no_colour_and_no_outline():
    clip = grey_clip(num_tokens=3, grid=(1, 1, 3), num_frames=1, margin=(0, 0))
    sources = np.zeros((3, 1, 1, 3), dtype=np.float32)
    sources[0, 0, 0, 0] = sources[1, 0, 0, 2] = sources[2, 0, 0, 2] = 1
    clip = replace(clip, sources=sources)
    video = made_video(clip)
    picture = tube_frame(video, clip, 0, size=enlarged(clip))
    assert (picture[:, SIDE : 2 * SIDE] == 100).all()
    assert (picture[:, SIDE - LINE_PIXELS : SIDE] == colour_of(video, 0)).all()
    assert (picture[:, 2 * SIDE : 2 * SIDE + LINE_PIXELS] == colour_of(video, 1)).all()


def test_what_the_model_does_not_see_is_dark_and_has_no_colour():
    clip = grey_clip(num_tokens=4, margin=(5, 8))
    picture = tube_frame(made_video(clip), clip, 0, size=enlarged(clip))
    top, left, bottom, right = (edge * ZOOM for edge in clip.seen)
    for part in (picture[:top], picture[bottom:], picture[:, :left], picture[:, right:]):
        assert (part == part[..., :1]).all()
        assert part.max() < 50


def test_only_some_tokens_may_be_coloured():
    clip = grey_clip(num_tokens=4)
    video = made_video(clip)
    picture = tube_frame(video, clip, 0, size=enlarged(clip), only=[1])
    assert (middle_of(picture, clip, 1, 0) == laid(colour_of(video, 1), MOST_OPACITY)).all()
    assert (middle_of(picture, clip, 0, 3) == 100).all()
    assert (tube_frame(video, clip, 0, only=[]) == tube_frame(video, clip, 0, only=[])[..., :1]).all()


def test_the_share_of_one_token_is_drawn_over_a_dark_frame():
    clip = grey_clip(num_tokens=4, softness=0.5)
    video = made_video(clip)
    picture = share_frame(video, clip, 5, 1, size=enlarged(clip))
    for row, column in np.ndindex(4, 4):
        opacity = MOST_OPACITY * float(clip.shares[1, 2, row, column]) / video.full_share
        expected = np.round(50 * (1 - opacity) + np.array(colour_of(video, 1)) * opacity)
        assert np.abs(cell_at(picture, clip, row, column) - expected).max() <= 1


def test_tokens_that_are_not_named_are_drawn_together():
    video = three_clips(num_tokens=16, softness=0.5)
    clip = video.clips[1]
    sums = [
        sum(float(one.shares[(token, *place)]) for token in range(16) if token not in video.named)
        for one in video.clips
        for place in np.ndindex(3, 4, 4)
    ]
    assert others_share(video) == pytest.approx(max(sums))
    grey = replace(clip, frames=np.full_like(clip.frames, 100))
    picture = share_frame(video, grey, 0, None, size=enlarged(grey))
    for row, column in np.ndindex(4, 4):
        others = sum(float(clip.shares[token, 0, row, column]) for token in range(16) if token not in video.named)
        opacity = MOST_OPACITY * others / max(sums)
        expected = np.round(50 * (1 - opacity) + np.array(OTHER_COLOUR) * opacity)
        assert np.abs(cell_at(picture, clip, row, column) - expected).max() <= 1


def test_without_other_tokens_nothing_is_drawn_for_them():
    clip = grey_clip(num_tokens=5)
    video = made_video(clip)
    assert others_share(video) == 0
    assert (cell_at(share_frame(video, clip, 0, None, size=enlarged(clip)), clip, 2, 2) == 50).all()


def test_the_frame_beside_it_is_as_it_was_but_for_the_outline():
    clip = made_clip(num_tokens=3, margin=(2, 8))
    picture = seen_frame(clip, 2, size=clip.frames.shape[1:3])
    changed = (picture != clip.frames[2]).any(axis=-1)
    top, left, bottom, right = clip.seen
    assert not changed[top + 1 : bottom - 1, left + 1 : right - 1].any()
    assert (picture[top, left:right] == 255).all()
    assert (picture[top - 1, left - 1 : right + 1] == 0).all()
    assert not changed[: top - 1].any()


@pytest.mark.parametrize("margin", [(0, 0), (3, 1), (41, 2)])
def test_any_aspect_is_drawn(margin):
    clip = made_clip(num_tokens=2, margin=margin, grid=(2, 3, 5), num_frames=2)
    picture = tube_frame(made_video(clip), clip, 1)
    assert picture.dtype == np.uint8
    assert all(side % 2 == 0 for side in picture.shape[:2])


def test_an_outline_is_told_where_there_is_one():
    clip = made_clip(num_tokens=3)
    assert seen_title(made_video(clip)) == "frame; the model sees what is outlined"
    whole = replace(clip, seen=(0, 0, *clip.frames.shape[1:3]))
    assert seen_title(made_video(whole)) == "frame; the model sees all of it"
    assert (seen_frame(whole, 0, size=whole.frames.shape[1:3]) == whole.frames[0]).all()
