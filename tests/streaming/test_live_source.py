"""Sources that don't wait, served on this machine: newest wins, reconnects, stalls, and no secrets anywhere."""

import logging
import re
import threading
import time
import traceback
from fractions import Fraction
from itertools import pairwise

import av
import pytest
from pushed_frames import NotingRecognizer
from stamped_video import SIZE, numbered_picture, timed_video
from stream_servers import Sent, http_served, rtsp_served

from stvit_video.streaming import live_source
from stvit_video.streaming.run_stream import run_stream
from stvit_video.streaming.source_frames import SourceError

NUM_FRAMES, RATE = 60, 30
SERVERS = {"http": http_served, "rtsp": rtsp_served}
QUICK = {"allow_addresses": True, "timeout_seconds": 5.0, "reconnect_seconds": 0.01}
READER = "reader of"


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """MPEG-TS of numbered frames, 30 a second."""
    path = tmp_path_factory.mktemp("served") / "a.ts"
    return timed_video(path, [round(number * 1000 / RATE) for number in range(NUM_FRAMES)]).read_bytes()


def jpegs(num_frames):
    """Numbered pictures as JPEG, one after the other."""
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = *SIZE, "yuvj420p", Fraction(1, 25)
    for number in range(num_frames):
        frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24").reformat(format="yuvj420p")
        frame.pts = number
        yield from map(bytes, codec.encode(frame))


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith(READER)]


def all_of(run):
    """(steps, the error that ended it or None)."""
    steps = []
    with run:
        try:
            steps += run
        except SourceError as error:
            return steps, error
    return steps, None


def require_real_windows(recognizer, *, distance):
    """Windows hold frames in their order, each at the time that it has in the video."""
    assert recognizer.windows
    for window in recognizer.windows:
        assert window == sorted(window)
    first_seconds, first_number = recognizer.pushed[0]
    for seconds, number in recognizer.pushed:
        assert seconds - first_seconds == pytest.approx((number - first_number) / RATE, abs=2e-3)
        assert (number - first_number) % distance == 0


@pytest.mark.parametrize("kind", SERVERS)
def test_a_camera_on_the_network(video, kind):
    sent = Sent(video, seconds=1.5)
    recognizer = NotingRecognizer(frame_stride=3)
    with SERVERS[kind](sent) as address:
        run = run_stream(recognizer, f"{address}/cam", max_reconnects=0, **QUICK)
        steps, error = all_of(run)
    assert run.summary.is_live
    assert steps
    assert "max_reconnects=0" in str(error)
    assert all(step.latency_seconds > 0 for step in steps)
    assert run.summary.frames_read > NUM_FRAMES * 0.9
    assert run.summary.fps == pytest.approx(RATE / 3)
    require_real_windows(recognizer, distance=3)
    assert not readers()


def test_pictures_without_times_come_when_they_come():
    """As cheap cameras send them; ffmpeg makes up 25 a second."""
    mark = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    pieces = [mark % len(picture) + picture + b"\r\n" for picture in jpegs(16)]
    sent = Sent(pieces, seconds=1.6, content_type="multipart/x-mixed-replace; boundary=frame")
    recognizer = NotingRecognizer(num_frames=2, target_fps=10.0)
    with http_served(sent) as address:
        run = run_stream(recognizer, address, max_reconnects=0, **QUICK)
        steps, _ = all_of(run)
    assert steps
    assert run.summary.source_seconds > 1.0  # 0.6 by the made up times
    assert any("has no time stamps; frames are timed as they come" in note for note in run.summary.notes)
    assert recognizer.pushed[-1][1] >= 14  # the last one is not chosen where it comes early


def test_a_model_that_is_too_slow_gets_the_newest_frames(video):
    recognizer = NotingRecognizer(num_frames=2, push_seconds=0.15)
    with http_served(Sent(video, seconds=1.0)) as address:
        run = run_stream(recognizer, address, max_reconnects=0, **QUICK)
        steps, _ = all_of(run)
    summary, numbers = run.summary, [number for _, number in recognizer.pushed]
    assert summary.frames_dropped > 0
    spans = [step.window[1] - step.window[0] for step in steps]
    assert max(spans) > 2 / RATE + 0.01  # they span more time than a window, and none is begun anew
    assert (summary.resets, [step.note for step in steps if step.note]) == (0, [])
    assert summary.frames_chosen == len(numbers) + summary.frames_dropped
    assert sum(step.dropped for step in steps) <= summary.frames_dropped
    assert len(numbers) < NUM_FRAMES
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > NUM_FRAMES - 5  # the end was seen, so nothing lagged


