"""Settings of clips of frames that can't be meant."""

import pytest

from stvit_video.config.frame_consistency import frame_faults
from stvit_video.settings.data_settings import ClipSettings
from stvit_video.settings.dense_settings import DenseSettings, HeadSettings
from stvit_video.settings.train_settings import ModelSettings


def settings_of(*, model="stvit_r_casvit_xs", **data):
    values = {"source": "coco_folders", "batch_size": 4, **data}
    return DenseSettings(
        task="detection",
        model=ModelSettings(name=model),
        head=HeadSettings(name="faster_rcnn"),
        data=ClipSettings(**values),
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"clip_frames": 4},
        {"clip_frames": 2, "clip_stride": 5},
        {"model": "casvit_xs", "batch_size": 3},
        {"source": "csv", "clip_frames": 3},  # told by the check of layouts
        {"model": "no_such_model", "clip_frames": 2},  # likewise by that of the head
    ],
)
def test_what_fits_is_not_told(settings):
    assert frame_faults(settings_of(**settings)) == []


def test_a_batch_of_no_whole_clips_and_a_model_without_tokens_are_told():
    batch, model = frame_faults(settings_of(model="casvit_xs", clip_frames=3))
    assert batch.startswith("data: batch_size=4 ")
    assert "use batch_size=6" in batch
    assert "data.clip_frames=3 " in model
    assert "model=casvit_xs " in model
    assert "data.clip_frames=1" in model
