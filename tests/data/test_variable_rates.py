"""Clips, segments, copies and reports of variable rates go by the time stamps of the files, from end to end."""

import dataclasses
import math
import re
from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from real_data import real_file
from stamped_video import SCREEN_MS, SIZE, numbered_picture, picture_numbers, timed_video

from stvit_video.data.curation.scan import inspect_video
from stvit_video.data.curation.transcode import Encoding, Job, transcode
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.explain import describe_video, explain_video
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.loading.frame_source import FrameSource
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.utils.seeding import seeded_generator

PHONE_MS = tuple(number * 1000 // 30 + (number * number) % 17 for number in range(90))  # 30 a second with jitter
RECORDINGS = {"screen": SCREEN_MS, "phone": PHONE_MS}
KINDS = [("mp4", "libx264", 30), ("webm", "libvpx", 1000), ("mkv", "libx264", 25), ("ts", "libx264", 30)]
SPANS = [(0.0, 1.0), (1.5, 4.4), (3.1, 4.2), (4.6, 6.1), (6.0, 6.5), (0.5, None), (None, 2.0), (1.0, 1.001)]


@pytest.fixture(params=KINDS, ids=[kind[0] for kind in KINDS])
def recording(request, tmp_path):
    """A function: which times -> a file with them."""
    ending, codec, rate = request.param

    def make(name: str) -> Path:
        ticks = 90_000 if ending == "ts" else 1000
        return timed_video(tmp_path / f"{name}.{ending}", RECORDINGS[name], codec=codec, rate=rate, ticks=ticks)

    return make


def frames_inside(times_ms, start, end):
    """By hand: the frames whose time stamp lies in the span, else the last one before its end."""
    low, high = (start or 0) * 1000, math.inf if end is None else end * 1000
    inside = [number for number, time in enumerate(times_ms) if low <= time < high]
    return inside or [max(number for number, time in enumerate(times_ms) if time < high)]


@pytest.mark.parametrize("name", RECORDINGS)
def test_segments_are_the_frames_with_these_time_stamps(recording, name):
    path, times = recording(name), RECORDINGS[name]
    for start, end in SPANS:
        record = VideoRecord(path, 0, path.name, start_seconds=start, end_seconds=end)
        if (start or 0) * 1000 > times[-1]:
            continue
        reading = FrameSource().read(record, lambda times: range(times.num_frames))
        assert picture_numbers(reading.frames.numpy()) == frames_inside(times, start, end)
        assert [round(seconds * 1000) for seconds in reading.seconds] == [
            times[number] for number in frames_inside(times, start, end)
        ]
    behind = VideoRecord(path, 0, path.name, start_seconds=99.0)
    with pytest.raises(DecodeError, match="begins at 99.0 s, the video ends at"):
        FrameSource().read(behind, lambda times: [0])


@pytest.mark.parametrize("cache", [False, True])
def test_kept_frames_have_the_same_times(tmp_path, cache):
    path = timed_video(tmp_path / "v.mp4", SCREEN_MS)
    record = VideoRecord(path, 0, path.name, start_seconds=1.5, end_seconds=4.6)
    source = FrameSource()
    if cache:
        source.preload([record], short_side=32)
    assert source.read(record, lambda times: range(times.num_frames)).seconds == [1.5, 3.0, 4.5]


@pytest.mark.parametrize("protocol", ["slowfast", "mvit", "timesformer"])
def test_protocols_at_30_frames_a_second_take_what_is_shown_then(recording, protocol):
    path = recording("screen")
    with open_video(path) as video:
        clips = PROTOCOLS[protocol].frame_indices(video.times, num_frames=4, frame_stride=15, num_clips=5)
        total = video.times.duration_seconds * 30
    room = total - 60
    starts = [room * number / 5 for number in range(5)]
    if protocol == "mvit":
        starts = [number * math.floor(room / 4) for number in range(5)]
    wanted = [[start + 59 * number / 3 for number in range(4)] for start in starts]  # in 1 / 30 s
    shown = [[max(n for n, t in enumerate(SCREEN_MS) if t <= at / 30 * 1000) for at in clip] for clip in wanted]
    assert clips == shown


def test_a_target_rate_takes_what_is_shown_then(recording):
    path = recording("screen")
    with open_video(path) as video:
        times = video.times
    found = []
    for seed in range(200):
        sampling, generator = ClipSampling(target_fps=10.0), seeded_generator(seed)
        clip = sampling.draw(times, num_frames=4, frame_stride=5, generator=generator)
        start = float(torch.rand((), generator=seeded_generator(seed), dtype=torch.float64))
        start *= times.duration_seconds - 1.5
        assert clip == [max(n for n, t in enumerate(SCREEN_MS) if t <= 1000 * (start + k / 2)) for k in range(4)]
        found.append(start)
    assert min(found) < 0.2
    assert max(found) > times.duration_seconds - 1.7


@pytest.mark.parametrize(("short_video", "last"), [("repeat_last", 3), ("loop", 1), ("error", None)])
def test_a_clip_longer_than_a_variable_rate(tmp_path, short_video, last):
    with open_video(timed_video(tmp_path / "v.mp4", [0, 100, 700, 900])) as video:
        times = video.times  # 1.2 s, clips of 1.4 s
    sampling = ClipSampling(target_fps=10.0, short_video=short_video)
    settings = {"num_frames": 3, "frame_stride": 7, "generator": seeded_generator(0)}
    if last is None:
        with pytest.raises(ValueError, match=r"clip of 3 frames lasts 1\.400 s, the video 1\.200 s; "):
            sampling.draw(times, **settings)
    else:
        assert sampling.draw(times, **settings) == [0, 2, last]


def test_views_and_their_times(recording):
    path = recording("screen")
    manifest = Manifest((VideoRecord(path, 0, "v", start_seconds=1.5),), ("x",))
    sizes = Preprocessing(num_frames=2, frame_stride=15, short_side=32, crop_size=32)
    item = ViewDataset(manifest, preprocessing=sizes, protocol="slowfast", num_clips=4, num_crops=1)[0]
    # of 5.612 s (to the end of the last frame) four clips of 1 s begin at k / 4 of 4.612 s behind the segment's begin
    wanted = [1500 + 1000 * number * (6.98 + 6.98 / 53 - 1.5 - 1) / 4 for number in range(4)]
    shown = [max(time for time in SCREEN_MS if time <= begin) for begin in wanted]
    assert [round(1000 * seconds) for seconds in item["clip_starts_seconds"]] == shown


@pytest.mark.parametrize("name", RECORDINGS)
def test_copies_are_cut_by_time_stamps(recording, name, tmp_path):
    path, times = recording(name), RECORDINGS[name]
    for number, (start, end) in enumerate(SPANS):
        if (start or 0) * 1000 > times[-1]:
            continue
        job = Job(str(path), str(tmp_path / f"{number}.mp4"), start_seconds=start, end_seconds=end)
        expected = frames_inside(times, start, end)
        assert transcode(job, encoding=Encoding(short_side=32, crf=5)) == len(expected)
        with open_video(job.target) as copy:
            assert picture_numbers(copy.read(range(copy.num_frames))) == expected
            distances = [times[position] - times[expected[0]] for position in expected]
            assert (copy.times.seconds * 1000).tolist() == pytest.approx(distances)


def test_the_doctor_tells_a_variable_rate(recording):
    report = inspect_video(str(recording("screen")))
    assert report.intervals_seconds == pytest.approx((0.02, 6.98 / 53, 1.5))
    assert "variable rate: a frame every 0.02 to 1.5 s, 0.132 s on average" in report.remarks
    assert report.duration_seconds == pytest.approx(6.98 + 6.98 / 53)
    assert any(re.fullmatch(r".* states [0-9.]+ frames a second, they give 7\.59312", r) for r in report.remarks)


def test_explain_tells_a_variable_rate(recording):
    path = recording("screen")
    lines = describe_video(explain_video(path, protocol="slowfast", num_frames=2, frame_stride=15, crop_size=32))
    assert lines[0] == f"{path}: 54 frames of 128x64 at variable rate, on average 7.59312 a second"
    assert lines[2].startswith("clip 0 (0.00 to 0.00 s): 0 0")


@pytest.mark.real_data
def test_rows_of_a_real_screen_recording_are_its_frames_with_these_time_stamps():
    manifest = read_csv_manifest(real_file("data", "field_cases", "vfr.csv"))
    readings = [FrameSource().read(record, lambda times: range(times.num_frames)) for record in manifest.records]
    assert [picture_numbers(reading.frames.numpy()) for reading in readings] == [[2, 3], list(range(10, 610))]
    whole = dataclasses.replace(manifest.records[0], start_seconds=0.0, end_seconds=50.0)
    assert picture_numbers(FrameSource().read(whole, lambda times: range(times.num_frames)).frames.numpy()) == [
        *range(10)
    ]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "rate"), [("firefox53_head.webm", 10.1), ("chrome57_head.webm", 22.3)])
