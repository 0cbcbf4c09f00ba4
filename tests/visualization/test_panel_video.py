"""Panels as a video: order and number of frames, cuts, captions, the strip of time; a picture as a PNG."""

from dataclasses import replace

import numpy as np
import pytest
from made_tokens import FPS, NUM_FRAMES, made_clip, made_video, three_clips
from PIL import Image

from stvit_video.data.decoding.video import open_video
from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.visualization import panel_video as module
from stvit_video.visualization.map_legend import LegendEntry
from stvit_video.visualization.panel_video import GAP_PIXELS, LINE_PIXELS, PanelVideo, panel_picture, save_panel_video
from stvit_video.visualization.token_record import FPS_OF_STILLS

TOP = LINE_PIXELS + GAP_PIXELS // 2
HIGH, WIDE = 40, 300


def grey_panels(levels=None, **settings):
    """Two panels: the number of the frame and that of the clip, as a level of grey that is told in `levels`."""

    def draw(clip, frame):
        level = 40 + 10 * len(levels or [])
        if levels is not None:
            levels.append((clip, frame))
        return np.full((HIGH, WIDE, 3), level, dtype=np.uint8), np.full((HIGH, WIDE, 3), 255 - level, dtype=np.uint8)

    given = {"titles": ("one", "two"), "lines": ("a line",), "legend": [LegendEntry("x", None, "", (255, 0, 0))]}
    return PanelVideo(draw=draw, **(given | settings))


def pictures_of(path):
    with open_video(path) as video:
        return video.read(range(video.num_frames)), video.times


