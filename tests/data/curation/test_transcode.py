"""Copies: frames, times and pictures against a plain decode of the original, and nothing left of a failed one."""

import errno
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from real_data import real_file
from shape_maker import changing_size, with_pixel_aspect
from stamped_video import picture_number, stamped_video
from video_cases import both, each
from video_maker import make_video, plain_frames

from stvit_video.data.curation import transcode as module
from stvit_video.data.curation.transcode import Encoding, Job, TranscodeError, frame_difference, is_done, transcode
from stvit_video.data.decoding.video import open_video

SMALL = Encoding(short_side=48, gop=7)


def smooth_video(path, *, num_frames=23, size=(98, 70)):
    """A bright block that walks over a gradient: what survives encoding."""
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "10", "preset": "ultrafast", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(num_frames):
            picture = np.zeros((height, width, 3), np.uint8) + np.arange(width, dtype=np.uint8)[None, :, None]
            picture[20:50, 3 * number : 3 * number + 20] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def job_in(folder: Path, source: Path, **segment: float) -> Job:
    return Job(str(source), str(folder / "out" / "copy.mp4"), **segment)


def test_a_copy_has_every_frame_at_its_time(tmp_path):
    source = smooth_video(tmp_path / "v.mp4")
    job = job_in(tmp_path, source)
    assert transcode(job, encoding=SMALL) == 23
    originals = list(plain_frames(source))
    with av.open(job.target) as container:
        keyframes = [number for number, packet in enumerate(container.demux(video=0)) if packet.is_keyframe]
    assert max(np.diff(keyframes)) <= 7
    with open_video(job.target) as copy, open_video(source) as video:
        assert (copy.num_frames, copy.height, copy.width, copy.fps) == (23, 48, 68, 10)
        for number, frame in enumerate(copy.read(range(23))):
            differences = [frame_difference(frame, other) for other in originals]
            assert int(np.argmin(differences)) == number
            assert copy.pts_seconds(number) == pytest.approx(video.pts_seconds(number), abs=1e-3)
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == ["copy.mp4"]


def test_a_segment_is_cut_out(tmp_path):
    source = smooth_video(tmp_path / "v.mp4")
    job = job_in(tmp_path, source, start_seconds=0.5, end_seconds=1.2)
    assert transcode(job, encoding=SMALL) == 7
    originals = list(plain_frames(source))
    with open_video(job.target) as copy:
        found = [
            int(np.argmin([frame_difference(frame, other) for other in originals])) for frame in copy.read(range(7))
        ]
        assert found == list(range(5, 12))
        assert copy.pts_seconds(0) == 0
    assert is_done(job, encoding=SMALL)
    assert not is_done(job_in(tmp_path, source), encoding=SMALL)


@pytest.mark.parametrize("case", each(["rotated_90.mov", "stream_copied_trim.mp4", "mpeg4.avi"]), indirect=True)
def test_odd_originals(tmp_path, case):
    job = job_in(tmp_path, case.path)
    num_frames = transcode(job, encoding=Encoding(short_side=64))
    with open_video(job.source) as video, open_video(job.target) as copy:
        assert copy.num_frames == video.num_frames == num_frames
        assert copy.fps == pytest.approx(video.fps, rel=1e-3)
        assert (copy.height > copy.width) == (video.height > video.width)
    assert is_done(job, encoding=Encoding(short_side=64))


def times_in_ticks(path):
    """When each frame is shown, counted from the first, in 1/90,000 s."""
    with open_video(path) as video:
        return [
            round((video.pts_seconds(number) - video.pts_seconds(0)) * module.TICKS)
            for number in range(video.num_frames)
        ]


MILLISECOND, FRAME = Fraction(1, 1000), Fraction(1, 25)


