"""Rows of videos with several labels against cases written by hand."""

import pytest
import torch

from stvit_video.evaluation.multi_label_tables import (
    THRESHOLDS,
    clip_mean_average_precision,
    multi_label_clip_rows,
    multi_label_video_rows,
)
from stvit_video.evaluation.multiview import MultiViewResult, aggregate_views

CLASSES = ("jump, high", "run", 'say "hi"')
VIDEOS = ["my videos/a, b.mp4", "gone.mp4", "c.mp4"]
LABELS = [(0, 2), (1,), ()]


@pytest.fixture
def result() -> MultiViewResult:
    """Video 2 came before video 0, video 1 is missing; 2 clips x 2 crops; all probabilities are quarters."""
    views = torch.tensor(
        [
            [[0.25, 0.25, 0.25], [0.0, 0.25, 0.5], [0.25, 0.5, 0.25], [0.5, 0.25, 0.0]],
            [[1.0, 0.25, 1.0], [0.5, 0.5, 1.0], [0.75, 0.75, 0.5], [0.75, 0.5, 0.5]],
        ]
    )
    return MultiViewResult(
        view_logits=views.clamp(1e-7, 1 - 1e-7).logit(),
        labels=torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]),
        indices=torch.tensor([2, 0]),
        clip_starts_seconds=torch.tensor([[0.0, 0.0, 1.5, 1.5], [0.0, 0.0, 2.25, 2.25]]),
        crops=torch.tensor([[0, 1, 0, 1], [0, 1, 0, 1]]),
        errors={1: "no such file"},
    )


@pytest.mark.parametrize("average", ["prob", "logit"])
def test_video_rows(result: MultiViewResult, average: str) -> None:
    scores = aggregate_views(result.view_logits, average=average, multi_label=True)
    rows = multi_label_video_rows(
        result, scores, video_ids=VIDEOS, labels=LABELS, classes=CLASSES, threshold=THRESHOLDS[average], separator=";"
    )
    assert [row["video"] for row in rows] == VIDEOS
    assert [row["labels"] for row in rows] == ['jump, high;say "hi"', "run", ""]
    assert rows[0]["predictions"] == 'jump, high;run;say "hi"'  # 0.75, 0.5, 0.75
    assert rows[1] == {
        "video": "gone.mp4",
        "labels": "run",
        "predictions": "",
        **{f"top{rank}_{what}": "" for rank in (1, 2, 3) for what in ("label", "score")},
        "label_score": "",
        "num_views": "0",
        "error": "no such file",
    }
    assert (rows[2]["predictions"], rows[2]["num_views"], rows[2]["error"]) == ("", "4", "")
    assert list(rows[0]) == list(rows[1])
    assert rows[2]["label_score"] == ""  # it has no label
    if average == "prob":
        assert rows[0]["label_score"] == "0.750000"  # of 0.75 and 0.75
        assert rows[2]["top1_label"] == "run"
        assert rows[2]["top1_score"] == "0.312500"
        assert [rows[0][f"top{rank}_score"] for rank in (1, 2, 3)] == ["0.750000", "0.750000", "0.500000"]


def test_clip_rows(result: MultiViewResult) -> None:
    rows = multi_label_clip_rows(result, video_ids=VIDEOS, classes=CLASSES, num_crops=2)
    assert len(rows) == 8
    assert [row["clip_index"] for row in rows[:4]] == ["0", "0", "1", "1"]
    assert [row["labels"] for row in rows] == [""] * 4 + ['jump, high|say "hi"'] * 4
    assert rows[5] | {"top2_label": "", "top3_label": ""} == {
        "video": "my videos/a, b.mp4",
        "clip_index": "0",
        "clip_start_seconds": "0.000",
        "crop": "1",
        "labels": 'jump, high|say "hi"',
        "top1_label": 'say "hi"',
        "top1_score": "1.000000",
        "top2_label": "",
        "top2_score": "0.500000",
        "top3_label": "",
        "top3_score": "0.500000",
    }


def test_every_view_counts_as_an_item(result: MultiViewResult) -> None:
    # class 0: the four views of the video come at 1.0, 0.75, 0.75, 0.5; one other view has 0.5
    # class 2: at 1.0, 1.0, 0.5, 0.5; one other view has 0.5; class 1 has no video
    first = (1 + 1 + 1 + 4 / 5) / 4
    third = (1 + 1 + 4 / 5 + 4 / 5) / 4
    assert clip_mean_average_precision(result) == pytest.approx((first + third) / 2)
