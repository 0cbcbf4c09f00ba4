"""What may be opened: plain local files, and nothing that leads elsewhere unless it is allowed."""

import functools
import http.server
import os
import re
import threading

import numpy as np
import pytest
from video_cases import both
from video_maker import make_video, whole_file

from stvit_video.data.decoding.container import POINTING_FORMATS, check_local_file
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest
from stvit_video.data.decoding.video import open_video

TOLD = "download it and give the path of that file"


def source(path, *, seconds=10.0):
    return DecodeRequest(str(path), "pyav", seconds)


def probe(path):
    return probe_video(source(path), source(path).deadline())


@pytest.fixture
def web(tmp_path):
    """A web server for tmp_path on this machine: (address, list of what was asked for)."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            asked.append(self.path)

    handler = functools.partial(Handler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_what_is_no_local_video_file_is_refused_in_words(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "words.mp4").write_text("not a video, only words\n" * 99)
    os.mkfifo(tmp_path / "pipe.mp4")
    for path, text in {
        tmp_path / "absent.mp4": "not exist",
        tmp_path: "directory",
        tmp_path / "empty.mp4": "is empty",
        tmp_path / "pipe.mp4": "no regular file",
        tmp_path / "words.mp4": "it is not a video",
        "-": "not exist",
        "": "not exist",
        "nul\0byte.mp4": "not exist",
        "odd, name.mp4": "not exist",
    }.items():
        with pytest.raises(DecodeError, match=rf"{re.escape(repr(str(path)))} .*'pyav': .*{text}\b"):
            probe(path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/clip.mp4", "HTTPS://example.org/a.mp4", "rtsp://10.0.0.1/live", "rtmp://a/b", "tcp://a:9",
        "udp://@239.0.0.1:1234", "ftp://a/b.mp4", "s3://bucket/clip.mp4", "concat:a.mp4|b.mp4", "pipe:0", "fd:",
        "file:{clip}", "file://{clip}", "subfile,,start,0,end,99,,:{clip}", "data:video/mp4;base64,AAAA",
        "cache:{clip}", "crypto:{clip}", "async:{clip}", "tee:{clip}", "hls+http://a/b.m3u8", "concatf:{clip}",
    ],
)  # fmt: skip
def test_addresses_and_protocols_are_refused_in_one_sentence(address, tmp_path):
    path = address.format(clip=make_video(tmp_path / "clip.mp4", num_frames=2))
    scheme = path.replace(",", ":").split(":")[0]
    with pytest.raises(DecodeError) as caught:
        open_video(path)
    # the whole sentence, once for its family
    expected = f"this is an address ({scheme!r}), and only local files are read; {TOLD}"
    assert str(caught.value) == f"can't decode {path!r} with backend 'pyav': {expected}"


def test_an_address_is_read_only_when_it_is_allowed(tmp_path, web):
    clip, (address, asked) = make_video(tmp_path / "clip.mp4", num_frames=7), web
    with pytest.raises(DecodeError, match=r"this is an address \('http'\)"):
        open_video(f"{address}/clip.mp4")
    assert asked == []
    for isolate in (None, True):
        with open_video(f"{address}/clip.mp4", allow_addresses=True, isolate=isolate) as video:
            assert video.backend == "pyav"
            np.testing.assert_array_equal(video.read([6, 2]), whole_file(clip)[[6, 2]])
    assert asked
    with pytest.raises(DecodeError, match=r"gone\.mp4' .*'pyav': it is not a video\b"):
        open_video(f"{address}/gone.mp4", allow_addresses=True)


def playlists(address):
    """Name -> text of files that point to clip.ts beside them or on the web server."""
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-main:2011" mediaPresentationDuration="PT1S"><Period><AdaptationSet '
        f'mimeType="video/mp4"><Representation id="0" bandwidth="1"><BaseURL>{address}/clip.mp4</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )
    sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 33\n"
    return {
        "local.m3u8": hls.format("clip.ts"),
        "remote.m3u8": hls.format(f"{address}/clip.ts"),
        "marked.m3u8": "\ufeff" + hls.format("clip.ts"),
        "local.ffconcat": "ffconcat version 1.0\nfile clip.ts\n",
        "remote.ffconcat": f"ffconcat version 1.0\nfile {address}/clip.ts\n",
        "dash.mpd": dash,
        "session.sdp": sdp,
    }


@pytest.mark.parametrize("extension", ["", ".mp4"])
def test_playlists_are_not_followed(tmp_path, web, extension):
    make_video(tmp_path / "clip.ts", num_frames=3)
    address, asked = web
    for name, text in playlists(address).items():
        (tmp_path / (name + extension)).write_text(text)
        with pytest.raises(DecodeError) as caught:
            open_video(tmp_path / (name + extension))
        assert re.search(f"{re.escape(name + extension)}' .*'pyav': .*playlist", str(caught.value))
        assert str(caught.value).endswith("; give the video itself")
    assert asked == []


@pytest.mark.parametrize("name", ["local.m3u8", "local.ffconcat", "remote.m3u8"])
def test_playlists_are_followed_when_it_is_allowed(tmp_path, web, name):
    clip = make_video(tmp_path / "clip.ts", num_frames=3)
    (tmp_path / name).write_text(playlists(web[0])[name])
    with open_video(tmp_path / name, allow_addresses=True) as video:
        np.testing.assert_array_equal(video.read([2, 0]), whole_file(clip)[[2, 0]])


def test_formats_that_point_elsewhere_are_ffmpegs_names():
    import av

    known = {"hls", "concat", "sdp", "rtsp", "rtp", "sap", "webm_dash_manifest"}
    assert known <= set(POINTING_FORMATS) & set(av.formats_available)
    assert not {"mov", "matroska", "avi", "mpegts", "gif"} & set(POINTING_FORMATS)


def test_sound_and_still_pictures_are_no_videos(tmp_path):
    import av

    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(DecodeError, match=r"no video stream .*'wav'"):
        probe(tmp_path / "sound.wav")
    make_video(tmp_path / "picture.mov", codec="png", pixel_format="rgb24", num_frames=1, options={})
    with av.open(str(tmp_path / "picture.mov")) as container:
        (tmp_path / "picture.png").write_bytes(bytes(next(container.demux(video=0))))
    with pytest.raises(DecodeError, match=r"still picture, .*'png_pipe'"):
        probe(tmp_path / "picture.png")


def test_a_stream_that_ffmpeg_does_not_know_is_refused(tmp_path):
    known = make_video(tmp_path / "clip.mp4", num_frames=3).read_bytes()
    (tmp_path / "odd.mp4").write_bytes(known.replace(b"avc1", b"zzzz"))
    with pytest.raises(DecodeError, match=r"odd\.mp4' .*'pyav': .*no decoder\b"):
        probe(tmp_path / "odd.mp4")


def test_file_names_that_look_like_protocols_or_options_are_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "clip.mp4", num_frames=3)
    for name in ("-clip.mp4", "http:clip.mp4", "a, b%03d.mp4", "subfile,,start,0,end,9,,:x.mp4"):
        os.rename("clip.mp4", name)
        check_local_file(source(name))
        assert len(probe(name).pts) == 3
        os.rename(name, "clip.mp4")


@pytest.mark.parametrize("case", both("corrupted.mp4"), indirect=True)
def test_a_container_is_closed_where_its_content_is_refused(case):
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    for _ in range(3):
        with pytest.raises(DecodeError, match=r"corrupted\.mp4' .*is lost .*Invalid data"):
            open_video(case.path)
    after = set(os.listdir("/proc/self/fd")) if before else set()
    assert len(after) <= len(before)
