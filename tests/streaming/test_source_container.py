"""Frames of an open file: those that `open_video` gives, in order, with times and turned as it says."""

import http.server
import threading

import av
import numpy as np
import pytest
from odd_videos import MADE
from pushed_frames import NotingRecognizer
from stamped_video import picture_numbers, stamped_video, timed_video
from stream_servers import Sent, http_served
from video_maker import make_video

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.video import open_video
from stvit_video.streaming.run_stream import run_stream
from stvit_video.streaming.source_container import SourceContainer, promised_seconds
from stvit_video.streaming.source_frames import SourceError
from stvit_video.streaming.sources import Source, find_source

FILES = ("plain.mp4", "plain.mkv", "mpeg4.avi", "rotated_90.mov", "rotated_180.mov", "stream_copied_trim.mp4")


def opened(path):
    return SourceContainer(find_source(path), timeout_seconds=10)


def read(path):
    """(frames, usual interval, damaged packets) of a file."""
    damaged = []
    container = opened(path)
    frames = list(container.frames(lambda: damaged.append(1)))
    container.close()
    return frames, container.interval_seconds, len(damaged)


@pytest.mark.parametrize("name", FILES)
def test_the_frames_that_open_video_gives(tmp_path, name):
    path = tmp_path / name
    MADE[name].make(path)
    frames, interval, damaged = read(path)
    with open_video(path) as video:
        wanted = video.read(range(video.num_frames))
        times = video.times.seconds
    pictures = np.stack([frame.picture() for frame in frames])
    assert np.array_equal(pictures, wanted)
    assert {frame.size for frame in frames} == {wanted.shape[1:3]}
    assert interval == pytest.approx(1 / 25, rel=1e-3)
    assert damaged == 0
    if name != "mpeg4.avi":  # its stamps are places in the order of storage
        stamps = np.array([frame.stamp_seconds for frame in frames])
        assert stamps - stamps[0] == pytest.approx(times, abs=1.1e-3)
    else:
        assert {frame.stamp_seconds for frame in frames} == {None}


def test_mirrored_and_turned(tmp_path):
    path = make_video(tmp_path / "a.mov", num_frames=3, rotation=(-90, True))
    frames, _, _ = read(path)
    with open_video(path) as video:
        assert np.array_equal(np.stack([frame.picture() for frame in frames]), video.read(range(3)))


def test_times_of_a_variable_rate(tmp_path):
    times_ms = [0, 40, 90, 400, 440, 1500]
    frames, interval, _ = read(timed_video(tmp_path / "a.mkv", times_ms, codec="libvpx"))
    stamps = [frame.stamp_seconds for frame in frames]
    assert [stamp - stamps[0] for stamp in stamps] == pytest.approx([time / 1000 for time in times_ms])
    assert interval is not None


def test_a_rate_that_is_stated_wrong_does_not_count(tmp_path):
    stamps = [place * 50 for place in range(12)]  # 20 a second
    path = timed_video(tmp_path / "a.mkv", stamps, codec="libvpx", rate=1000)
    assert read(path)[1] == pytest.approx(0.05, rel=0.01)


def test_fewer_frames_than_tell_a_rate_and_a_second_reading(tmp_path):
    path = timed_video(tmp_path / "a.mp4", [0, 33, 66])
    frames, _, damaged = read(path)
    assert picture_numbers(frame.picture() for frame in frames) == [0, 1, 2]
    assert damaged == 0


def test_stamps_that_run_back_are_handed_on(tmp_path):
    path = stamped_video(tmp_path / "a.mkv", [0, 40, 80, 20, 60, 100])
    assert len(read(path)[0]) == 6


def test_damaged_packets_are_counted_and_left_out(tmp_path):
    path = make_video(tmp_path / "a.mkv", num_frames=40, codec="mpeg4", options={"g": "8"})
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    whole, _, _ = read(path)
    broken = bytes(packets[16])
    start = bytes(data).index(broken)
    data[start : start + len(broken)] = bytes(len(broken))
    path.write_bytes(data)
    frames, _, damaged = read(path)
    assert damaged >= 1
    assert len(frames) + damaged >= len(whole)


