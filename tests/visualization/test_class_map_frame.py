"""Class maps in frames: sign by colour, size by opacity, one scale for the video, cell by cell."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import GRID_PIXELS, made_clip, made_video, three_clips

from stvit_video.visualization.class_map_frame import DIMMED, MOST_OPACITY, class_map_frame, sides_legend
from stvit_video.visualization.token_colours import AGAINST_COLOUR, FOR_COLOUR


@pytest.mark.parametrize("values", ["contributions", "occlusions"])
def test_cells_are_coloured_by_sign_and_size_on_the_scale_of_the_video(values):
    *clips, last = three_clips(num_tokens=6, softness=0.3).clips
    sources = last.sources.copy()
    sources[1] = 0.5 * sources[1] + 0.5 * (np.indices((3, 4, 4)) == 1).all(axis=0)  # one cell is beyond the scale
    video = made_video(*clips, replace(last, sources=sources))
    sizes = [
        abs(
            sum(
                float(v) * float(s)
                for v, s in zip(getattr(clip, values), clip.sources[(slice(None), *place)], strict=True)
            )
        )
        for clip in video.clips
        for place in np.ndindex(3, 4, 4)
    ]
    assert video.largest_values[values] == pytest.approx(max(sizes), rel=1e-4)
    most = video.full_values[values]
    assert sum(size > most for size in sizes) == 1
    clip = replace(video.clips[2], frames=np.full_like(video.clips[2].frames, 100))
    picture = class_map_frame(video, clip, 3, values, size=clip.frames.shape[1:3])
    for row, column in np.ndindex(4, 4):
        value = float(getattr(clip, values) @ clip.sources[:, 1, row, column])
        colour = np.array(FOR_COLOUR if value > 0 else AGAINST_COLOUR)
        opacity = MOST_OPACITY * min(abs(value) / most, 1)
        top, left = row * GRID_PIXELS, 8 + column * GRID_PIXELS
        cell = picture[top : top + GRID_PIXELS, left : left + GRID_PIXELS]
        assert np.abs(cell - np.round(100 * DIMMED * (1 - opacity) + colour * opacity)).max() <= 1


def test_where_nothing_contributes_the_frame_stays_grey():
    clip = made_clip(num_tokens=4)
    clip = replace(clip, contributions=np.zeros(4), frames=np.full_like(clip.frames, 100))
    video = made_video(clip)
    assert video.full_values["contributions"] == 0
    picture = class_map_frame(video, clip, 0, "contributions", size=clip.frames.shape[1:3])
    assert (picture[:, 8:-8] == 100 * DIMMED).all()


def test_the_legend_names_both_sides():
    video = three_clips(num_tokens=4)
    assert [(entry.name, entry.colour) for entry in sides_legend(video)] == [
        ("for right", FOR_COLOUR),
        ("against right", AGAINST_COLOUR),
    ]
