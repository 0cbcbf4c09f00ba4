"""What preparing gains: a long-GOP video against its copy, sums by hand, and videos that can't be read."""

import pytest
from video_cases import made, real
from video_maker import make_video

from stvit_video.data.curation.transcode import Encoding
from stvit_video.data.curation.transcode_gain import Gain, measure_gain


@pytest.mark.parametrize(
    ("case", "lost"),
    [made("corrupted.mp4", "frame 13 of 35"), real("corrupted.mp4", "frame 28 of 50")],
    indirect=["case"],
)
def test_a_large_video_with_one_keyframe_gains(case, lost, tmp_path):
    path = make_video(tmp_path / "v.mp4", size=(640, 480), num_frames=90, options={"g": "250", "preset": "ultrafast"})
    gain = measure_gain(
        [str(path), str(case.path)],
        encoding=Encoding(short_side=64, preset="ultrafast"),
        num_frames=4,
        frame_stride=2,
        num_clips=2,
        repeats=2,
        folder=tmp_path,
    )
    assert gain.num_videos == 1
    assert gain.seconds_before > 1.5 * gain.seconds_after > 0
    assert gain.bytes_before == path.stat().st_size > gain.bytes_after > 0
    assert len(gain.faults) == 1
    assert f"{lost} is lost" in gain.faults[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["v.mp4"]


def test_sentences_by_hand():
    assert Gain(2, 0.2, 0.05, 1000, 400).sentence() == (
        "preparing, measured on 2 of your videos: a clip takes 100.0 ms now, 25.0 ms prepared (4.0x), "
        "and the files would have 40 % of their size"
    )
    assert Gain(1, 0.05, 0.05, 100, 110).sentence().endswith("that is little, leave them as they are")
    assert Gain(0, 0.0, 0.0, 0, 0, ("a.mp4: broken",)).sentence() == "preparing could not be measured: a.mp4: broken"


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        measure_gain([], encoding=Encoding(), num_frames=4, frame_stride=2, folder=tmp_path / "gone")
