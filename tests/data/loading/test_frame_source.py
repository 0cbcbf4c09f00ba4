import dataclasses
import logging
import multiprocessing

import pytest
import torch

from stvit_video.data.decoding.request import DecodeError, DecodeTimeoutError
from stvit_video.data.loading import frame_source as frames_module
from stvit_video.data.loading.frame_source import Decoding, FrameSource, manifest_source
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.shards.tar_reader import FetchError
from stvit_video.data.transforms.preprocessing import Preprocessing

SIZES = Preprocessing(num_frames=3, frame_stride=1, short_side=48, crop_size=48)


@pytest.fixture
def numbers(shown_numbers):
    """A function: frames (n, H, W, 3) -> which frame each is, a little beside a whole number."""
    return lambda frames: shown_numbers(frames.float().mean(dim=(1, 2, 3)))


@pytest.fixture(params=["none", "memory"])
def source_of(request):
    """A function: records -> a source, that decodes at once or in advance."""

    def make(*records: VideoRecord) -> FrameSource:
        return manifest_source(
            Manifest(records, ("x",)), Decoding(cache=request.param, cache_limit_gb=1), preprocessing=SIZES
        )

    return make


def test_frames_come_in_the_order_asked_for(source_of, write_video, numbers):
    record = VideoRecord(write_video("a.mp4", num_frames=11, height=48, width=64, fps=10), 0, "a.mp4")
    asked = []

    def choose(times: FrameTimes) -> list[int]:
        asked.append((times.num_frames, times.fps))
        return [7, 2, 2, 10]

    reading = source_of(record).read(record, choose)
    assert asked == [(11, 10.0)]
    assert reading.frames.shape == (4, 48, 64, 3)
    assert reading.frames.dtype == torch.uint8
    assert numbers(reading.frames) == pytest.approx([7, 2, 2, 10], abs=0.3)
    assert reading.seconds == pytest.approx([0.7, 0.2, 0.2, 1.0])


def test_the_time_limit_is_that_of_the_settings(write_video):
    record = VideoRecord(write_video("a.mp4", num_frames=5), 0, "a.mp4")
    decoding = Decoding(time_limit_seconds=1e-9)
    source = manifest_source(Manifest((record,), ("x",)), decoding, preprocessing=SIZES)
    with pytest.raises(DecodeTimeoutError, match=r"time limit of 1e-09 s; .*\bdata\.time_limit_seconds\b"):
        source.read(record, lambda *given: [0])


def test_a_segment_is_seen_as_a_video_of_its_own(source_of, write_video, numbers):
    whole = VideoRecord(write_video("a.mp4", num_frames=11, fps=10), 0, "a.mp4")
    record = dataclasses.replace(whole, start_seconds=0.3, end_seconds=0.8)
    source = source_of(whole, record)
    reading = source.read(record, lambda times: range(times.num_frames))
    assert numbers(reading.frames) == pytest.approx([3, 4, 5, 6, 7], abs=0.3)
    assert reading.seconds == pytest.approx([0.3, 0.4, 0.5, 0.6, 0.7])
    behind = dataclasses.replace(whole, start_seconds=5.0)
    with pytest.raises(DecodeError, match=r"a\.mp4: .*segment .*\b5\.0 s, .*\b1\.100 s"):
        source.read(behind, lambda times: [0])
    assert len(source.read(whole, lambda times: [0]).frames) == 1


def test_what_is_broken_is_opened_once_remembered_and_logged_once(source_of, broken_record, monkeypatch, caplog):
    part = dataclasses.replace(broken_record, end_seconds=2.0)
    source = source_of(broken_record, part)
    messages = set()
    for _ in range(2):
        with pytest.raises(DecodeError, match=r"broken\.mp4") as caught:
            source.read(broken_record, lambda times: [0])
        messages.add(str(caught.value))
        with pytest.raises(DecodeError, match=r"broken\.mp4"):
            source.read(part, lambda times: [0])
        monkeypatch.setattr(frames_module, "open_video", None)  # must not be called again
    [message] = messages
    assert [record.getMessage() for record in caplog.records].count(message) == 1


