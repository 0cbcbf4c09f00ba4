"""The copy that a browser can play: its codec, its size, and what becomes of one that can't be made."""

import io

import av
import pytest
from odd_videos import mpeg4_avi

from stvit_video.data.decoding.video import open_video
from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError
from stvit_video.webdemo.display_copy import display_copy


@pytest.fixture(scope="module")
def old_clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("old") / "clip.avi"
    mpeg4_avi(path)
    return path.read_bytes()


def test_a_clip_of_old_is_copied(tmp_path, old_clip):
    source = tmp_path / "0a1b.clip"
    source.write_bytes(old_clip)
    with open_video(source) as video:
        num_frames = video.num_frames
    copy = display_copy(source, ClipLimits(time_limit_seconds=60.0))
    with av.open(io.BytesIO(copy)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert min(stream.width, stream.height) <= 240
        assert sum(1 for _ in container.decode(stream)) == num_frames
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(("content", "seconds"), [(b"no video at all", 60.0), (None, 1e-3)])
def test_what_can_not_be_copied_is_told_and_leaves_nothing(tmp_path, old_clip, content, seconds):
    source = tmp_path / "0a1b.clip"
    source.write_bytes(content or old_clip)
    with pytest.raises(RefusedError, match="can't be shown here"):
        display_copy(source, ClipLimits(time_limit_seconds=seconds))
    assert list(tmp_path.iterdir()) == [source]
