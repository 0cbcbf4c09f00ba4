from stvit_video.data.loading.frame_options import FrameOptions, frame_options


def test_pictures_stand_for_themselves_by_default():
    assert frame_options() == FrameOptions(sequences="listed", clip_frames=1, clip_stride=1)
    assert frame_options(sequences="folders", clip_frames=4, clip_stride=2).clip_stride == 2
