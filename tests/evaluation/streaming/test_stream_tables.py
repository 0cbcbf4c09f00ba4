"""The printed table, result.json's values and the tables of segments and events, of recordings as in the scores."""

import csv
import json
from dataclasses import replace

import numpy as np

from stvit_video.evaluation.streaming.labelled_time import LabelledSegment, LabelledTime
from stvit_video.evaluation.streaming.segment_f1 import FoundEvent
from stvit_video.evaluation.streaming.stream_scores import ScoredRecording, score_recordings
from stvit_video.evaluation.streaming.stream_tables import (
    describe_steps,
    score_table,
    stream_scores_for_json,
    write_events,
    write_segments,
)

CLASSES = ("fall", "walk")
RECORDING = ScoredRecording(
    seconds=np.array([0.5, 1.5, 2.5, 3.5, 9.5]),
    probabilities=np.array([[0.1, 0.9], [0.2, 0.8], [0.4, 0.6], [0.7, 0.3], [0.5, 0.5]]),
    events=[
        *(FoundEvent("walk", 0.5, 3.5, 1.0, 0.85), FoundEvent("walk", 3.6, 3.8, 3.7, 0.6)),
        FoundEvent("fall", 5.0, 6.0, 5.5, 0.7),
    ],
    truth=LabelledTime.of(
        [LabelledSegment("fall", 3.0, 4.0), LabelledSegment("walk", 0.0, 3.0), LabelledSegment(None, 7.0, 8.0)]
    ),
)
SCORES = score_recordings([RECORDING], classes=CLASSES)
EMPTY = score_recordings([ScoredRecording(np.zeros(0), np.zeros((0, 2)), [], LabelledTime.of([]))], classes=CLASSES)


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_of_models():
    assert score_table({"model": SCORES, "majority class": EMPTY}) == [
        "                frame acc  mean-class  F1@.1  F1@.25  F1@.5  found  delay s  false alarms/h",
        "model               1.000       1.000  0.500   0.500  0.500  0.500     1.00          720.00",
        "majority class          -           -      -       -      -      -        -               -",
    ]


def test_what_counts_in_words():
    assert describe_steps(SCORES, tolerance_seconds=0) == (
        "4 steps count, in 0.1 minutes of labelled time; left out: 1 in time without a label; scores of fewer than 10 "
        "steps say little"
    )
    shown = describe_steps(replace(SCORES, num_steps=10), tolerance_seconds=0)
    assert shown == "10 steps count, in 0.1 minutes of labelled time; left out: 1 in time without a label"
    shown = describe_steps(score_recordings([RECORDING], classes=CLASSES, tolerance_seconds=0.6), tolerance_seconds=0.6)
    assert "0 steps count" not in shown
    assert "left out: 1 in time without a label, 3 within 0.6 s of a boundary;" in shown


def test_json():
    values = json.loads(json.dumps(stream_scores_for_json(SCORES)))
    assert (values["frame_accuracy"], values["f1_10"], values["f1_50"]) == (1.0, 0.5, 0.5)
    assert (values["segments_found"], values["median_delay_seconds"], values["num_steps"]) == (0.5, 1.0, 4)
    assert values["per_class"]["walk"] == {
        **{"steps": 3, "recall": 1.0, "segments": 1, "segments_found": 1, "median_delay_seconds": 1.0},
        **{"events": 2, "false_alarms": 1, "f1_10": 2 / 3, "f1_25": 2 / 3, "f1_50": 2 / 3},
    }
    assert values["per_class"]["fall"]["median_delay_seconds"] is None


def test_segments_and_events_as_tables(tmp_path):
    write_segments(tmp_path / "segments.csv", {"a,b.mp4": RECORDING})
    found = rows_of(tmp_path / "segments.csv")
    assert [row["label"] for row in found] == ["walk", "fall"]
    assert found[0] == {
        **{"path": "a,b.mp4", "label": "walk", "start_seconds": "0.0", "end_seconds": "3.0"},
        **{"found": "1", "delay_seconds": "1.0", "best_iou": "0.714286"},
    }
    assert (found[1]["found"], found[1]["delay_seconds"], found[1]["best_iou"]) == ("0", "", "0.0")
    write_events(tmp_path / "events.csv", {"a,b.mp4": RECORDING})
    events = rows_of(tmp_path / "events.csv")
    assert [row["verdict"] for row in events] == ["right", "false alarm", "unlabelled"]
    assert (events[0]["decided_seconds"], events[0]["probability"], events[0]["best_iou"]) == (
        "1.0",
        "0.85",
        "0.714286",
    )
