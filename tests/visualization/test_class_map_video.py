"""class_map.mp4: three panels, their scales in numbers, and the correlation of the two maps."""

import numpy as np
import pytest
from made_tokens import made_clip, made_video, three_clips

from stvit_video.data.decoding.video import open_video
from stvit_video.visualization import class_map_video as module
from stvit_video.visualization.class_map_frame import class_map_frame
from stvit_video.visualization.class_map_video import save_class_maps
from stvit_video.visualization.token_captions import scale_words
from stvit_video.visualization.token_words import asked_lines
from stvit_video.visualization.tube_frame import seen_frame


@pytest.fixture
def given(monkeypatch):
    kept = []
    monkeypatch.setattr(module, "save_panel_video", lambda video, path, panels: kept.append(panels) or ())
    return kept


def test_the_frame_stands_beside_both_maps_with_their_scales(tmp_path, given):
    video = three_clips(num_tokens=5)
    save_class_maps(video, tmp_path / "map.mp4")
    (panels,) = given
    clip = video.clips[1]
    maps = (class_map_frame(video, clip, 3, values) for values in ("contributions", "occlusions"))
    for drawn, panel in zip(panels.draw(clip, 3), (seen_frame(clip, 3), *maps), strict=True):
        np.testing.assert_array_equal(drawn, panel)
    scales = [scale_words(video, values) for values in ("contributions", "occlusions")]
    assert panels.lines[-1] == f"contribution {scales[0]}; occlusion {scales[1]}"
    assert panels.lines[-3] == f"correlation of contribution and occlusion {video.agreement:.2f}"
    assert panels.lines[:-3] == tuple(asked_lines(video))
    assert panels.titles[0] == "frame; the model sees what is outlined"


def test_maps_that_disagree_are_told(tmp_path, given):
    clip = made_clip(num_tokens=5)
    object.__setattr__(clip, "occlusions", -clip.contributions)
    save_class_maps(made_video(clip), tmp_path / "map.mp4")
    assert "-1.00, below 0.5" in given[0].lines[-3]


@pytest.mark.parametrize("is_semantic", [True, False])
def test_the_video_is_written(tmp_path, is_semantic):
    video = made_video(made_clip(num_tokens=16, margin=(3, 1)), is_semantic=is_semantic)
    assert save_class_maps(video, tmp_path / "map.mp4") == ()
    with open_video(tmp_path / "map.mp4") as written:
        assert written.num_frames == 6