def test_all_frames_are_shown_in_their_order_at_the_rate_of_the_model(tmp_path):
    video, asked = three_clips(num_tokens=3), []
    assert save_panel_video(video, tmp_path / "a.mp4", grey_panels(asked)) == ()
    pictures, times = pictures_of(tmp_path / "a.mp4")
    assert times.fps == pytest.approx(FPS)
    cut = round(module.CUT_SECONDS * FPS)
    assert len(pictures) == 3 * NUM_FRAMES + 2 * cut
    assert asked[1:] == [(clip, frame) for clip in video.clips for frame in range(NUM_FRAMES)]  # one for the size
    middles = pictures[:, TOP + HIGH // 2, GAP_PIXELS + 8].mean(axis=-1)
    shown = [*range(6), *range(6 + cut, 12 + cut), *range(12 + 2 * cut, 18 + 2 * cut)]
    np.testing.assert_allclose(middles[shown], 40 + 10 * np.arange(1, 19), atol=4)
    assert (middles[6 : 6 + cut] > 190).all()  # pale
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(("gap", "num_cuts"), [(0.0, 0), (0.05, 0), (0.5, 1), (-0.5, 1)])
def test_only_where_time_is_left_out_or_repeated_there_is_a_cut(tmp_path, monkeypatch, gap, num_cuts):
    words, plain = [], module.draw_text

    def noted(canvas, text, **more):
        words.append(text)
        return plain(canvas, text, **more)

    monkeypatch.setattr(module, "draw_text", noted)
    first = made_clip(num_tokens=2, start_seconds=1.0)
    second = made_clip(num_tokens=2, start_seconds=1.0 + NUM_FRAMES / FPS + gap)
    save_panel_video(made_video(first, second), tmp_path / "a.mp4", grey_panels())
    pictures, _ = pictures_of(tmp_path / "a.mp4")
    assert len(pictures) == 2 * NUM_FRAMES + num_cuts * round(module.CUT_SECONDS * FPS)
    told = [text for text in words if text.endswith(("later", "back"))]
    assert told == [f"0.5 s {'later' if gap > 0 else 'back'}"] * num_cuts


def test_cuts_keep_a_rate_that_is_no_fraction_of_small_numbers(tmp_path):
    video = replace(three_clips(num_tokens=3), fps=8.0004)
    save_panel_video(video, tmp_path / "a.mp4", grey_panels())
    pictures, times = pictures_of(tmp_path / "a.mp4")
    assert times.seconds == pytest.approx(np.arange(len(pictures)) / 8.0004, abs=1e-4)


def test_clips_of_one_frame_do_not_last_as_long_as_the_time_between_them(tmp_path):
    clips = [made_clip(num_tokens=3, num_frames=1, start_seconds=60.0 * number) for number in range(3)]
    save_panel_video(replace(made_video(*clips), fps=1 / 60), tmp_path / "a.mp4", grey_panels())
    pictures, times = pictures_of(tmp_path / "a.mp4")
    assert (len(pictures), times.fps) == (3, pytest.approx(FPS_OF_STILLS))


def test_the_strip_of_time_shows_the_clips_and_the_frame():
    video = three_clips(num_tokens=3)  # clips from 0, 2.75 and 5.5 s on, each of 0.75 s; 6.25 s in all
    picture = panel_picture(video, video.clips[1], 4, grey_panels())
    row = TOP + HIGH + GAP_PIXELS // 2 + module.STRIP_PIXELS // 2
    strip = picture[row, GAP_PIXELS : GAP_PIXELS + 2 * WIDE + GAP_PIXELS, 0]
    seconds = (np.arange(len(strip)) + 0.5) / len(strip) * 6.25
    is_clip = (seconds < 0.75) | ((seconds > 2.75) & (seconds < 3.5)) | (seconds > 5.5)
    cursor = np.flatnonzero(strip == module.INK)
    assert len(cursor) == module.CURSOR_PIXELS
    assert abs(seconds[cursor[0]] - (2.75 + 4 / FPS)) < 0.02
    others = np.setdiff1d(np.arange(len(strip)), cursor)
    expected = np.where(is_clip, module.CLIP_GREY, module.PALE)[others]
    assert (strip[others] != expected).sum() <= 5  # pixels at the borders


def test_a_clip_that_begins_again_reaches_to_its_latest_frame():
    clip = made_clip(num_tokens=3)
    again = replace(clip, seconds=clip.seconds[[0, 1, 2, 3, 0, 1]])
    video = replace(made_video(again), seconds=8 / FPS)
    picture = panel_picture(video, again, 0, grey_panels())
    row = TOP + HIGH + GAP_PIXELS // 2 + module.STRIP_PIXELS // 2
    strip = picture[row, GAP_PIXELS : GAP_PIXELS + 2 * WIDE + GAP_PIXELS, 0]
    assert np.flatnonzero(strip == module.CLIP_GREY).max() == pytest.approx(len(strip) / 2, abs=1)


def test_a_picture_is_a_png_without_a_strip(tmp_path):
    clip = made_clip(num_tokens=3, num_frames=1, grid=(1, 4, 4))
    moving, still = (made_video(clip, is_picture=is_picture) for is_picture in (False, True))
    assert save_panel_video(still, tmp_path / "a.png", grey_panels()) == ()
    saved = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(saved, panel_picture(still, clip, 0, grey_panels()))
    assert len(saved) < len(panel_picture(moving, clip, 0, grey_panels()))


def test_long_names_and_many_entries_keep_the_sides_even():
    video = replace(three_clips(num_tokens=3), classes=("a", "手を振る" * 30, "$x^2$", "d"))
    legend = [LegendEntry(f"entry {number}", None, "+1", (1, 2, 3)) for number in range(40)]
    picture = panel_picture(video, video.clips[0], 0, grey_panels(legend=legend, titles=("t" * 200, "u")))
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0
    assert picture.shape[1] == 2 * WIDE + 3 * GAP_PIXELS
    assert (picture[:, -GAP_PIXELS // 2 :] == 255).all()


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(self, picture):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stvit_video.visualization.video_writer.VideoWriter.write", full)
    with pytest.raises(DiskFullError, match=r"a\.mp4 .*make room"):
        save_panel_video(three_clips(num_tokens=3), tmp_path / "a.mp4", grey_panels())
    assert not list(tmp_path.iterdir())
