"""Protocols from a ledger against loops over its views, and against the evaluation itself."""

import math
from dataclasses import replace

import pytest
import torch
from torchmetrics.functional.classification import multilabel_average_precision

from stvit_video.evaluation.ledger.eval_ledger import LedgerError, make_ledger
from stvit_video.evaluation.ledger.offline import count_distinct_views, evaluate_ledger
from stvit_video.evaluation.metrics import classification_metrics
from stvit_video.evaluation.multiview import aggregate_views


def softmax(logits: list[float]) -> list[float]:
    total = sum(math.exp(x) for x in logits)
    return [math.exp(x) / total for x in logits]


@pytest.mark.parametrize(("clips", "crops"), [(None, None), ((0, 2), None), ((1,), (1,)), ((2, 1), (0,))])
@pytest.mark.parametrize("average", ["prob", "logit"])
def test_every_subset_equals_a_loop_over_its_views(ledger, clips, crops, average):
    evaluation = evaluate_ledger(ledger, clips=clips, crops=crops, average=average, top_k=(1, 2), num_resamples=0)
    hits1 = hits2 = 0
    right: dict[int, list[bool]] = {}
    for n, index in enumerate([0, 2, 3, 5, 6]):
        [label] = ledger.labels[index]
        total = [0.0] * 5
        views = [clip * 2 + crop for clip in clips or range(3) for crop in crops or range(2)]
        for view in views:
            logits = ledger.result.view_logits[n, view].tolist()
            for c, value in enumerate(softmax(logits) if average == "prob" else logits):
                total[c] += value / len(views)
        assert evaluation.scores[n].tolist() == pytest.approx(total, rel=1e-5)
        order = sorted(range(5), key=lambda c: -total[c])
        hits1 += order[0] == label
        hits2 += label in order[:2]
        right.setdefault(label, []).append(order[0] == label)
    recalls = {label: sum(each) / len(each) for label, each in right.items()}
    assert evaluation.metrics == {
        "top1": hits1 / 5,
        "top2": hits2 / 5,
        "mean_class_accuracy": pytest.approx(sum(recalls.values()) / len(recalls)),
    }
    assert {c: one.value for c, one in enumerate(evaluation.per_class) if one.num_videos} == pytest.approx(recalls)
    assert [one.num_videos for one in evaluation.per_class] == [2, 0, 2, 0, 1]
    assert evaluation.intervals == {}


def test_the_stored_protocol_gives_the_evaluations_own_metrics(ledger):
    evaluation = evaluate_ledger(ledger)
    scores = aggregate_views(ledger.result.view_logits, average="prob")
    exact = classification_metrics(scores, ledger.result.labels, num_classes=5)
    assert torch.equal(evaluation.scores, scores)
    assert {name: evaluation.metrics[name] for name in ("top1", "top5", "mean_class_accuracy")} == {
        name: exact[name] for name in ("top1", "top5", "mean_class_accuracy")
    }
    assert (evaluation.result.num_used, evaluation.result.num_listed) == (5, 7)
    assert [video_id for video_id, _ in evaluation.missing] == ["gone.mp4", "é.mp4"]


def test_several_labels_equal_torchmetrics(several_ledger):
    evaluation = evaluate_ledger(several_ledger, clips=(0, 1), num_resamples=20)
    scores = several_ledger.result.view_logits[:, :4].sigmoid().mean(dim=1)
    targets = several_ledger.result.labels
    torch.testing.assert_close(evaluation.scores, scores)
    expected = multilabel_average_precision(scores, targets.long(), num_labels=5, average="none")
    for one, value in zip(evaluation.per_class, expected.tolist(), strict=True):
        assert one.value == pytest.approx(value)
    assert evaluation.metrics == {"mean_average_precision": pytest.approx(float(expected.mean()))}
    low, high = evaluation.intervals["mean_average_precision"]
    assert 0 <= low < high <= 1
    assert evaluation.line.startswith("mAP 0.")
    assert "2 clips x 2 crops, sigmoid averaged, short side 64, clips 0 1 of 0..2)" in evaluation.line
    logits = evaluate_ledger(several_ledger, average="logit", num_resamples=0)
    torch.testing.assert_close(logits.scores, several_ledger.result.view_logits.mean(dim=1))