def test_browser_recordings_have_the_rate_of_their_time_stamps(name, rate):
    path = real_file("data", "field_cases", name)
    with open_video(path) as video:
        assert video.fps == pytest.approx(rate, rel=3e-3)
        clips = PROTOCOLS["slowfast"].frame_indices(video.times, num_frames=4, frame_stride=4, num_clips=10)
        stamps = [video.pts_seconds(index) - video.pts_seconds(0) for index in range(video.num_frames)]
    assert stamps[clips[-1][-1]] > 0.8 * stamps[-1]
    assert "its time stamps contradict its stated rate" in " ".join(inspect_video(str(path)).remarks)


@pytest.mark.real_data
def test_segments_of_browser_recordings_are_read():
    records = read_csv_manifest(real_file("data", "field_cases", "seg_small.csv")).records
    for record in records:
        reading = FrameSource().read(record, lambda times: range(times.num_frames))
        assert record.start_seconds <= reading.seconds[0] < reading.seconds[-1] < record.end_seconds


@pytest.mark.parametrize(("codec", "num_reordered"), [("libx264", 3), ("libx264", 1), ("mpeg4", 2)])
def test_an_avi_with_reordered_frames_has_its_constant_rate(tmp_path, codec, num_reordered):
    """AVI stores no display times; the decoder gives those of storage, in another order."""
    path = tmp_path / "v.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options={"bf": str(num_reordered)})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(60):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")))
        container.mux(stream.encode())
    record = VideoRecord(path, 0, path.name, start_seconds=0.5, end_seconds=1.0)
    with open_video(path) as video:
        assert (video.num_frames, video.fps, video.times.is_constant) == (60, 30.0, True)
    reading = FrameSource().read(record, lambda times: range(times.num_frames))
    assert picture_numbers(reading.frames.numpy()) == list(range(15, 30))


def test_a_last_picture_that_stands_is_on_the_screen(tmp_path):
    """A screen recording that ends in rest: its last frame is shown for 20 s."""
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuvj420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, milliseconds in enumerate([0, 300, 900, 1500]):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            frame.pts, frame.time_base = milliseconds, Fraction(1, 1000)
            for packet in stream.encode(frame):
                packet.duration = 20_000 if number == 3 else 0
                container.mux(packet)
    record = VideoRecord(path, 0, path.name, start_seconds=10.0, end_seconds=15.0)
    reading = FrameSource().read(record, lambda times: range(times.num_frames))
    assert picture_numbers(reading.frames.numpy()) == [3]
