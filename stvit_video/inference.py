"""A checkpoint on a list of videos: what evaluate, predict and scripts/evaluate_clips.py have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from stvit_video.data.dataset import ViewDataset, collate_views
from stvit_video.data.manifest import Manifest
from stvit_video.data.transforms import Preprocessing
from stvit_video.evaluation.metrics import ClassificationMetrics, classification_metrics
from stvit_video.evaluation.multiview import AVERAGES, MultiViewResult, aggregate_views, evaluate_views
from stvit_video.evaluation.tables import Row, describe_protocol, result_line, video_rows
from stvit_video.models.checkpoints import model_from_checkpoint


class NothingEvaluatedError(RuntimeError):
    """Not one listed video could be read, so there is no accuracy to state."""


PRECISIONS: dict[str, torch.dtype | None] = {"32": None, "bf16": torch.bfloat16, "16": torch.float16}


def require_whole(name: str, value: object, *, at_least: int = 1) -> None:
    """Raise unless a setting is a whole number that is large enough; command lines give words, too.

    Args:
        name: of the setting, for the message.
        value: what was given.
        at_least: smallest allowed value.

    Raises:
        ValueError: it is no int, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ValueError(f"{name}={value!r} must be a whole number, at least {at_least}")


def make_output_dir(path: Path) -> Path:
    """Make the folder where results go, and try it, before time is spent on them.

    Raises:
        ValueError: it can't be made, or not written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise ValueError(f"the output folder {path} can't be written ({error.strerror}); give another one") from error


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a video is seen: clips spread over time, crops along the long side, and how their scores combine.

    Attributes:
        num_clips: clips of a video, at least 1.
        num_crops: crops of a clip: 1 (centre) or 3 (start, centre, end of the long side).
        average: "prob" = softmax of each view, then mean; "logit" = mean of logits.

    Raises:
        ValueError: a value is out of range.
    """

    num_clips: int
    num_crops: int
    average: str

    def __post_init__(self) -> None:
        require_whole("num_clips", self.num_clips)
        if self.num_crops not in (1, 3):
            raise ValueError(f"num_crops={self.num_crops} must be 1 (centre) or 3 (along the long side)")
        if self.average not in AVERAGES:
            raise ValueError(f"average={self.average!r} is not known; use one of {', '.join(AVERAGES)}")

    def describe(self, *, short_side: int) -> str:
        """In words, for a result line; `short_side` in pixels."""
        return describe_protocol(
            num_clips=self.num_clips, num_crops=self.num_crops, average=self.average, short_side=short_side
        )


@dataclass(frozen=True)
class Classifier:
    """A checkpoint ready for use.

    Attributes:
        model: in eval mode, on `device`.
        classes: label names in the order of the logits.
        preprocessing: what the model was trained with.
        protocol: the checkpoint's, where the caller gave no other.
        device: where the model is.
        config: the resolved configuration of the training run.
        model_name: the name that `create_model` knows.
    """

    model: nn.Module
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    protocol: Protocol
    device: torch.device
    config: Mapping[str, Any]
    model_name: str

    def result_line(self, metrics: ClassificationMetrics, result: MultiViewResult) -> str:
        """The accuracies, the videos used and listed, and the protocol, in one line."""
        words = self.protocol.describe(short_side=self.preprocessing.short_side)
        return result_line(metrics, result=result, protocol=words)

    def video_rows(self, manifest: Manifest, result: MultiViewResult, scores: Tensor) -> list[Row]:
        """One row for each listed video, see `stvit_video.evaluation.tables.video_rows`."""
        return video_rows(
            result,
            scores,
            video_ids=[record.video_id for record in manifest.records],
            labels=[record.label for record in manifest.records],
            classes=self.classes,
        )


def load_classifier(
    ckpt_path: str | Path,
    *,
    device: str = "auto",
    num_clips: int | None = None,
    num_crops: int | None = None,
    average: str | None = None,
) -> Classifier:
    """Read a checkpoint of ours; each part of the protocol that is None is the checkpoint's.

    Args:
        device: "auto" = the first GPU if there is one, else the CPU; or a torch device name.

    Raises:
        CheckpointError: the file can't be read or is no checkpoint of ours.
        ValueError: a value is out of range.
    """
    chosen_device = choose_device(device)
    model, meta = model_from_checkpoint(ckpt_path)
    stored = meta["protocol"]
    protocol = Protocol(
        num_clips=stored["num_clips"] if num_clips is None else num_clips,
        num_crops=stored["num_crops"] if num_crops is None else num_crops,
        average=stored["average"] if average is None else average,
    )
    return Classifier(
        model=model.to(chosen_device).eval(),
        classes=tuple(meta["classes"]),
        preprocessing=Preprocessing.from_dict(meta["preprocessing"]),
        protocol=protocol,
        device=chosen_device,
        config=meta["config"],
        model_name=meta["model"]["name"],
    )


def choose_device(name: str) -> torch.device:
    """The torch device that `name` means; "auto" = the first GPU if there is one, else the CPU.

    Raises:
        ValueError: no such device, or none here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise ValueError(f"device={name!r} can't be used here ({reason}); use auto, cpu, cuda or cuda:<n>") from error
    return device


def evaluate_manifest(
    classifier: Classifier,
    manifest: Manifest,
    *,
    batch_size: int = 1,
    num_workers: int = 0,
    backend: str = "auto",
    max_views_per_forward: int = 16,
    precision: str = "32",
) -> MultiViewResult:
    """Every listed video once through the classifier, by its protocol.

    Args:
        batch_size: videos (each of clips x crops views) that are loaded together.
        num_workers: processes that decode; 0 = this one.
        backend: decoder, see `open_video`.
        precision: "32", "bf16" or "16".

    Raises:
        ValueError: a setting is out of range.
        NonFiniteLogitsError: the model gives NaN; the videos are named.
    """
    require_whole("batch_size", batch_size)
    require_whole("max_views_per_forward", max_views_per_forward)
    require_whole("num_workers", num_workers, at_least=0)
    if precision not in PRECISIONS:
        raise ValueError(f"precision={precision!r} is not known; use one of {', '.join(PRECISIONS)}")
    dataset = ViewDataset(
        manifest,
        preprocessing=classifier.preprocessing,
        num_clips=classifier.protocol.num_clips,
        num_crops=classifier.protocol.num_crops,
        backend=backend,
    )
    return evaluate_views(
        classifier.model,
        DataLoader(dataset, batch_size=batch_size, num_workers=num_workers, collate_fn=collate_views),
        device=classifier.device,
        max_views_per_forward=max_views_per_forward,
        autocast_dtype=PRECISIONS[precision],
        names=[record.video_id for record in manifest.records],
    )


def score_videos(classifier: Classifier, result: MultiViewResult) -> tuple[Tensor, ClassificationMetrics]:
    """Scores (N, num_classes) of the videos of `result`, by the protocol's average, and their metrics.

    Raises:
        NothingEvaluatedError: not one video could be read; the first reasons are named.
    """
    if result.num_used == 0:
        reasons = "; ".join(list(result.errors.values())[:3])
        raise NothingEvaluatedError(f"not one of {result.num_listed} videos could be read: {reasons}")
    scores = aggregate_views(result.view_logits, average=classifier.protocol.average)
    return scores, classification_metrics(scores, result.labels, num_classes=len(classifier.classes))
