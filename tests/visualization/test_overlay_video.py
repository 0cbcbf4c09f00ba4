"""NAME.mp4 and NAME.jsonl of a video: all frames, the last detections between, and a stop that leaves both whole."""

import json
import re

import numpy as np
import pytest
from odd_videos import truncated, turned
from stamped_video import SCREEN_MS, picture_number, picture_numbers, timed_video
from video_maker import make_video, whole_file

from stvit_video.data.decode import DecodeError, Video, open_video
from stvit_video.visualization import overlay_video as module
from stvit_video.visualization.overlay_video import overlay_video

NAMES = ["a", "b"]
EVEN_MS = range(0, 600, 40)  # 15 frames


def nothing(frames):
    return [{"boxes": [], "labels": [], "scores": []} for _ in frames]


def numbered(frames):
    """A box at the left that says which frame was looked at; the pictures of `timed_video` stay readable beside it."""
    numbers = picture_numbers(frames)
    return [{"boxes": [[0, 0, 4 + n, 3]], "labels": [n % 2], "scores": [0.9]} for n in numbers]


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def made(tmp_path, source, detect=nothing, **settings):
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    return overlay_video(source, detect, folder=out, name="result", names=NAMES, **settings)


@pytest.mark.parametrize("batch_size", [1, 4, 50])
def test_every_frame_has_its_detections(tmp_path, batch_size):
    source, counts = timed_video(tmp_path / "a.mp4", EVEN_MS), []
    outcome = made(tmp_path, source, numbered, batch_size=batch_size, report=counts.append)
    assert (outcome.num_frames, outcome.num_listed, outcome.error, outcome.notes) == (15, 15, "", ())
    assert sum(counts) == 15
    assert max(counts) <= batch_size
    lines = lines_of(outcome.lines_path)
    assert [line["frame"] for line in lines] == [line["drawn_until_frame"] for line in lines] == list(range(15))
    assert [line["seconds"] for line in lines] == pytest.approx(np.arange(15) / 25)
    assert [line["detections"][0]["box"][2] for line in lines] == list(range(4, 19))
    with open_video(outcome.video_path) as video:
        assert (video.num_frames, video.fps, video.height, video.width) == (15, 25.0, 64, 128)
        assert picture_numbers(video.read(range(15))) == list(range(15))
    assert sorted(file.name for file in outcome.video_path.parent.iterdir()) == ["result.jsonl", "result.mp4"]