def test_who_reports_broken_videos_itself_gets_no_warning(broken_record, caplog):
    source = FrameSource(warn=False)
    with pytest.raises(DecodeError, match=r"broken\.mp4"):
        source.read(broken_record, lambda times: [0])
    assert not caplog.records


def test_preload_decodes_once_and_resizes_what_is_larger(numbers, write_video, broken_record, monkeypatch, caplog):
    large = VideoRecord(write_video("a.mp4", num_frames=5, height=64, width=96), 0, "a.mp4")
    small = VideoRecord(write_video("b.mp4", num_frames=7, height=24, width=16), 0, "b.mp4")
    part = dataclasses.replace(large, start_seconds=0.2)
    monkeypatch.setattr(frames_module, "CHUNK_BYTES", 2 * 64 * 96 * 3)  # 2 frames at a time
    source = FrameSource()
    with caplog.at_level(logging.WARNING):
        source.preload([large, small, part, broken_record], short_side=32, num_threads=2)
    assert source.num_cached_bytes == 3 * (5 * 32 * 48 + 7 * 24 * 16)
    assert "1 listed videos can't be read" in caplog.text
    monkeypatch.setattr(frames_module, "open_video", None)
    reading = source.read(large, lambda times: range(times.num_frames))
    assert reading.frames.shape == (5, 32, 48, 3)
    assert numbers(reading.frames) == pytest.approx(range(5), abs=0.3)
    assert source.read(small, lambda times: [6]).frames.shape == (1, 24, 16, 3)
    assert len(source.read(part, lambda times: range(times.num_frames)).frames) == 3


def test_a_cache_that_does_not_fit_is_refused_before_and_while_it_is_filled(write_video, monkeypatch):
    records = [VideoRecord(write_video(f"{n}.mp4"), 0, f"{n}.mp4") for n in range(3)]
    needed = 3 * 11 * 48 * 64 * 3 / 1e9
    # the whole sentence, once for its family
    message = (
        rf"^cache='memory' needs about {needed:.3g} GB for 3 videos with a short side of 48 pixels, "
        r"cache_limit_gb=0.0002 is allowed; raise cache_limit_gb, lower cache_short_side, or set cache='none'$"
    )
    with pytest.raises(ValueError, match=message):
        FrameSource().preload(records, short_side=48, limit_gb=0.0002)
    monkeypatch.setattr(FrameSource, "_estimated_bytes", lambda *_: 0.0)  # headers may promise less
    with pytest.raises(ValueError, match=message):
        FrameSource().preload(records, short_side=48, limit_gb=0.0002)


def _send(source, record, pipe):
    pipe.send(source.read(record, lambda times: [3, 5]).frames.numpy())


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system can't fork")
def test_a_forked_process_reads_the_kept_frames(numbers, write_video, monkeypatch):
    record = VideoRecord(write_video("a.mp4"), 0, "a.mp4")
    source = FrameSource()
    source.preload([record], short_side=48)
    monkeypatch.setattr(frames_module, "open_video", None)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_send, args=(source, record, there))
    process.start()
    assert numbers(torch.from_numpy(here.recv())) == pytest.approx([3, 5], abs=0.3)
    process.join(20)
    assert process.exitcode == 0


def test_what_cannot_be_fetched_is_tried_again_and_not_kept(write_video, monkeypatch, caplog):
    record = VideoRecord(write_video("a.mp4"), 0, "a", member="a.mp4", byte_range=(512, 9))

    def fail(*_, **__):
        raise FetchError("can't read a.tar: a.mp4: the server is tired")

    source = FrameSource()
    with monkeypatch.context() as patched:
        patched.setattr(frames_module, "open_member", fail)
        source.preload([record], short_side=48)
        with pytest.raises(FetchError, match="the server is tired"):
            source.read(record, lambda *_: [0])
    # the whole sentence, once for its family
    message = "can't read a.tar: a.mp4: the server is tired; it is not kept, and is read whenever it is asked for"
    assert caplog.messages == [message]
    monkeypatch.setattr(frames_module, "open_member", lambda record, **_: frames_module.open_video(record.path))
    assert len(source.read(record, lambda *_: [0, 3]).frames) == 2