@pytest.mark.parametrize(
    ("stamps", "time_base", "expected"),
    [
        ([0, 33, 66, 66, 132, 165], MILLISECOND, [0, 33, 66, 99, 132, 165]),
        ([0, 0, 0, 100, 133], MILLISECOND, [0, 25, 50, 100, 133]),
        ([0, 40, 80, 80, 80], MILLISECOND, [0, 40, 60, 70, 80]),
        ([0, 1, 1, 1, 4, 5], FRAME, [0, 40, 70, 100, 160, 200]),
        ([0, 33, 99, 66, 132], MILLISECOND, [0, 33, 99, 115.5, 132]),
        ([0, 33, 5000, 5000, 5033], MILLISECOND, [0, 33, 5000, 5016.5, 5033]),
    ],
)
def test_time_stamps_that_repeat_or_run_backwards_are_moved_apart(tmp_path, stamps, time_base, expected):
    source = stamped_video(tmp_path / "v.mkv", stamps, time_base=time_base, options={"cpu-used": "8"})
    job = job_in(tmp_path, source)
    assert transcode(job, encoding=Encoding(short_side=64)) == len(stamps)
    assert times_in_ticks(job.target) == [milliseconds * 90 for milliseconds in expected]
    with open_video(job.target) as copy:
        assert [picture_number(frame) for frame in copy.read(range(copy.num_frames))] == list(range(len(stamps)))
    assert is_done(job, encoding=Encoding(short_side=64))


@pytest.mark.real_data
def test_a_recording_with_repeated_time_stamps(tmp_path):
    source = real_file("data", "field_cases", "dup_pts.webm")
    job = job_in(tmp_path, source)
    assert transcode(job, encoding=SMALL) == 30
    before, after = times_in_ticks(source), times_in_ticks(job.target)
    assert all(a < b for a, b in pairwise(after))
    moved = [number for number, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert moved == [number + 1 for number, (a, b) in enumerate(pairwise(before)) if a == b]
    assert all(after[number] - before[number] <= (before[number + 1] - before[number]) / 2 for number in moved)


def test_done_means_length_size_and_keyframes(tmp_path):
    job = job_in(tmp_path, smooth_video(tmp_path / "v.mp4"))
    assert not is_done(job, encoding=SMALL)
    transcode(job, encoding=SMALL)
    assert is_done(job, encoding=SMALL)
    assert not is_done(job, encoding=Encoding(short_side=32, gop=7))
    assert not is_done(job, encoding=Encoding(short_side=48, gop=3))
    target = Path(job.target)
    target.write_bytes(target.read_bytes()[:-500])
    assert not is_done(job, encoding=SMALL)


def test_an_original_that_is_gone_leaves_nothing(tmp_path):
    with pytest.raises(TranscodeError, match=r"gone\.mp4' .*not exist"):
        transcode(job_in(tmp_path, tmp_path / "gone.mp4"), encoding=SMALL)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("case", "cause"),
    [*both("corrupted.mp4", "is lost"), *both("empty.webm", "the file is empty")],
    indirect=["case"],
)
def test_bad_originals_leave_nothing(tmp_path, case, cause):
    job = job_in(tmp_path, case.path)
    with pytest.raises(TranscodeError, match=cause):
        transcode(job, encoding=SMALL)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_segment_behind_the_end(tmp_path):
    job = job_in(tmp_path, smooth_video(tmp_path / "v.mp4"), start_seconds=9.0)
    with pytest.raises(TranscodeError, match=r"v\.mp4: .*segment .*\b9\.0 s, .*\b2\.300 s"):
        transcode(job, encoding=SMALL)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda pairs: pairs[:-2], r"copy .*21 frames instead of 23; .*2\.000 s instead of 2\.200 s"),
        # the whole sentence, once for its family
        (
            lambda pairs: [(at, 255 - picture) for at, picture in pairs],
            r"v\.mp4: its copy is not true to it, its first or last frame differs by [0-9.]+ grey levels; "
            "it was not kept$",
        ),
    ],
)
def test_an_untrue_copy_is_not_kept(tmp_path, monkeypatch, spoil, words):
    plain = module._pictures
    monkeypatch.setattr(module, "_pictures", lambda video, chosen: iter(spoil(list(plain(video, chosen)))))
    job = job_in(tmp_path, smooth_video(tmp_path / "v.mp4"))
    with pytest.raises(TranscodeError, match=words):
        transcode(job, encoding=SMALL)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("make_error", [lambda: OSError(errno.ENOSPC, "No space left"), lambda: full_by_pyav()])
