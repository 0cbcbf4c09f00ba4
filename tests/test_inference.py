"""The shared path from checkpoint to result: what overrides what, and what is refused."""

from typing import Any

import pytest
import torch

from stvit_video.data.manifest import read_csv_manifest
from stvit_video.inference import (
    NothingEvaluatedError,
    Protocol,
    choose_device,
    evaluate_manifest,
    load_classifier,
    score_videos,
)


def test_the_protocol_is_the_checkpoints_unless_given(tiny_run: Any) -> None:
    stored = load_classifier(tiny_run.checkpoint, device="cpu")
    assert stored.protocol == Protocol(num_clips=2, num_crops=3, average="prob")
    assert stored.classes == ("a, comma", "jump", "run")
    given = load_classifier(tiny_run.checkpoint, device="cpu", num_clips=7, average="logit")
    assert given.protocol == Protocol(num_clips=7, num_crops=3, average="logit")
    assert stored.protocol.describe(short_side=20) == "2 clips x 3 crops, softmax averaged, short side 20"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((0, 3, "prob"), "num_clips=0 must be at least 1"),
        ((1, 2, "prob"), r"num_crops=2 must be 1 \(centre\) or 3"),
        ((1, 1, "mean"), "average='mean' is not known; use one of prob, logit"),
    ],
)
def test_wrong_protocols(values: tuple[int, int, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Protocol(num_clips=values[0], num_crops=values[1], average=values[2])


def test_batches_and_workers_do_not_change_the_result(tiny_run: Any) -> None:
    classifier = load_classifier(tiny_run.checkpoint, device="cpu")
    manifest = read_csv_manifest(tiny_run.manifest, classes=classifier.classes)
    one = evaluate_manifest(classifier, manifest)
    other = evaluate_manifest(classifier, manifest, batch_size=2, num_workers=1, max_views_per_forward=5)
    assert one.view_logits.shape == (3, 6, 3)
    torch.testing.assert_close(one.view_logits, other.view_logits)
    torch.testing.assert_close(one.clip_starts_seconds, other.clip_starts_seconds, atol=0, rtol=0)
    assert one.clip_starts_seconds[2].tolist() == pytest.approx([0.0] * 3 + [1.8] * 3)


def test_wrong_settings(tiny_run: Any) -> None:
    classifier = load_classifier(tiny_run.checkpoint, device="cpu")
    manifest = read_csv_manifest(tiny_run.manifest, classes=classifier.classes)
    with pytest.raises(ValueError, match="precision='8' is not known; use one of 32, bf16, 16"):
        evaluate_manifest(classifier, manifest, precision="8")
    with pytest.raises(ValueError, match="batch_size=0 must be at least 1"):
        evaluate_manifest(classifier, manifest, batch_size=0)


def test_nothing_read_is_an_error(tiny_run: Any, tmp_path: Any) -> None:
    (tmp_path / "x.mp4").write_bytes(b"no video")
    (tmp_path / "list.csv").write_text("path,label\nx.mp4,run\n")
    classifier = load_classifier(tiny_run.checkpoint, device="cpu")
    result = evaluate_manifest(classifier, read_csv_manifest(tmp_path / "list.csv", classes=classifier.classes))
    with pytest.raises(NothingEvaluatedError, match=r"not one of 1 videos could be read: .*x\.mp4"):
        score_videos(classifier, result)


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match=r"device='gpu' can't be used here \(.*\); use auto, cpu, cuda or cuda:<n>"):
        choose_device("gpu")
