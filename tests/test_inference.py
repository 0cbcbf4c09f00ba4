"""The shared path from checkpoint to result: what overrides what, and what is refused."""

from pathlib import Path
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
    make_output_dir,
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
        ((0, 3, "prob"), "num_clips=0 must be a whole number, at least 1"),
        (("x", 3, "prob"), "num_clips='x' must be a whole number, at least 1"),
        ((True, 3, "prob"), "num_clips=True must be a whole number"),
        ((1, 2, "prob"), r"num_crops=2 must be 1 \(centre\) or 3"),
        ((1, 1, "mean"), "average='mean' is not known; use one of prob, logit"),
    ],
)
def test_wrong_protocols(values: tuple[Any, Any, str], message: str) -> None:
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
    with pytest.raises(ValueError, match="batch_size=0 must be a whole number, at least 1"):
        evaluate_manifest(classifier, manifest, batch_size=0)
    with pytest.raises(ValueError, match="num_workers=-1 must be a whole number, at least 0"):
        evaluate_manifest(classifier, manifest, num_workers=-1)
    with pytest.raises(ValueError, match="max_views_per_forward='all' must be a whole number, at least 1"):
        evaluate_manifest(classifier, manifest, max_views_per_forward="all")  # type: ignore[arg-type]


def test_output_folders(tmp_path: Path) -> None:
    made = make_output_dir(tmp_path / "a" / "b")
    assert made.is_dir()
    assert not list(made.iterdir())
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(ValueError, match=rf"^the output folder {path} can't be written \(.*\); give another one$"):
            make_output_dir(path)


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
