import pytest

from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import read_settings
from stvit_video.tasks.stream_choices import OF_CLIPS, OF_STREAMS, require_one_kind


def settings(**values):
    read = read_settings(EvaluateSettings, {"ckpt_path": "a", **values})
    assert not read.wrong
    return read.settings


def test_every_setting_is_for_clips_for_streams_or_for_both():
    both = {"ckpt_path", "model", "data", "num_frames", "frame_stride", "short_side", "crop_size", "device"}
    assert {*OF_CLIPS, *OF_STREAMS, *both, "precision", "stream"} == set(EvaluateSettings.model_fields)
    for stream in (True, False):
        require_one_kind(settings(stream=stream, num_frames=8, precision="bf16"))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"stream": True, "num_clips": 4}, "^num_clips=4 is for clips of a video, and stream=true slides [^;]*; leave"),
        ({"stream": True, "protocol": "mvit", "num_workers": 0}, "protocol=mvit is .*num_workers=0 is"),
        ({"stride_frames": 8}, "^stride_frames=8 is for stream=true; add that, or leave it out$"),
        ({"events": {"enter": 0.7}, "label_at": "centre"}, "label_at=centre .*events.enter=0.7 is for stream=true"),
    ],
)
def test_settings_of_the_other_kind(given, message):
    with pytest.raises(ValueError, match=message):
        require_one_kind(settings(**given))
