"""A checkpoint ready for use: the model, and all that belongs to it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.metrics import Metrics
from stvit_video.evaluation.multi_label_tables import THRESHOLDS, multi_label_video_rows
from stvit_video.evaluation.multiview import MultiViewResult, aggregate_views
from stvit_video.evaluation.tables import Row, describe_equal_views, result_line, video_rows
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.models.base import TokenModel

CPU = torch.device("cpu")


@dataclass(frozen=True)
class TrainedModel:
    """A checkpoint ready for use.

    Attributes:
        model: in eval mode, on `device`.
        classes: label names in the order of the logits.
        preprocessing: what the model is fed with: as it was trained, sizes as the protocol says.
        protocol: the checkpoint's, where the caller gave no other.
        device: where the model is.
        config: the resolved configuration of the training run.
        model_name: the name that `create_model` knows.
        multi_label: True = a video can have several labels, and each logit has a probability of its own (sigmoid).
        held_back: names of the videos that the training held back for validation, where it divided a folder itself.
    """

    model: TokenModel
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    protocol: TestProtocol
    device: torch.device
    config: Mapping[str, Any]
    model_name: str
    multi_label: bool = False
    held_back: tuple[str, ...] | None = None

    @property
    def label_separator(self) -> str:
        """What stands between the labels of a video, in the lists of the training and in our tables."""
        return str(self.config.get("data", {}).get("label_separator") or "|")

    def require_labels_of(self, manifest: Manifest) -> None:
        """Raise unless the list is of the kind that the model was trained on.

        Raises:
            ManifestError: one of them is for several labels a video, the other for one.
        """
        if self.multi_label and not manifest.multi_label:
            raise ManifestError(
                "the checkpoint was trained on several labels a video and the list gives one each; use a CSV, "
                f"which is then read with label_separator={self.label_separator!r}"
            )
        if manifest.multi_label and not self.multi_label:
            raise ManifestError(
                "the list gives several labels a video and the checkpoint was trained on one each; leave "
                "label_separator out, or use a checkpoint that was trained with it"
            )

    def average_views(self, result: MultiViewResult) -> Tensor:
        """Scores (N, num_classes) of the videos of `result`, by the protocol's average."""
        return aggregate_views(result.view_logits, average=self.protocol.average, multi_label=self.multi_label)

    def view_probabilities(self, view_logits: Tensor) -> Tensor:
        """Probabilities (N, num_classes) of N videos from the logits (N, V, num_classes) of their views."""
        average = self.protocol.average
        return self.probabilities(aggregate_views(view_logits, average=average, multi_label=self.multi_label))

    def probabilities(self, scores: Tensor) -> Tensor:
        """Probabilities of the scores that `average_views` gives: of the classes, or of each label by itself."""
        if self.protocol.average == "prob":
            return scores
        return scores.sigmoid() if self.multi_label else scores.softmax(dim=-1)

    def result_line(self, metrics: Metrics, result: MultiViewResult) -> str:
        """The accuracies, the videos used and listed, and the protocol, in one line."""
        words = self.protocol.describe(short_side=self.preprocessing.short_side, multi_label=self.multi_label)
        return result_line(metrics, result=result, protocol=words + describe_equal_views(result))

    def video_rows(self, manifest: Manifest, result: MultiViewResult, scores: Tensor) -> list[Row]:
        """One row for each listed video, see `video_rows`; with several labels each, `multi_label_video_rows`."""
        if self.multi_label:
            return multi_label_video_rows(
                result,
                scores,
                video_ids=[record.video_id for record in manifest.records],
                labels=[record.labels for record in manifest.records],
                classes=self.classes,
                threshold=THRESHOLDS[self.protocol.average],
                separator=self.label_separator,
            )
        return video_rows(
            result,
            scores,
            video_ids=[record.video_id for record in manifest.records],
            labels=[record.label for record in manifest.records],
            classes=self.classes,
        )


def choose_device(name: str) -> torch.device:
    """The torch device that `name` means; "auto" = the first GPU if there is one, else the CPU.

    Raises:
        ValueError: no such device, or none here.
    """
    if name == "auto":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else CPU
    try:
        if not isinstance(name, str):
            raise RuntimeError("a device has a name")
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise ValueError(f"device={name!r} can't be used here ({reason}); use auto, cpu, cuda or cuda:<n>") from error
    return device
