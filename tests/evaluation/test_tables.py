"""Rows and the result line against cases written by hand."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from stvit_video.evaluation.metrics import ClassificationMetrics
from stvit_video.evaluation.multiview import MultiViewResult, aggregate_views
from stvit_video.evaluation.tables import (
    clip_accuracy,
    clip_rows,
    describe_equal_views,
    describe_unread,
    line_of,
    metric_word,
    result_line,
    top_classes,
    video_rows,
    write_rows,
)

CLASSES = ("jump, high", "run", 'say "hi"')
VIDEOS = ["my videos/a, b.mp4", "gone.mp4", "c.mp4"]


@pytest.fixture
def result() -> MultiViewResult:
    """Video 2 came before video 0, video 1 is missing; 2 clips x 2 crops; all scores are quarters."""
    views = torch.tensor(
        [
            [[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0.0, 0.25, 0.75], [0.25, 0.25, 0.5]],
            [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 0.75, 0.25], [0.5, 0.25, 0.25]],
        ]
    )
    return MultiViewResult(
        view_logits=views.clamp(min=1e-30).log(),
        labels=torch.tensor([2, 1]),
        indices=torch.tensor([2, 0]),
        clip_starts_seconds=torch.tensor([[0.0, 0.0, 1.5, 1.5], [0.0, 0.0, 2.25, 2.25]]),
        crops=torch.tensor([[0, 1, 0, 1], [0, 1, 0, 1]]),
        errors={1: "no such file"},
    )


def test_unread_videos_are_counted_and_the_first_three_named(result: MultiViewResult) -> None:
    assert describe_unread(replace(result, errors={}), table=Path("t.csv")) == ""
    many = replace(result, errors={7: "g is bad", 1: "b is bad", 5: "e is bad", 3: "c is bad", 4: "d is bad"})
    assert describe_unread(many, table=Path("out/t.csv")).split("\n") == [
        "5 of 7 videos could not be read:",
        "  b is bad",
        "  c is bad",
        "  d is bad",
        "  and 2 more",
        "out/t.csv names each, in the column error",
    ]


def test_video_rows(result: MultiViewResult) -> None:
    scores = aggregate_views(result.view_logits)
    rows = video_rows(result, scores, video_ids=VIDEOS, labels=[1, 0, 2], classes=CLASSES)
    assert [row["video"] for row in rows] == VIDEOS
    assert rows[0] == {
        "video": "my videos/a, b.mp4",
        "label": "run",
        "prediction": "jump, high",
        "top1_label": "jump, high",
        "top1_score": "0.500000",
        "top2_label": "run",
        "top2_score": "0.375000",
        "top3_label": 'say "hi"',
        "top3_score": "0.125000",
        "correct": "0",
        "label_score": "0.375000",
        "num_views": "4",
        "error": "",
    }
    assert rows[1]["error"] == "no such file"
    assert {rows[1][key] for key in ("prediction", "top1_label", "top1_score", "correct", "label_score")} == {""}
    assert rows[1]["num_views"] == "0"
    assert (rows[2]["prediction"], rows[2]["correct"]) == ('say "hi"', "1")
    assert list(rows[0]) == list(rows[1])


def test_clip_rows(result: MultiViewResult) -> None:
    rows = clip_rows(result, video_ids=VIDEOS, classes=CLASSES, num_crops=2)
    assert len(rows) == 8
    assert [row["clip_index"] for row in rows[:4]] == ["0", "0", "1", "1"]
    assert [row["crop"] for row in rows[:4]] == ["0", "1", "0", "1"]
    assert rows[7] | {"top2_label": "", "top3_label": ""} == {
        "video": "my videos/a, b.mp4",
        "clip_index": "1",
        "clip_start_seconds": "2.250",
        "crop": "1",
        "label": "run",
        "top1_label": "jump, high",
        "top1_score": "0.500000",
        "top2_label": "",
        "top2_score": "0.250000",
        "top3_label": "",
        "top3_score": "0.250000",
    }


def test_clip_accuracy_counts_single_views(result: MultiViewResult) -> None:
    logits = result.view_logits.clone()
    logits[1, 1] = torch.tensor([0.0, 2.0, 1.0])  # break the tie
    hits = [[True, False, True, True], [False, True, True, False]]
    changed = MultiViewResult(logits, result.labels, result.indices, result.clip_starts_seconds, result.crops)
    assert clip_accuracy(changed) == pytest.approx(sum(map(sum, hits)) / 8)


def test_rows_survive_csv(result: MultiViewResult, tmp_path: Path) -> None:
    rows = clip_rows(result, video_ids=VIDEOS, classes=CLASSES, num_crops=2)
    write_rows(rows, tmp_path / "clips.csv")
    with (tmp_path / "clips.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == rows
    with pytest.raises(ValueError, match="no rows .*none.csv"):
        write_rows([], tmp_path / "none.csv")


def test_top_classes_are_sorted_and_bounded() -> None:
    assert top_classes(torch.tensor([0.25, 0.5, 0.25]), CLASSES, k=1) == [("run", 0.5)]
    names = [str(n) for n in range(7)]
    assert [name for name, _ in top_classes(torch.arange(7.0), names)] == ["6", "5", "4", "3", "2"]


def test_result_line(result: MultiViewResult) -> None:
    metrics = ClassificationMetrics(
        top1=0.95333, top5=0.9979, mean_class_accuracy=0.951, confusion_matrix=torch.zeros(3, 3)
    )
    line = result_line(metrics, result=result, protocol="4 clips x 3 crops, softmax averaged, short side 64")
    assert line == (
        "top-1 0.953  top-5 0.998  mean-class 0.951  "
        "(2 of 3 videos, 4 clips x 3 crops, softmax averaged, short side 64)"
    )


def test_lines_of_other_metrics(result: MultiViewResult) -> None:
    line = line_of({"top10": 0.5, "mean_average_precision": 0.0625}, result=result, protocol="my protocol")
    assert line == "top-10 0.500  mAP 0.062  (2 of 3 videos, my protocol)"
    assert [metric_word(name) for name in ("top1", "mean_class_accuracy")] == ["top-1", "mean-class"]


def test_equal_views_are_told(result: MultiViewResult) -> None:
    assert describe_equal_views(result) == ""
    one = replace(result, num_distinct_views={2: 3})
    assert describe_equal_views(one) == "; 1 video has equal views, at least 3 of 4 differ"
    two = replace(result, num_distinct_views={2: 3, 0: 2})
    assert describe_equal_views(two) == "; 2 videos have equal views, at least 2 of 4 differ"
