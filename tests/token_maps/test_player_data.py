import math
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from made_tokens import made_clip, made_video, three_clips
from PIL import Image

from stvit_video.token_maps.player_data import player_data


def read(text, shape):
    return np.frombuffer(b64decode(text), dtype=np.uint8).reshape(shape)


@pytest.mark.parametrize("num_tokens", [5, 16])
def test_maps_are_those_of_a_slow_loop(num_tokens):
    video = three_clips(num_tokens=num_tokens, softness=0.3)
    values, notes = player_data(video, max_bytes=10**6)
    assert (len(values["clips"]), notes) == (3, [])
    assert len(values["colours"]) == len(values["tokens"]) + 1 == min(num_tokens, 8) + 1
    most = max(clip.shares.max() for clip in video.clips)
    assert values["full_share"] == most
    full = max(np.abs(clip.spread(clip.contributions)).max() for clip in video.clips)
    for clip, told in zip(video.clips, values["clips"], strict=True):
        grid = tuple(told["grid"])
        assert grid == clip.sources.shape[1:]
        winners, strengths = read(told["winners"], grid), read(told["strengths"], grid)
        shares = read(told["shares"], (len(video.named), *grid))
        signed = read(told["contributions"], grid)
        for place in np.ndindex(grid):
            column = clip.shares[(slice(None), *place)]
            best = int(column.argmax())
            assert winners[place] == (video.named.index(best) if best in video.named else len(video.named))
            assert strengths[place] == pytest.approx(255 * column[best] / most, abs=0.51)
            for rank, token in enumerate(video.named):
                assert shares[(rank, *place)] == pytest.approx(255 * column[token] / most, abs=0.51)
            spread = sum(clip.contributions[token] * clip.sources[(token, *place)] for token in range(num_tokens))
            assert (int(signed[place]) - 128) / 127 == pytest.approx(spread / full, abs=0.005)


def test_a_place_that_no_token_comes_from_has_no_colour():
    clip = made_clip(num_tokens=5, softness=0.3)
    clip.sources[:, 1, 2, 3] = 0
    told = player_data(made_video(clip), max_bytes=10**6)[0]["clips"][0]
    winners, strengths = (read(told[key], (3, 4, 4)) for key in ("winners", "strengths"))
    assert (winners[1, 2, 3], strengths[1, 2, 3]) == (5, 0)
    assert (strengths > 0).sum() == 47


def test_the_seen_part_and_the_steps_of_frames():
    clip = made_clip(num_tokens=5, margin=(3, 8))  # 38 x 48 pixels, of which 32 x 32 are seen
    told = player_data(made_video(clip), max_bytes=10**6)[0]["clips"][0]
    assert told["seen"] == pytest.approx([8 / 48, 3 / 38, 32 / 48, 32 / 38])
    assert told["steps"] == [0, 0, 1, 1, 2, 2]
    picture = np.asarray(Image.open(BytesIO(b64decode(told["frames"][1].partition(",")[2]))))
    assert picture.shape == (38, 48, 3)
    assert np.abs(picture.astype(int) - clip.frames[1]).mean() < 3


def test_values_that_are_all_zero_have_no_colour():
    clip = made_clip(num_tokens=5)
    clip.contributions[:] = 0
    told = player_data(made_video(clip), max_bytes=10**6)[0]["clips"][0]
    assert set(b64decode(told["contributions"])) == {128}


def test_what_does_not_fit_is_told():
    clips = [made_clip(num_tokens=5, margin=(90, 150), start_seconds=seconds) for seconds in range(4)]  # 212 x 332
    video = made_video(*clips)
    whole, notes = player_data(video, max_bytes=10**6)
    assert notes == []
    size = sum(len(frame) for clip in whole["clips"] for frame in clip["frames"])
    smaller, notes = player_data(video, max_bytes=math.floor(0.9 * size))
    assert len(smaller["clips"]) == 4
    assert "pixels on their long side here, of 332" in notes[0]
    assert sum(len(frame) for clip in smaller["clips"] for frame in clip["frames"]) <= 0.9 * size
    fewer, notes = player_data(video, max_bytes=1)
    assert len(fewer["clips"]) == 1
    assert "first 1 of 4 clips" in notes[1]