def test_what_is_no_moving_picture(tmp_path):
    words, still = tmp_path / "words.mp4", tmp_path / "still.png"
    words.write_text("only words\n" * 99)
    write_png(still)
    for path, told in ((words, "not a video"), (still, "still picture")):
        with pytest.raises(DecodeError, match=told):
            opened(path)


def write_png(path):
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 8, 6, "rgb24"
        picture = av.VideoFrame.from_ndarray(np.zeros((6, 8, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(picture))
        container.mux(stream.encode())


def test_a_device_that_is_no_camera():
    source = Source(kind="camera", shown="camera 0", place="/dev/null", demuxer="v4l2")
    with pytest.raises(SourceError, match="camera 0 can't be opened: "):
        SourceContainer(source, timeout_seconds=5)


def test_closing_twice(tmp_path):
    container = opened(timed_video(tmp_path / "a.mp4", [0, 33]))
    container.close()
    container.close()


def test_a_web_server_with_another_answer():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hunter2 is no video</html>" * 99)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://bob:hunter2@127.0.0.1:{server.server_port}/a?hunter2"
        with pytest.raises(SourceError) as caught:
            SourceContainer(find_source(address, allow_addresses=True), timeout_seconds=5)
        thread.join()
    assert f"127.0.0.1:{server.server_port}/a?..." in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.fixture
def web(tmp_path):
    """A web server for tmp_path on this machine: its address."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=tmp_path)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def playlist(path, *, part, ends=True):
    """A playlist of HLS with one part."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2", "#EXTINF:2.0,", part]
    path.write_text("\n".join([*lines, *(["#EXT-X-ENDLIST"] if ends else []), ""]))


def test_a_playlist_on_a_server(tmp_path, web):
    timed_video(tmp_path / "a.ts", [round(number * 1000 / 30) for number in range(40)])
    for ends in (True, False):
        playlist(tmp_path / "a.m3u8", part="a.ts", ends=ends)
        container = SourceContainer(find_source(f"{web}/a.m3u8", allow_addresses=True), timeout_seconds=5)
        assert container.in_parts
        assert container.is_live is not ends
        first = next(container.frames(lambda: None))
        assert picture_numbers([first.picture()]) == [0]
        container.close()


def test_a_playlist_on_a_server_does_not_lead_into_this_machine(tmp_path, web):
    secret = timed_video(tmp_path / "secret.ts", [0, 33, 66])
    for part in (f"file://{secret}", f"subfile,,start,0,end,0,,:{secret}", f"concat:{secret}"):
        playlist(tmp_path / "a.m3u8", part=part)
        with pytest.raises(SourceError):
            SourceContainer(find_source(f"{web}/a.m3u8", allow_addresses=True), timeout_seconds=5)


def why_not_read(data, **sent):
    """The error of a file on a server that can't go back."""
    with http_served(Sent(data, **sent)) as address:
        with pytest.raises(SourceError) as caught:
            list(run_stream(NotingRecognizer(), address, allow_addresses=True, max_reconnects=0))
        assert address in str(caught.value)
    return str(caught.value)


def test_an_index_at_the_end_on_a_server_that_can_not_go_back(tmp_path):
    path = timed_video(tmp_path / "a.mp4", range(0, 60_000, 40), rate=25)
    assert "-movflags +faststart" in why_not_read(path.read_bytes(), content_type="video/mp4")


def test_what_is_no_video_on_a_server():
    assert "there is no video" in why_not_read(b"no video " * 999, content_type="text/html", length=True)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_what_a_header_promises(tmp_path, name):
    """Of the picture, not of sound that is longer; MPEG-TS has no header."""
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        picture, sound = container.add_stream("libx264", rate=25), container.add_stream("aac", rate=8000)
        picture.width, picture.height, picture.pix_fmt = 128, 64, "yuv420p"
        for _ in range(50):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 128, 3), np.uint8), format="rgb24")))
        for number in range(40):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
            samples.sample_rate, samples.pts = 8000, 1000 * number
            container.mux(sound.encode(samples))
        container.mux(picture.encode())
        container.mux(sound.encode())
    with av.open(str(path)) as container:
        found = promised_seconds(container, container.streams.video[0])
    assert found is None if name == "a.ts" else found == pytest.approx(2.0, abs=0.05)
    assert len(read(path)[0]) == 50
