"""What keyframes state of their pictures, against files of encoders, and by hand."""

import av
import pytest
from shape_maker import SIZES, changing_size
from video_maker import make_video

from stvit_video.data.decoding.packets import nal_length_size
from stvit_video.data.decoding.picture_settings import header_settings, picture_settings
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeRequest

X265 = "log-level=none:keyint=5:min-keyint=5:open-gop=0"
# each with several keyframes that state the same
STEADY = {
    "h264.mp4": {"options": {"x264-params": "repeat-headers=1:keyint=5"}},
    "hevc.mp4": {"codec": "libx265", "options": {"x265-params": f"{X265}:repeat-headers=1"}},
    "vp9.mp4": {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "g": "5"}},
    "vp9_444.mkv": {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "g": "5"}, "pixel_format": "yuv444p"},
    "av1.mkv": {"codec": "libsvtav1", "options": {"preset": "12", "g": "5"}},
}


def index_of(path):
    source = DecodeRequest(str(path), "pyav", 10.0)
    return probe_video(source, source.deadline())


def stated(path):
    """What each keyframe states."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec, size = stream.codec_context.name, nal_length_size(stream.codec_context.name, _header(stream))
        packets = [packet for packet in container.demux(stream) if packet.is_keyframe]
        return [picture_settings(memoryview(packet), codec=codec, length_size=size) for packet in packets]


def _header(stream):
    return stream.codec_context.extradata


@pytest.mark.parametrize("name", STEADY)
def test_keyframes_of_one_size_state_the_same(tmp_path, name):
    found = stated(make_video(tmp_path / name, num_frames=15, **STEADY[name]))
    assert len(found) >= 3
    assert len(set(found)) == 1
    assert found[0]
    assert not index_of(tmp_path / name).size_may_change


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p"])
def test_vp9_states_width_and_height_less_1(tmp_path, pixel_format):
    path = make_video(tmp_path / "a.webm", num_frames=1, pixel_format=pixel_format, size=(97, 71), codec="libvpx-vp9")
    assert stated(path) == [bytes([0, 96, 0, 70])]


@pytest.mark.parametrize(("codec", "name"), [("libvpx-vp9", "a.webm"), ("libx264", "a.mkv"), ("libx264", "a.mp4")])
def test_a_change_of_size_is_seen_without_decoding(tmp_path, codec, name):
    index = index_of(changing_size(tmp_path / name, codec=codec))
    assert index.size_may_change
    assert (index.width, index.height) == SIZES[0]


def test_the_header_states_the_same_as_the_packets(tmp_path):
    for name in ("h264.mp4", "hevc.mp4"):
        path = make_video(tmp_path / name, num_frames=5, **STEADY[name])
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert header_settings(_header(stream), codec=stream.codec_context.name) == stated(path)[0]


def test_damaged_bytes_state_nothing_or_less_but_never_fail():
    for data in (b"", b"\0", b"\x82", b"\x82\x49\x83", b"\x0a", b"\x0a\xff\xff", b"\0\0\0\x09\x67", b"\xff" * 40):
        for codec in ("h264", "hevc", "vp9", "libdav1d", "mpeg4"):
            assert picture_settings(data, codec=codec, length_size=4 if codec in ("h264", "hevc") else None) == b""
            assert header_settings(data, codec=codec) == b""
    assert header_settings(None, codec="h264") == b""
    assert header_settings(b"\1" * 9, codec="h264") == b"\1"  # a count and a length that lead behind the end


def test_by_hand():
    sps, slice_ = b"\x67ab", b"\x65xyz"
    packet = b"\0\0\0\3" + sps + b"\0\0\0\4" + slice_
    assert picture_settings(packet, codec="h264", length_size=4) == sps
    assert picture_settings(packet, codec="h264", length_size=None) == b""
    av1 = b"\x12\0" + b"\x0a\x02ab" + b"\x32\x01c"  # temporal delimiter, sequence header, frame
    assert picture_settings(av1, codec="libdav1d", length_size=None) == b"ab"