def test_waiting_in_place_of_dropping(video):
    recognizer = NotingRecognizer(push_seconds=0.005)
    with http_served(Sent(video)) as address:
        run = run_stream(recognizer, address, on_late="wait", max_reconnects=0, **QUICK)
        all_of(run)
    assert run.summary.frames_dropped == 0
    assert [number for _, number in recognizer.pushed] == list(range(len(recognizer.pushed)))
    assert len(recognizer.pushed) > NUM_FRAMES * 0.9


def test_a_file_on_a_server_is_read_to_its_end(video):
    recognizer = NotingRecognizer(push_seconds=0.005)
    with http_served(Sent(video, length=True)) as address:
        run = run_stream(recognizer, f"{address}/a.ts", **QUICK)
        steps, error = all_of(run)
    assert error is None
    assert run.summary.is_live is False
    assert (run.summary.frames_read, run.summary.frames_dropped, run.summary.reconnects) == (NUM_FRAMES, 0, 0)
    assert [number for _, number in recognizer.pushed] == list(range(NUM_FRAMES))
    assert len(steps) == (NUM_FRAMES - 4) // 2 + 1


def test_a_connection_that_is_cut_is_made_again(video):
    sent = Sent(video, seconds=0.3, cut_after=(0.5,), refused=2)
    recognizer = NotingRecognizer()
    with http_served(sent) as address:
        run = run_stream(recognizer, address, on_late="wait", max_reconnects=2, **QUICK)
        _, error = all_of(run)
    assert sent.num_connections == 2
    assert run.summary.reconnects == 1
    assert "404" in str(error)  # after the second connection
    assert "max_reconnects=2" in str(error)
    numbers, times = [number for _, number in recognizer.pushed], [seconds for seconds, _ in recognizer.pushed]
    assert numbers.count(0) == 2  # the server began anew
    assert times == sorted(times)


def test_a_long_break_begins_the_window_anew(video, monkeypatch):
    sent = Sent(video, seconds=0.2, cut_after=(0.5,), refused=2)
    recognizer = NotingRecognizer(frame_stride=1)
    with http_served(sent) as address:
        run = run_stream(recognizer, address, on_late="wait", max_reconnects=1, **(QUICK | {"reconnect_seconds": 0.4}))
        steps, _ = all_of(run)
    notes = [step.note for step in steps if step.note]
    assert len(notes) == 1
    assert re.fullmatch(r"connection lost: .*http://\S+.*, asked for again, 1 of 1", notes[0])
    assert run.summary.resets == 1
    assert all(max(after - before for before, after in pairwise(w)) == 1 for w in recognizer.windows)


def test_a_lost_connection_is_told_at_once(video):
    told = []
    with http_served(Sent(video, seconds=0.2, cut_after=(0.5,), refused=1)) as address:
        run = run_stream(NotingRecognizer(), address, on_late="wait", max_reconnects=2, **QUICK)
        run.summary.listen(lambda seconds, words: told.append((seconds, words)))
        _, error = all_of(run)
    assert [words.rpartition(", ")[2] for _, words in told] == ["1 of 2", "2 of 2"]
    assert all(words.startswith("connection lost: ") and 0.5 < seconds < 1.1 for seconds, words in told)
    assert run.summary.error == str(error)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_silent_source_ends_after_max_seconds(video, share):
    started = time.monotonic()
    with http_served(Sent(video, stall_after=share)) as address:
        run = run_stream(NotingRecognizer(), address, on_late="wait", max_seconds=1.4, **QUICK)
        steps, error = all_of(run)
        assert time.monotonic() - started < 4.0  # timeout_seconds is 5
    if share:
        assert error is None
        assert steps
    else:
        assert "no picture within max_seconds=1.4" in str(error)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_stall(video, kind):
    sent = Sent(video, stall_after=0.6)
    recognizer = NotingRecognizer()
    with SERVERS[kind](sent) as address:
        settings = QUICK | {"timeout_seconds": 1.5, "max_reconnects": 0}
        steps, error = all_of(run_stream(recognizer, f"{address}/cam", on_late="wait", **settings))
    assert steps
    assert "sent nothing for 1.5 s (timeout_seconds)" in str(error)
    assert not readers()


def test_a_stall_before_the_first_picture(video):
    with http_served(Sent(video, stall_after=0.0)) as address:
        _, error = all_of(run_stream(NotingRecognizer(), address, **(QUICK | {"timeout_seconds": 0.3})))
    assert "did not answer within 0.3 s" in str(error) or "sent nothing for 0.3 s" in str(error)


