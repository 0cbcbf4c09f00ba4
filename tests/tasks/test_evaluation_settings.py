import pytest

from stvit_video.config.nodes import command_node
from stvit_video.settings.detector_evaluation_settings import DetectorEvaluation
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.segmenter_evaluation_settings import SegmenterEvaluation
from stvit_video.tasks.evaluation_settings import DOES, read_evaluation

PLAIN = {"ckpt_path": "a.ckpt"}


@pytest.mark.parametrize("kind", DOES)
def test_the_defaults_of_the_command_are_those_of_each_kind(kind):
    """Hydra gives the settings of all kinds, whatever the checkpoint is."""
    given = {name: value for name, value in command_node("evaluate").items() if name != "sweep"}
    assert read_evaluation(kind, given | PLAIN) == read_evaluation(kind, PLAIN)


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        (
            EvaluateSettings,
            {"detections": 3},
            "detections is for a checkpoint that finds objects, .*labels videos",
        ),
        (
            DetectorEvaluation,
            {"num_clips": 3},
            "num_clips is for a checkpoint that labels videos, .*finds objects",
        ),
        (DetectorEvaluation, {"model": {"num_tokens": 3}}, "model is for a checkpoint that labels videos"),
        (EvaluateSettings, {"window": 64}, "window is for a checkpoint that labels pixels, .*labels videos"),
        (EvaluateSettings, {"long_side": 64}, "long_side is for a checkpoint that finds objects or labels pixels, "),
        (SegmenterEvaluation, {"detections": 3}, "detections is for a checkpoint that finds objects, .*labels pixels"),
        (SegmenterEvaluation, {"num_crops": 3}, "num_crops is for a checkpoint that labels videos, .*labels pixels"),
        (DetectorEvaluation, {"window_stride": 3}, "window_stride is for a checkpoint that labels pixels, .*objects"),
        (DetectorEvaluation, {"stream": True}, "stream is for a checkpoint that labels videos, .*finds objects; leave"),
        (SegmenterEvaluation, {"events": {"enter": 0.7}}, "events is for a checkpoint that labels videos, .*pixels"),
        (DetectorEvaluation, {"detectons": 3}, "detectons is no setting; did you mean detections"),
        (EvaluateSettings, {"num_clip": 3}, "num_clip is no setting; did you mean num_clips"),
        (EvaluateSettings, {"data": {"source": "ucf101", "splits": 3}}, "data.splits is no setting"),
    ],
)
def test_settings_that_such_a_checkpoint_does_not_take(kind, changes, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        read_evaluation(kind, PLAIN | changes)


def test_all_that_is_wrong_is_told_at_once():
    wrong = {"num_clip": 3, "num_crops": "x", "batch_size": 0, "score_threshold": 0.5}
    with pytest.raises(ValueError, match="num_clip is no .*score_threshold is for .*num_crops='x' .*batch_size=0"):
        read_evaluation(EvaluateSettings, PLAIN | wrong)


def test_of_an_unknown_kind_only_what_none_takes_is_told():
    assert read_evaluation(EvaluateSettings, PLAIN | {"detections": 3}, known_kind=False).ckpt_path == "a.ckpt"
    with pytest.raises(ValueError, match="^num_clip is no setting; did you mean num_clips[^;]*$"):
        read_evaluation(EvaluateSettings, PLAIN | {"detections": 3, "num_clip": 3}, known_kind=False)