def test_a_full_disk_is_no_bad_file(tmp_path, monkeypatch, make_error):
    def fail(*_):
        raise make_error()

    monkeypatch.setattr(module, "_pictures", fail)
    with pytest.raises(OSError, match="No space left") as caught:
        transcode(job_in(tmp_path, smooth_video(tmp_path / "v.mp4")), encoding=SMALL)
    assert caught.value.errno == errno.ENOSPC
    assert list((tmp_path / "out").iterdir()) == []


def full_by_pyav():
    return av.error.FFmpegError(errno.ENOSPC, "No space left on device", "out.mp4")


def test_sizes_are_even_and_never_grow():
    assert SMALL.size(70, 98) == (48, 68)
    assert SMALL.size(98, 71) == (66, 48)
    assert SMALL.size(31, 45) == (32, 44)
    assert SMALL.size(1, 1) == (2, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"short_side": 1}, "short_side=1 .*at least 2 pixels"),
        ({"gop": 0}, "gop=0 .*at least 1 frame"),
        ({"crf": 52}, "crf=52 .*0 to 51"),
        ({"crf": -1}, "crf=-1 .*0 to 51"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        Encoding(**settings)


def test_difference_of_pictures_of_other_size(tmp_path):
    first = next(plain_frames(make_video(tmp_path / "v.mp4", size=(96, 72), num_frames=1)))
    assert frame_difference(first, np.repeat(np.repeat(first, 2, 0), 3, 1)) < 1e-9
    assert frame_difference(first, 255 - first) > 3.0


def shown_shape(video):
    """Width / height on a screen."""
    return video.width / video.height * video.pixel_aspect[0] / video.pixel_aspect[1]


@pytest.mark.parametrize("rotation", [None, 90])
def test_pixels_that_are_not_square_keep_the_shape_that_is_shown(tmp_path, rotation):
    source = with_pixel_aspect(tmp_path / "v.mp4", aspect=(64, 45), size=(98, 70), rotation=rotation)
    job = job_in(tmp_path, source)
    transcode(job, encoding=SMALL)
    with open_video(source) as video, open_video(job.target) as copy:
        assert {copy.width, copy.height} == {68, 48}
        assert shown_shape(copy) == pytest.approx(shown_shape(video), rel=1e-3)
        assert shown_shape(video) == pytest.approx((98 * 64 / (70 * 45)) ** (1 if rotation is None else -1))
    assert is_done(job, encoding=SMALL)


def test_a_copy_that_lost_the_shape_is_made_again(tmp_path):
    source = with_pixel_aspect(tmp_path / "v.mp4", aspect=(64, 45), size=(98, 70))
    job = job_in(tmp_path, source)
    transcode(job_in(tmp_path, smooth_video(tmp_path / "square.mp4", num_frames=5)), encoding=SMALL)
    with open_video(job.target) as copy:
        assert copy.pixel_aspect == (1, 1)
    assert not is_done(job, encoding=SMALL)


def test_a_picture_size_that_changes_is_that_of_the_first_frame_in_the_copy(tmp_path):
    job = job_in(tmp_path, changing_size(tmp_path / "v.webm"))
    assert transcode(job, encoding=SMALL) == 12
    with open_video(job.target) as copy:
        assert (copy.width, copy.height, copy.num_frames) == (68, 48, 12)


@pytest.mark.real_data
def test_the_real_file_with_pixels_that_are_not_square(tmp_path):
    job = job_in(tmp_path, real_file("data", "field_cases", "sar.mp4"))
    transcode(job, encoding=Encoding(short_side=64))
    with open_video(job.target) as copy:
        assert shown_shape(copy) == pytest.approx(16 / 9, rel=1e-3)
