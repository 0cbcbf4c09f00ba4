import dataclasses
from typing import Any

import pytest
import torch

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.inference.scoring import NothingEvaluatedError, evaluate_manifest, score_videos


def test_equal_views_are_computed_once_and_told(tiny_run: Any) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu", protocol="videoswin", frame_stride=8)
    manifest = read_csv_manifest(tiny_run.manifest, classes=recognizer.classes)  # of 25 frames; a clip reaches over 32
    rows: list[int] = []
    recognizer.model.register_forward_hook(lambda model, inputs, output: rows.append(len(output)))
    result = evaluate_manifest(recognizer, manifest)
    assert rows == [3, 3, 3]
    assert result.view_logits.shape == (3, 12, 3)
    torch.testing.assert_close(result.view_logits[:, :3].repeat(1, 4, 1), result.view_logits, rtol=0, atol=0)
    assert result.num_distinct_views == {0: 3, 1: 3, 2: 3}
    _, metrics = score_videos(recognizer, result)
    assert recognizer.result_line(metrics, result).endswith(
        "(3 of 3 videos, 4 clips x 3 crops, softmax averaged, short side 16, protocol videoswin; "
        "3 videos have equal views, at least 3 of 12 differ)"
    )


def test_batches_and_workers_do_not_change_the_result(tiny_run: Any) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    manifest = read_csv_manifest(tiny_run.manifest, classes=recognizer.classes)
    one = evaluate_manifest(recognizer, manifest)
    other = evaluate_manifest(recognizer, manifest, batch_size=2, num_workers=1, max_views_per_forward=5)
    assert one.view_logits.shape == (3, 6, 3)
    torch.testing.assert_close(one.view_logits, other.view_logits)
    torch.testing.assert_close(one.clip_starts_seconds, other.clip_starts_seconds, atol=0, rtol=0)
    assert one.clip_starts_seconds[2].tolist() == pytest.approx([0.0] * 3 + [1.8] * 3)


def test_wrong_settings(tiny_run: Any) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    manifest = read_csv_manifest(tiny_run.manifest, classes=recognizer.classes)
    with pytest.raises(ValueError, match="precision='8' .*32, bf16, 16"):
        evaluate_manifest(recognizer, manifest, precision="8")
    with pytest.raises(ValueError, match="batch_size=0 .*at least 1"):
        evaluate_manifest(recognizer, manifest, batch_size=0)
    with pytest.raises(ValueError, match="num_workers=-1 .*at least 0"):
        evaluate_manifest(recognizer, manifest, num_workers=-1)
    with pytest.raises(ValueError, match="max_views_per_forward='all' .*at least 1"):
        evaluate_manifest(recognizer, manifest, max_views_per_forward="all")  # type: ignore[arg-type]


def test_nothing_read_is_an_error(tiny_run: Any, tmp_path: Any) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no video")
    (tmp_path / "list.csv").write_text("path,label\nx.mp4,run\n")
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    result = evaluate_manifest(recognizer, read_csv_manifest(tmp_path / "list.csv", classes=recognizer.classes))
    with pytest.raises(NothingEvaluatedError, match=r"not one of 1 videos .*read: .*x\.mp4"):
        score_videos(recognizer, result)


@pytest.mark.parametrize("average", ["prob", "logit"])
def test_scores_of_several_labels(tiny_run: Any, average: str) -> None:
    loaded = load_recognizer(tiny_run.checkpoint, device="cpu", average=average)
    several = dataclasses.replace(loaded, multi_label=True)
    manifest = read_csv_manifest(tiny_run.manifest, classes=several.classes, label_separator=";")
    result = evaluate_manifest(several, manifest)
    assert torch.equal(result.labels, torch.eye(3))
    scores, metrics = score_videos(several, result)
    logits = result.view_logits
    torch.testing.assert_close(scores, logits.sigmoid().mean(1) if average == "prob" else logits.mean(1))
    torch.testing.assert_close(several.probabilities(scores), scores if average == "prob" else logits.mean(1).sigmoid())
    torch.testing.assert_close(
        loaded.probabilities(scores), scores if average == "prob" else logits.mean(1).softmax(-1)
    )
    ranks = (scores >= scores.diagonal()).sum(0)  # of the one video of each class
    assert metrics == {
        "mean_average_precision": pytest.approx((1 / ranks).mean().item()),
        "average_precisions": pytest.approx(1 / ranks),
    }


def test_the_time_limit_reaches_every_video(tiny_run: Any) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    manifest = read_csv_manifest(tiny_run.manifest, classes=recognizer.classes)
    result = evaluate_manifest(recognizer, manifest, time_limit_seconds=1e-9)
    assert len(result.errors) == len(manifest.records)
    assert all("time limit of 1e-09 s" in reason for reason in result.errors.values())
