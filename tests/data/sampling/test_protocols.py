"""Named protocols: their table against ANCHORS.md section 4, sizes in proportion, and which views are equal."""

import pytest

from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import PROTOCOLS, equal_views, find_protocol, plan_views
from stvit_video.data.transforms.preprocessing import Preprocessing

AT_224 = Preprocessing(num_frames=8, frame_stride=5, short_side=240, crop_size=224)

# clips, crops, short side, crop size, average: what ANCHORS.md section 4 says
PUBLISHED = {
    "videoswin": (4, 3, 224, 224, "prob"),
    "mmaction": (4, 3, 224, 224, "prob"),
    "videomae": (5, 3, 224, 224, "prob"),
    "videomae_ssv2": (2, 3, 224, 224, "prob"),
    "slowfast": (10, 3, 256, 256, "prob"),
    "mvit": (5, 1, 256, 224, "prob"),
    "uniformer": (4, 1, 224, 224, "logit"),
    "timesformer": (1, 3, 224, 224, "logit"),
    "single": (1, 1, 240, 224, "prob"),  # sizes as the checkpoint says
    "uniform": (4, 3, 240, 224, "prob"),
}


def test_every_protocol_is_as_published():
    found = {}
    for name, protocol in PROTOCOLS.items():
        fed = protocol.preprocessing(AT_224, num_crops=protocol.num_crops)
        found[name] = (protocol.num_clips, protocol.num_crops, fed.short_side, fed.crop_size, protocol.average)
        assert (fed.num_frames, fed.frame_stride) == (8, 5)  # as the model was trained
    assert found == PUBLISHED


def test_three_crops_of_mvit_come_from_another_short_side_than_one():
    sides = [PROTOCOLS["mvit"].preprocessing(AT_224, num_crops=n).short_side for n in (1, 3)]
    assert sides == [256, 224]


def test_sizes_are_in_proportion_to_the_training_crop():
    def sizes(name, trained_crop, **given):
        trained = Preprocessing(num_frames=3, frame_stride=2, short_side=500, crop_size=trained_crop)
        fed = PROTOCOLS[name].preprocessing(trained, num_crops=1, **given)
        return fed.short_side, fed.crop_size

    assert sizes("mvit", 312) == (356, 312)  # as MViTv2-L at 312 pixels has it
    assert sizes("videoswin", 384) == (384, 384)
    assert sizes("slowfast", 112) == (128, 128)
    assert sizes("uniform", 112) == (500, 112)
    assert sizes("mvit", 224, crop_size=112) == (128, 112)
    assert sizes("mvit", 224, short_side=230) == (230, 224)
    assert sizes("uniform", 224, short_side=300, crop_size=280) == (300, 280)


def test_frames_and_stride_can_be_given():
    fed = PROTOCOLS["videomae"].preprocessing(AT_224, num_crops=3, num_frames=7, frame_stride=3)
    assert (fed.num_frames, fed.frame_stride) == (7, 3)


def plan(name, num_video_frames, *, frame_size=(256, 340), num_clips=None, num_crops=None):
    protocol = PROTOCOLS[name]
    num_crops = num_crops or protocol.num_crops
    return plan_views(
        protocol,
        FrameTimes.constant(num_video_frames, 30.0),
        frame_size=frame_size,
        preprocessing=protocol.preprocessing(AT_224, num_crops=num_crops),
        num_clips=num_clips or protocol.num_clips,
        num_crops=num_crops,
    )


def test_a_plan_by_hand():
    # of 80 frames with stride 5 there are 16 in the list: 9 possible starts, 0 2 4 6 8 for five clips
    found = plan("videomae", 80)
    assert [clip[0] for clip in found.clips] == [0, 10, 20, 30, 40]
    assert found.clips[1] == (10, 15, 20, 25, 30, 35, 40, 45)
    assert (found.resized, found.crop_size) == ((224, 298), 224)
    assert found.corners == ((0, 0), (0, 37), (0, 74))
    assert (found.num_views, found.num_distinct) == (15, 15)


def test_portrait_videos_are_cropped_from_top_to_bottom():
    found = plan("videoswin", 80, frame_size=(340, 256))
    assert found.corners == ((0, 0), (37, 0), (74, 0))
    assert found.resized == (298, 224)


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name not in ("videomae_ssv2", "single")])
def test_all_clips_of_a_short_video_are_one(name):
    found = plan(name, 30)  # a clip reaches over 36 frames or more
    assert found.num_distinct == PROTOCOLS[name].num_crops


def test_a_square_video_has_one_crop_where_it_is_cropped_whole():
    assert plan("videoswin", 300, frame_size=(90, 90)).num_distinct == 4
    assert plan("slowfast", 300, frame_size=(90, 90)).num_distinct == 10


def test_equal_views_against_a_slow_comparison():
    clips, corners = [(0, 2), (0, 3), (0, 2), (1, 3)], [(0, 0), (0, 5), (0, 0)]
    views = [(clip, corner) for clip in clips for corner in corners]
    expected = [min(i for i in range(len(views)) if views[i] == view) for view in views]
    assert equal_views(clips, corners) == expected == [0, 1, 0, 3, 4, 3, 0, 1, 0, 9, 10, 9]


def test_wrong_names_and_crops():
    with pytest.raises(ValueError, match="protocol='swin' .* uniform, single, videoswin, mma"):
        find_protocol("swin")
    with pytest.raises(ValueError, match=r"num_crops=2 .*\b1 .*\b3 "):
        PROTOCOLS["mvit"].preprocessing(AT_224, num_crops=2)
    with pytest.raises(ValueError, match=r"crop_size=300 .*short_side=240\b"):
        PROTOCOLS["uniform"].preprocessing(AT_224, num_crops=1, crop_size=300)
