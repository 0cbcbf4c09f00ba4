"""What a clip may be: sizes, lengths and words, on real files."""

from pathlib import Path

import pytest
from stamped_video import timed_video

from stvit_video.data.decoding.request import DecodeRequest
from stvit_video.webdemo import clip_limits
from stvit_video.webdemo.clip_limits import ClipFacts, ClipLimits, RefusedError, check_clip, words_of_decoding

LIMITS = ClipLimits(max_megabytes=1, max_seconds=3.0, time_limit_seconds=20.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Frames of 128 x 64 pixels: 25 in 2.5 s."""
    return timed_video(tmp_path_factory.mktemp("limits") / "clip.mp4", range(0, 2500, 100), rate=10)


def test_facts_of_a_clip_that_may_be_used(clip):
    facts = check_clip(clip, LIMITS)
    assert (facts.num_frames, facts.width, facts.height) == (25, 128, 64)
    assert facts.seconds == pytest.approx(2.5)
    assert str(facts) == "2.5 s, 25 frames of 128 x 64 pixels"


@pytest.mark.parametrize(
    ("num_bytes", "told"),
    [(0, r"empty \(0 bytes\)"), (1_000_001, "has 1 MB and this page takes up to 1 MB"), (2 * 10**8, "has 200 MB")],
)
def test_sizes_are_refused_before_anything_is_read(num_bytes, told):
    with pytest.raises(RefusedError, match=told):
        LIMITS.check_size(num_bytes)
    LIMITS.check_size(1_000_000)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (ClipLimits(max_seconds=2.0), r"lasts 2 s .* up to 2 s|lasts .* takes up to 2 s"),
        (ClipLimits(max_seconds=2.4, max_megabytes=5), "cut a part out of it"),
    ],
)
def test_clips_that_last_too_long(clip, limits, told):
    with pytest.raises(RefusedError, match=told):
        check_clip(clip, limits)


def test_too_many_frames_or_pixels(clip, monkeypatch):
    monkeypatch.setattr(clip_limits, "MAX_FPS", 8.0)
    with pytest.raises(RefusedError, match="has 25 frames and this page takes up to 24"):
        check_clip(clip, LIMITS)
    monkeypatch.setattr(clip_limits, "MAX_FPS", 240.0)
    monkeypatch.setattr(clip_limits, "MAX_PIXELS", 128 * 64 - 1)
    with pytest.raises(RefusedError, match="128 x 64 pixels and this page takes up to 0.0 million"):
        check_clip(clip, LIMITS)


@pytest.mark.parametrize(
    "content", [b"once upon a time\n" * 9, b"\x00" * 400, b"\x00\x00\x00\x20ftypisom" + b"\x01" * 99]
)
def test_what_is_no_video_is_told_without_its_path(tmp_path, content):
    path = tmp_path / "secret place" / "named.mp4"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RefusedError) as told:
        check_clip(path, LIMITS)
    assert "can't be read" in str(told.value)
    for word in ("secret place", str(tmp_path), "backend", "time_limit_seconds", "Errno", "ffmpeg", "avcodec"):
        assert word not in str(told.value)


def test_a_time_limit_is_told_without_the_name_of_a_setting():
    request = DecodeRequest("/a/b.mp4", "pyav", 3.0)
    assert words_of_decoding(request.timeout("listing its packets"), Path("/a/b.mp4")) == (
        "Reading the clip took longer than the 3 s that it may take here; choose a shorter or smaller one."
    )


def test_a_decoder_that_the_system_has_ended_is_no_fault_of_the_clip():
    killed = DecodeRequest("/a/b.mp4", "pyav", 3.0).killed("its decoding process was ended by signal SIGKILL")
    assert "took more memory than the demo has now; try again" in words_of_decoding(killed, Path("/a/b.mp4"))


def test_words_of_libraries_are_not_for_visitors():
    source = DecodeRequest("/a/b.mp4", "pyav", 3.0)
    for cause in (
        "avcodec_send_packet() gives -22",
        "no video ([Errno 1] Invalid data)",
        "none of its 0 video packets",
    ):
        assert words_of_decoding(source.error(cause), Path("/a/b.mp4")) == (
            "The file can't be read as a video; choose another one."
        )
    assert words_of_decoding(source.error("it is a still picture"), Path("/a/b.mp4")) == (
        "The clip can't be read: it is a still picture."
    )


def test_long_clips_are_told_in_hours():
    assert str(ClipFacts(seconds=10805.0, num_frames=3, height=2, width=4)).startswith("3 h 0 min, 3 frames")
