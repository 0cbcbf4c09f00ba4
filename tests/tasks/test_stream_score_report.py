"""The report of recordings whose steps are made up: with several labels, and where nothing could be read."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from stvit_video.evaluation.metrics import multi_label_metrics
from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent
from stvit_video.evaluation.streaming.stream_scores import ScoredRecording
from stvit_video.inference.scoring import NothingEvaluatedError
from stvit_video.inference.trained_model import CPU
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.settings.reading import read_settings
from stvit_video.streaming.stage_times import StageTimes
from stvit_video.tasks.stream_reading import ReadStreams
from stvit_video.tasks.stream_score_report import report_streams

CLASSES = ("run", "wave")
PROBABILITIES = np.array([[0.9, 0.2], [0.8, 0.7], [0.3, 0.6], [0.6, 0.1], [0.2, 0.3]], dtype=np.float32)
RECORDING = ScoredRecording(
    seconds=np.arange(5) + 0.5,
    probabilities=PROBABILITIES,
    events=[FoundEvent("run", 0.5, 2.5, 1.5, 0.9)],
    truth=LabelledTime.of(
        [LabelledSegment("run", 0, 2), LabelledSegment("wave", 1, 3), LabelledSegment(None, 3.0, 4.0)]
    ),
)


@pytest.fixture(autouse=True)
def _no_cost(monkeypatch):
    monkeypatch.setattr("stvit_video.tasks.stream_score_report.measure_cost", lambda *_, **__: {})


def report(read, tmp_path, *, multi_label):
    sizes = SimpleNamespace(to_dict=dict)
    of = SimpleNamespace(
        **{"classes": CLASSES, "multi_label": multi_label, "preprocessing": sizes, "model_name": "m", "device": CPU},
        model=None,
        config={},
    )
    window = SimpleNamespace(num_frames=4, target_fps=None, stride_frames=2)
    settings = read_settings(EvaluateSettings, {"ckpt_path": "a.ckpt", "stream": True}).settings
    return report_streams(of, window, read, settings, tmp_path)


def read_one():
    times = StageTimes(("decode",))
    times.add(dict.fromkeys(("decode", "preprocess", "encode", "decide"), 0.01), latency_seconds=0.04)
    return ReadStreams(
        ["header\n"],
        recordings={"a.mp4": RECORDING},
        errors={"b.mp4": "b.mp4 is damaged"},
        beyond=["a.mp4,run,3,9 is cut"],
        num_whole=1,
        times=times,
        source_seconds=5.0,
        work_seconds=2.0,
        cpu_seconds=3.0,
    )


def test_several_labels_have_a_mean_average_precision(tmp_path, capsys):
    summary = report(read_one(), tmp_path, multi_label=True)
    targets = torch.tensor([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=torch.bool)  # the last step is unlabelled
    expected = multi_label_metrics(torch.from_numpy(PROBABILITIES[:4]), targets)["mean_average_precision"]
    assert summary["frame_mean_average_precision"] == expected
    assert (summary["frame_accuracy"], summary["num_steps"]) == (None, 4)
    assert summary["real_time_factor"] == 2.5
    assert not (tmp_path / "confusion_matrix.png").exists()
    captured = capsys.readouterr()
    assert captured.err.splitlines()[:2] == ["1 of 2 videos could not be read:", "  b.mp4 is damaged"]
    assert captured.err.splitlines()[3:5] == [
        "segments reach beyond the end of their videos:",
        "  a.mp4,run,3,9 is cut",
    ]
    assert summary["segments_beyond_the_end"] == ["a.mp4,run,3,9 is cut"]
    assert f"result.json, steps.csv, events.csv, segments.csv and report.html are in {tmp_path}" in captured.out
    assert "no times in the list: 1 of 1 videos; there the label is that of the whole video" in captured.out
    assert summary["num_videos_without_times"] == 1


def test_the_majority_class_is_one_event_from_the_first_step_to_the_last(tmp_path):
    summary = report(read_one(), tmp_path, multi_label=False)
    # of the steps with one label, 0.5 is run and 2.5 is wave; run comes first
    majority = summary["majority_class"]
    assert (majority["label"], majority["frame_accuracy"], majority["segments_found"]) == ("run", 0.5, 0.5)
    assert majority["median_delay_seconds"] == 0.5
    assert json.loads((tmp_path / "result.json").read_text()) == summary
    assert (tmp_path / "confusion_matrix.png").exists()


def test_nothing_could_be_read(tmp_path):
    read = ReadStreams([], errors={"b.mp4": "b.mp4 is damaged", "c.mp4": "c.mp4 is not there"})
    with pytest.raises(NothingEvaluatedError, match="not one of 2 videos .*b.mp4 is damaged; c.mp4 is not there"):
        report(read, tmp_path, multi_label=False)
    assert list(tmp_path.iterdir()) == []
