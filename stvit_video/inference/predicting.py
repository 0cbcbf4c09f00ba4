"""Predict many videos: decoded by several processes, run through the model in batches, told in order.

On a CPU the processes that decode also run the model, each in one thread: that keeps every core busy, whether decoding
or the model is what costs, and no frames travel. On a GPU they decode only.

A video that takes its process down with it (a crash of a native library, a want of memory) is read once more in a
process of its own, which may crash; the others are not touched by it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import Sampler

from stvit_video.data.decoding.video import CAN_ISOLATE
from stvit_video.data.loading.collate import collate_views
from stvit_video.data.loading.crash_error import WorkerCrashError
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.suspects_apart import SuspectsApart
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.loading.worker_crashes import ReadingNow
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.transforms.device_transform import DeviceTransform
from stvit_video.evaluation.multiview import MultiViewResult, evaluate_views
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.likeliest import likeliest, require_labels
from stvit_video.inference.model_input import view_dataset
from stvit_video.inference.prediction import Prediction
from stvit_video.inference.test_protocol import MAX_VIEWS_PER_FORWARD
from stvit_video.inference.trained_model import TrainedModel
from stvit_video.layers.numbers import whole_number
from stvit_video.models.base import TokenModel
from stvit_video.utils.compat_loaders import lost_processes_while_waiting

MAX_IDLE_LOSSES = 2  # of processes that were at no video


def predict_records(
    trained: TrainedModel,
    records: Sequence[VideoRecord],
    *,
    top_k: int = 5,
    threshold: float | None = None,
    num_workers: int = 0,
    batch_size: int | None = None,
    time_limit_seconds: float | None = None,
    features: bool = False,
) -> Iterator[Prediction]:
    """Predict videos; exactly one prediction for each, in order, those that can't be read included.

    Args:
        records: the videos; their labels are not looked at.
        top_k: labels of a video, fewer if there are fewer classes.
        threshold: for several labels a video: every label with at least this probability in place of the top_k.
        num_workers: processes that decode and, on a CPU, run the model; 0 = this one does both.
        batch_size: videos (each of clips x crops views) that are loaded and run together; None = as many as make
            MAX_VIEWS_PER_FORWARD views.
        time_limit_seconds: for opening a video and for each reading of it, see `open_video`.
        features: True = predictions have features.

    Raises:
        ValueError: a threshold for a checkpoint of one label a video, or a setting out of range.
        WorkerCrashError: there is no room for what the processes read, or they are ended from outside.
        OpenFilesError: too many files are open.
    """
    require_labels(multi_label=trained.multi_label, top_k=top_k, threshold=threshold)
    whole_number("num_workers", num_workers, minimum=0)
    if time_limit_seconds is not None and not time_limit_seconds > 0:
        raise ValueError(f"time_limit_seconds={time_limit_seconds} must be positive")
    batch_size = trained.protocol.videos_at_once(batch_size)
    predictor = _Predictor(
        trained,
        [replace(record, label=0, labels=(0,)) for record in records],
        top_k=top_k,
        threshold=threshold,
        features=features,
    )
    decoding = Decoding(time_limit_seconds=time_limit_seconds)
    return _predictions(predictor, decoding, num_workers=num_workers, batch_size=batch_size)


class FeaturesAndLogits(nn.Module):
    """Features and logits of a model side by side, (B, embed_dim + num_classes), by one pass."""

    def __init__(self, model: TokenModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, clip: Tensor) -> Tensor:
        """(B, C, T, H, W) -> (B, embed_dim + num_classes)."""
        features = self.model.forward_features(clip)
        return torch.cat([features, self.model.forward_head(features)], dim=-1)


def _predictions(
    predictor: "_Predictor", decoding: Decoding, *, num_workers: int, batch_size: int
) -> Iterator[Prediction]:
    """The predictions in order; the loader starts anew behind a video that took its process down."""
    records = predictor.records
    source = SuspectsApart(decoding)
    dataset = view_dataset(predictor.trained, Manifest(tuple(records), predictor.trained.classes), source=source)
    in_processes = num_workers > 0 and predictor.trained.device.type == "cpu"  # a GPU is used by this process alone
    predict_items = _PredictItems(predictor, dataset.reading_now)
    lost: dict[int, str] = {}  # position -> why; they took a process down twice
    position = 0
    num_idle_losses = 0  # without progress in between
    while position < len(records):
        start = position
        waiting = [number for number in range(position, len(records)) if number not in lost]
        loader = VideoLoader(
            dataset,
            batch_size=batch_size,
            sampler=_InOrder(waiting),
            num_workers=min(num_workers, len(waiting)),
            collate_fn=predict_items if in_processes else collate_views,
        )
        try:
            with lost_processes_while_waiting(loader):
                for batch in loader:
                    for number, prediction in (batch if in_processes else predictor.predict(batch)).items():
                        yield from (predictor.failed(other, lost[other]) for other in range(position, number))
                        yield prediction
                        position = number + 1
            yield from (predictor.failed(other, lost[other]) for other in range(position, len(records)))
            return
        except WorkerCrashError as error:
            num_idle_losses = 0 if error.videos or position > start else num_idle_losses + 1
            if not error.is_lost or num_idle_losses > MAX_IDLE_LOSSES:
                raise
            for number in error.videos:
                if records[number] in source.suspects or not CAN_ISOLATE:
                    lost[number] = str(error)
                source.suspects.add(records[number])


@dataclass(frozen=True)
class _PredictItems:
    """From items of `ViewDataset` to predictions, in a process that may be lost meanwhile."""

    predictor: "_Predictor"
    reading_now: ReadingNow

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[int, Prediction]:
        with self.reading_now.of(items[0]["index"]):  # the first of the batch that is at work
            return self.predictor.predict(collate_views(items))


class _InOrder(Sampler[int]):
    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class _Predictor:
    """From a batch of `ViewDataset` to predictions."""

    trained: TrainedModel
    records: Sequence[VideoRecord]
    top_k: int
    threshold: float | None
    features: bool

    @cached_property
    def names(self) -> list[str]:
        """What an error calls each video."""
        return [record.video_id for record in self.records]

    def failed(self, number: int, reason: str) -> Prediction:
        return Prediction(file=self.records[number].path, error=reason)

    def predict(self, batch: Mapping[str, Any]) -> dict[int, Prediction]:
        """Predictions by position, in the order of the batch."""
        numbers = batch["index"].tolist()
        try:
            result = self._evaluated(batch)
        except NonFiniteLogitsError as error:
            if len(numbers) == 1:
                return {numbers[0]: self.failed(numbers[0], str(error))}
            alone = [{key: value[row : row + 1] for key, value in batch.items()} for row in range(len(numbers))]
            return {number: told for one in alone for number, told in self.predict(one).items()}
        seconds = dict(zip(numbers, batch["seconds"].tolist(), strict=True))
        told = dict(zip(result.indices.tolist(), self._labelled(result, seconds), strict=True))
        return {
            number: told[number] if number in told else self.failed(number, result.errors[number]) for number in numbers
        }

    def _evaluated(self, batch: Mapping[str, Any]) -> MultiViewResult:
        model = self.trained.model
        return evaluate_views(
            FeaturesAndLogits(model) if self.features else model,
            [batch],
            device=self.trained.device,
            prepare=DeviceTransform(self.trained.preprocessing),
            max_views_per_forward=MAX_VIEWS_PER_FORWARD,
            names=self.names,
        )

    def _labelled(self, result: MultiViewResult, seconds: Mapping[int, float]) -> Iterator[Prediction]:
        """The predictions of the videos of `result`, in its order."""
        if result.num_used == 0:
            return
        num_classes = len(self.trained.classes)
        features = result.view_logits[..., :-num_classes].mean(1)  # (n, embed_dim), or (n, 0)
        of_videos = self.trained.view_probabilities(result.view_logits[..., -num_classes:])  # (n, num_classes)
        for row, probabilities in enumerate(of_videos):
            number = int(result.indices[row])
            record = self.records[number]
            yield likeliest(
                probabilities.numpy(),
                self.trained.classes,
                top_k=self.top_k,
                threshold=self.threshold,
                file=record.path,
                seconds=math.nan if record.is_picture else seconds[number],
                features=features[row].numpy() if self.features else None,
            )