def test_intervals_hold_the_metric_and_depend_on_the_seed_only(ledger):
    one, two = (evaluate_ledger(ledger, num_resamples=200, seed=5) for _ in range(2))
    assert one.intervals == two.intervals
    assert one.intervals.keys() == one.metrics.keys()
    for name, (low, high) in one.intervals.items():
        assert 0 <= low <= one.metrics[name] <= high <= 1
    three, four = (evaluate_ledger(ledger, num_resamples=3, seed=seed).intervals for seed in (5, 6))
    assert three != four
    low, high = evaluate_ledger(ledger, num_resamples=200, seed=5, confidence=0.5).intervals["top1"]
    assert one.intervals["top1"][0] <= low <= high <= one.intervals["top1"][1]


def test_lines_and_rows(ledger):
    some = evaluate_ledger(ledger, clips=(2, 0), crops=(1,), average="logit", top_k=(1, 3), num_resamples=10)
    assert some.line == (
        f"top-1 {some.metrics['top1']:.3f}  top-3 {some.metrics['top3']:.3f}  "
        f"mean-class {some.metrics['mean_class_accuracy']:.3f}  (5 of 7 videos, 2 clips x 1 crop, logits averaged, "
        "short side 64, clips 0 2 of 0..2, crops 1 of 0..1)"
    )
    assert some.interval_line.startswith(f"top-1 {some.intervals['top1'][0]:.3f}-{some.intervals['top1'][1]:.3f}  top-")
    named = replace(ledger, info=replace(ledger.info, protocol={**ledger.info.protocol, "name": "videoswin"}))
    whole = evaluate_ledger(named, num_resamples=0)
    assert whole.line.endswith("3 clips x 2 crops, softmax averaged, short side 64, protocol videoswin)")
    assert whole.interval_line == ""
    rows = whole.class_rows(value_name="accuracy")
    assert [row["class"] for row in rows] == list(ledger.info.classes)
    assert rows[1] == {"class": "run", "num_videos": "0", "accuracy": ""}


def test_equal_views_are_counted_by_start_and_logits(ledger):
    logits, starts = ledger.result.view_logits.clone(), ledger.result.clip_starts_seconds.clone()
    assert count_distinct_views(ledger.result) == {}
    logits[1, 4], starts[1, 4] = logits[1, 0], starts[1, 0]
    logits[1, 5], starts[1, 5] = logits[1, 0], starts[1, 0]
    logits[3] = logits[3, 0]
    starts[3] = 0.0
    logits[4, 2] = logits[4, 0]  # another start: not equal
    result = replace(ledger.result, view_logits=logits, clip_starts_seconds=starts)
    assert count_distinct_views(result) == {2: 4, 5: 1}
    line = evaluate_ledger(replace(ledger, result=result), num_resamples=0).line
    assert line.endswith("short side 64; 2 videos have equal views, at least 1 of 6 differ)")


def test_bad_settings(ledger, result, info):
    with pytest.raises(LedgerError, match="clip 3 .*stored.* clip 0, 1, 2"):
        evaluate_ledger(ledger, clips=(3,))
    with pytest.raises(ValueError, match="average='sum' .*prob, logit"):
        evaluate_ledger(ledger, average="sum")
    with pytest.raises(ValueError, match=r"num_resamples=-1 .*at least 0"):
        evaluate_ledger(ledger, num_resamples=-1)
    with pytest.raises(ValueError, match=r"top_k=\[0\] .*from 1 on"):
        evaluate_ledger(ledger, top_k=(0,))
    none = replace(
        result, indices=torch.zeros(0, dtype=torch.int64), labels=torch.zeros(0), view_logits=torch.zeros(0, 0, 0),
        clip_starts_seconds=torch.zeros(0, 0), crops=torch.zeros(0, 0), errors={0: "bad file", 1: "no file"},
    )  # fmt: skip
    nothing = make_ledger(none, video_ids=("a", "b"), labels=(0, 1), info=info)
    with pytest.raises(LedgerError, match="2 videos .*logits: bad file; no file"):
        evaluate_ledger(nothing)
