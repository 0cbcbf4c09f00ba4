"""Numbers of frames of a file, from those of a segment."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.chosen_frames import chosen_frames
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes

VIDEO = SimpleNamespace(times=FrameTimes.constant(20, fps=10.0))
WHOLE = VideoRecord(path=Path("a.mp4"), label=0, video_id="a.mp4")


def test_a_segment_is_counted_from_its_first_frame():
    seen = []

    def choose(times):
        seen.append(times.num_frames)
        return [0, 2, times.num_frames - 1]

    assert chosen_frames(VIDEO, WHOLE, choose) == [0, 2, 19]
    part = replace(WHOLE, start_seconds=0.5, end_seconds=1.2)
    assert chosen_frames(VIDEO, part, choose) == [5, 7, 11]
    assert seen == [20, 7]


def test_a_segment_behind_the_end_is_an_error_of_the_file():
    with pytest.raises(DecodeError, match=r"a\.mp4: .*2\.5 s"):
        chosen_frames(VIDEO, replace(WHOLE, start_seconds=2.5), lambda times: [0])
