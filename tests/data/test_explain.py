"""The explained plan of files: its words by hand, its picture by what is drawn in it."""

import pytest
from matplotlib.image import imread
from video_cases import made, real

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.explain import describe_video, draw_video, explain_video


def test_the_words_by_hand(write_video):
    path = write_video("a, b.mp4", num_frames=25, height=48, width=64)
    video = explain_video(path, protocol="mmaction", num_frames=4, frame_stride=3, num_clips=2, crop_size=20)
    assert describe_video(video) == [
        f"{path}: 25 frames of 64x48 at 10 a second",
        "mmaction: 2 clips of 4 frames x 3 crops, mean of softmax; 6 of 6 views differ",
        "clip 0 (0.00 to 0.90 s): 0 3 6 9",
        "clip 1 (1.50 to 2.40 s): 15 18 21 24",
        "crop 0: 20x20 at left 0, top 0 of 27x20",
        "crop 1: 20x20 at left 3, top 0 of 27x20",
        "crop 2: 20x20 at left 6, top 0 of 27x20",
    ]
    assert video.pictures.shape == (2, 20, 27, 3)


@pytest.mark.parametrize(
    ("case", "size", "top", "scaled"),
    [
        made("rotated_90.mov", "70x98", 90, "224x314"),  # 98 * 224 / 70 = 313.6
        real("rotated_90.mov", "320x568", 174, "224x398"),  # 568 * 224 / 320 = 397.6
    ],
    indirect=["case"],
)
def test_a_portrait_video_with_fewer_frames_than_a_clip(case, size, top, scaled):
    video = explain_video(case.path, protocol="videoswin")
    lines = describe_video(video)
    assert f"3 frames of {size}" in lines[0]
    assert "4 clips of 32 frames x 3 crops, mean of softmax; 3 of 12 views differ" in lines[1]
    assert lines[-1] == f"crop 2: 224x224 at left 0, top {top} of {scaled}"


def test_the_picture_shows_frames_and_crops(write_video, tmp_path):
    path = write_video("a$b_{.mp4", num_frames=25)  # what matplotlib would take for a formula
    video = explain_video(path, protocol="uniform", num_frames=3, frame_stride=2, short_side=30, crop_size=20)
    draw_video(video, tmp_path / "plan.png")
    pixels = imread(tmp_path / "plan.png")[..., :3]  # (H, W, 3) in 0..1
    assert pixels.shape[0] > 300
    for colour in ((0x1F, 0x77, 0xB4), (0xFF, 0x7F, 0x0E), (0x2C, 0xA0, 0x2C)):  # blue, orange, green
        close = (abs(pixels * 255 - colour) < 3).all(axis=-1)
        assert close.sum() > 100


def test_many_clips_have_few_pictures(write_video):
    path = write_video("long.mp4", num_frames=25)
    video = explain_video(path, protocol="slowfast", num_frames=2, frame_stride=1, crop_size=20)
    assert (len(video.plan.clips), len(video.pictures)) == (10, 5)


def test_errors(tmp_path):
    (tmp_path / "x.mp4").write_bytes(b"no video")
    with pytest.raises(DecodeError, match=r"x\.mp4"):
        explain_video(tmp_path / "x.mp4", protocol="single")
    with pytest.raises(ValueError, match="protocol='double' .* uniform, single"):
        explain_video(tmp_path / "x.mp4", protocol="double")


def test_the_time_limit_can_be_set(write_video):
    path = write_video("a.mp4", num_frames=5)
    with pytest.raises(DecodeError, match="time limit of 1e-09 s"):
        explain_video(path, protocol="single", time_limit_seconds=1e-9)
