import pytest
from short_models import preprocessing_of, short_model

from stvit_video.streaming.why_not_streamed import require_streamable, why_not_streamed


@pytest.mark.parametrize(
    ("name", "options", "preprocessing", "reason"),
    [
        ("stvit_deit_tiny", {}, {}, "one picture"),
        ("video_deit_tiny", {}, {}, "no semantic tokens"),
        ("stvit_video_swin_tiny", {}, {}, "windows .* several steps"),
        ("stvit_video_deit_tiny", {"base_attention": "joint"}, {}, "base_attention='joint'"),
        ("stvit_video_deit_tiny", {}, {"frame_difference": True}, "data.frame_difference"),
        ("stvit_video_casvit_xs", {}, {"static_clip": "mean_frame"}, "data.static_clip=mean_frame"),
    ],
)
def test_what_can_not_be_streamed_and_why(name, options, preprocessing, reason):
    model, sizes = short_model(name, **options), preprocessing_of(name, **preprocessing)
    with pytest.raises(ValueError, match=f"step by step: .*{reason}.*; use a stvit_video_deit_ .*stvit_video_casvit_"):
        require_streamable(model, sizes)


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "stvit_r_video_deit_tiny", "stvit_video_casvit_xs"])
def test_what_can_be_streamed(name):
    model, sizes = short_model(name), preprocessing_of(name)
    assert why_not_streamed(model, sizes) is None
    require_streamable(model, sizes)