def test_between_the_frames_that_are_looked_at_the_last_detections_stay(tmp_path, monkeypatch):
    drawn = []

    def note(picture, detections, **settings):
        drawn.append((picture_number(picture), list(np.asarray(detections["boxes"])[:, 2])))
        return picture

    monkeypatch.setattr(module, "draw_detections", note)
    outcome = made(tmp_path, timed_video(tmp_path / "a.mp4", EVEN_MS), numbered, every=4, batch_size=2)
    lines = lines_of(outcome.lines_path)
    assert [line["frame"] for line in lines] == [0, 4, 8, 12]
    assert [line["drawn_until_frame"] for line in lines] == [3, 7, 11, 14]
    assert drawn == [(n, [4 + n // 4 * 4]) for n in range(15)]


def test_time_stamps_of_a_variable_rate_are_kept(tmp_path):
    source = timed_video(tmp_path / "a.mp4", SCREEN_MS)
    outcome = made(tmp_path, source)
    with open_video(source) as before, open_video(outcome.video_path) as after:
        assert after.times.seconds == pytest.approx(before.times.seconds, abs=1e-3)
        assert picture_numbers(after.read(range(after.num_frames))) == list(range(len(SCREEN_MS)))
    seconds = [line["seconds"] for line in lines_of(outcome.lines_path)]
    assert seconds == pytest.approx(np.array(SCREEN_MS) / 1000)


def test_a_rotated_video_is_drawn_as_it_is_shown(tmp_path):
    recipe = turned(-90)
    recipe.make(tmp_path / "a.mov")
    outcome = made(tmp_path, tmp_path / "a.mov")
    expected = whole_file(tmp_path / "a.mov", clockwise_degrees=90)
    with open_video(outcome.video_path) as video:
        assert (video.height, video.width) == expected.shape[1:3] == (98, 70)
        difference = np.abs(video.read(range(3)).astype(float) - expected).mean()
    assert difference < 30  # noise in 4:2:0
    turned_over = np.abs(expected[:, ::-1].astype(float) - expected).mean()
    assert turned_over > 40


def test_a_change_of_size_is_told(tmp_path):
    first, second = (make_video(tmp_path / f"{n}.ts", size=s, num_frames=5) for n, s in enumerate([(64, 48), (98, 70)]))
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    outcome = made(tmp_path, both)
    assert outcome.notes == ("the size of the pictures changes: those of 98x70 are scaled to 64x48",)
    with open_video(outcome.video_path) as video:
        assert (video.num_frames, video.height, video.width) == (10, 48, 64)


def test_one_frame(tmp_path):
    outcome = made(tmp_path, make_video(tmp_path / "a.mp4", num_frames=1), every=30)
    assert (outcome.num_frames, len(lines_of(outcome.lines_path))) == (1, 1)
    with open_video(outcome.video_path) as video:
        assert video.num_frames == 1


def test_a_frame_that_can_not_be_read_ends_the_video_with_what_is_before_it(tmp_path, monkeypatch):
    read = Video.read

    def broken_at_11(self, positions):
        if 11 in positions:
            raise DecodeError("frame 11 is lost")
        return read(self, positions)

    monkeypatch.setattr(Video, "read", broken_at_11)
    outcome = made(tmp_path, timed_video(tmp_path / "a.mp4", EVEN_MS), numbered, batch_size=4)
    assert (outcome.error, outcome.num_frames, outcome.num_listed) == ("frame 11 is lost", 11, 15)
    assert [line["frame"] for line in lines_of(outcome.lines_path)] == list(range(11))
    with open_video(outcome.video_path) as video:
        assert picture_numbers(video.read(range(8))) == list(range(8))
        assert video.num_frames == 11


def test_a_download_that_broke_off_is_an_error_and_leaves_nothing(tmp_path):
    truncated(tmp_path / "a.mp4")
    with pytest.raises(DecodeError, match="is lost"):
        made(tmp_path, tmp_path / "a.mp4")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_a_stop_leaves_a_file_that_plays_and_its_lines(tmp_path, stop):
    calls = []

    def stopped(frames):
        calls.append(len(frames))
        if len(calls) == 3:
            raise stop
        return numbered(frames)

    with pytest.raises(stop):
        made(tmp_path, timed_video(tmp_path / "a.mp4", EVEN_MS), stopped, batch_size=4)
    out = tmp_path / "out"
    with open_video(out / "result.mp4") as video:
        assert picture_numbers(video.read(range(video.num_frames))) == list(range(8))
    assert [line["frame"] for line in lines_of(out / "result.jsonl")] == list(range(8))
    assert sorted(file.name for file in out.iterdir()) == ["result.jsonl", "result.mp4"]


def test_a_stop_before_the_first_frame_leaves_nothing(tmp_path):
    def stopped(frames):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, timed_video(tmp_path / "a.mp4", EVEN_MS), stopped)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_without_a_video_stream_leaves_nothing(tmp_path):
    import av

    with av.open(str(tmp_path / "a.m4a"), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(DecodeError, match="it has no video stream"):
        made(tmp_path, tmp_path / "a.m4a")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"every": 0}, "every must be at least 1, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"detect": lambda frames: nothing(frames)[1:]}, "find got 8 frames and gave 7 results"),
    ],
)
def test_what_can_not_be_done_says_why(tmp_path, settings, said):
    source = timed_video(tmp_path / "a.mp4", EVEN_MS)
    with pytest.raises(ValueError, match=re.escape(said)):
        made(tmp_path, source, **settings)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("size", [(1, 1), (640, 32), (16, 330)])
def test_tiny_and_narrow_videos(tmp_path, size):
    source = make_video(tmp_path / "a.mp4", size=size, num_frames=2, pixel_format="yuv444p")
    outcome = made(tmp_path, source, lambda frames: [{"boxes": [[0, 0, *size]], "labels": [1], "scores": [0.9]}] * 2)
    with open_video(outcome.video_path) as video:
        assert (video.num_frames, video.width, video.height) == (2, *size)