def test_a_server_that_is_not_there_is_asked_once(video):
    with http_served(Sent(video)) as address:
        pass
    run = run_stream(NotingRecognizer(), address, **QUICK)
    _, error = all_of(run)
    assert "refused" in str(error)
    assert run.summary.reconnects == 0


def test_a_server_that_ends_at_once(video):
    with http_served(Sent(b"")) as address:
        _, error = all_of(run_stream(NotingRecognizer(), address, **QUICK))
    assert error is not None
    assert address in str(error)


def test_closing_ends_thread_and_connection_at_once(video):
    sent = Sent(video, seconds=4.0)
    with http_served(sent) as address:
        run = run_stream(NotingRecognizer(num_frames=2, stride_frames=1), address, **QUICK)
        next(run)
        assert readers()
        run.close()
        assert not readers()
        run.close()
    assert list(run) == []


def test_interrupting_ends_them_too(video):
    class Interrupted(NotingRecognizer):
        def push(self, frames, *, seconds=None):
            if len(self.pushed) == 3:
                raise KeyboardInterrupt
            return super().push(frames, seconds=seconds)

    with http_served(Sent(video, seconds=4.0)) as address:
        with pytest.raises(KeyboardInterrupt):
            list(run_stream(Interrupted(), address, **QUICK))
        assert not readers()


def test_closing_does_not_wait_for_a_connection_that_hangs(video, monkeypatch):
    monkeypatch.setattr(live_source, "CLOSE_SECONDS", 0.01)
    with http_served(Sent(video, stall_after=0.9)) as address:
        run = run_stream(NotingRecognizer(), address, **(QUICK | {"timeout_seconds": 0.5}))
        next(run)
        hanging = readers()
        run.close()
        for thread in hanging:
            assert thread.daemon
            thread.join()  # by its timeout


def test_a_driver_that_hangs(monkeypatch):
    freed = threading.Event()

    def hang(*_, **__):
        freed.wait()
        raise SourceError("too late")

    monkeypatch.setattr(live_source, "SourceContainer", hang)
    monkeypatch.setattr(live_source, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(live_source, "CLOSE_SECONDS", 0.01)
    run = run_stream(NotingRecognizer(), "rtsp://bob:hunter2@host/live", **(QUICK | {"timeout_seconds": 0.01}))
    _, error = all_of(run)
    assert str(error).startswith("rtsp://host/live shows no life for ")
    hanging = readers()
    freed.set()
    for thread in hanging:
        thread.join()


@pytest.mark.parametrize("kind", SERVERS)
def test_secrets_stay_secret(video, kind, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    for sent, settings in (
        (Sent(video, user="bob:hunter2"), {"max_reconnects": 0}),
        (Sent(video, user="bob:other"), {}),
        (Sent(video, user="bob:hunter2", stall_after=0.5), {"timeout_seconds": 0.3, "max_reconnects": 0}),
        (Sent(b"no video" * 999, user="bob:hunter2"), {"timeout_seconds": 1.0}),
    ):
        with SERVERS[kind](sent) as address:
            address = address.replace("://", "://bob:hunter2@") + "/cam?token=hunter2"
            run = run_stream(NotingRecognizer(), address, on_late="wait", **(QUICK | settings))
            steps, error = all_of(run)
        assert steps or told  # the first one is let in
        told += [*steps, run, run.summary, repr(error), "".join(traceback.format_exception(error))]
        assert error.__cause__ is None
        assert error.__context__ is None
        told += [thread.name for thread in threading.enumerate()]
    told += [caplog.text, *capfd.readouterr()]
    words = "\n".join(map(str, told))
    assert "/cam?..." in words
    for secret in ("hunter2", "bob", "aHVudGVyMg", "Ym9i"):
        assert secret not in words


@pytest.mark.parametrize("kind", SERVERS)
def test_secrets_stay_secret_where_ffmpeg_logs(video, kind, caplog):
    """Who switches PyAV's log on sees ffmpeg's lines, but our errors do not repeat them."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with SERVERS[kind](Sent(video, user="bob:other")) as address:
            address = address.replace("://", "://bob:hunter2@") + "/hunter2?token=hunter2"
            _, error = all_of(run_stream(NotingRecognizer(), address, **QUICK))
    finally:
        av.logging.set_level(level)
    assert "bob" not in str(error)
    assert "token" not in str(error)
