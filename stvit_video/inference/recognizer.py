"""A checkpoint on a list of videos: what evaluate, predict and scripts/evaluate_clips.py have in common."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.metrics import Metrics
from stvit_video.evaluation.multi_label_tables import THRESHOLDS, multi_label_video_rows
from stvit_video.evaluation.multiview import MultiViewResult, aggregate_views
from stvit_video.evaluation.tables import Row, describe_equal_views, result_line, video_rows
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.layers.numbers import whole_number
from stvit_video.models.base import TokenModel
from stvit_video.models.checkpoints.load import model_from_checkpoint

CPU = torch.device("cpu")


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
        raise ValueError(
            f"the output folder {path} can't be written ({error.strerror}); give another one "
            "(stvit_video.evaluate: hydra.run.dir=FOLDER; evaluate_clips.py: output_dir=FOLDER)"
        ) from error


@dataclass(frozen=True)
class Recognizer:
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
    """

    model: nn.Module
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    protocol: TestProtocol
    device: torch.device
    config: Mapping[str, Any]
    model_name: str
    multi_label: bool = False

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


def load_recognizer(
    ckpt_path: str | Path,
    *,
    device: str = "auto",
    num_tokens: int | Sequence[int] | None = None,
    protocol: str | None = None,
    num_clips: int | None = None,
    num_crops: int | None = None,
    average: str | None = None,
    num_frames: int | None = None,
    frame_stride: int | None = None,
    short_side: int | None = None,
    crop_size: int | None = None,
) -> Recognizer:
    """Read a checkpoint of ours; each part of protocol and preprocessing that is None is as it says.

    Args:
        device: "auto" = the first GPU if there is one, else the CPU; or a torch device name.
        num_tokens: semantic tokens to run with, a count or a grid; None = as the model was trained.
        protocol: a name from `stvit_video.data.sampling.protocols`; what this protocol says then counts in place of the
            checkpoint's number of clips and crops, average, short side and crop size. None = the checkpoint's.
        num_frames: frames of a clip; with frame_stride: None = as the model was trained, under any protocol.
        short_side: in pixels; with crop_size: None = the protocol's, in proportion to the training's crop.

    Raises:
        CheckpointError: the file can't be read or is no checkpoint of ours.
        ValueError: a value is out of range, or a count of tokens that the model can't run with.
    """
    sizes = {"num_frames": num_frames, "frame_stride": frame_stride, "short_side": short_side, "crop_size": crop_size}
    for key, value in sizes.items():
        if value is not None:
            whole_number(key, value)
    chosen_device = choose_device(device)
    model, meta = model_from_checkpoint(ckpt_path)
    if num_tokens is not None:
        assert isinstance(model, TokenModel)  # as all that create_model builds
        model.set_num_tokens(num_tokens)
    stored: Mapping[str, Any] = meta["protocol"] if protocol is None else {"name": protocol}
    chosen = TestProtocol.named(
        stored.get("name", "uniform"),
        num_clips=stored.get("num_clips") if num_clips is None else num_clips,
        num_crops=stored.get("num_crops") if num_crops is None else num_crops,
        average=stored.get("average") if average is None else average,
    )
    preprocessing = find_protocol(chosen.name).preprocessing(
        Preprocessing.from_dict(meta["preprocessing"]), num_crops=chosen.num_crops, **sizes
    )
    return Recognizer(
        model=model.to(chosen_device).eval(),
        classes=tuple(meta["classes"]),
        preprocessing=preprocessing,
        protocol=chosen,
        device=chosen_device,
        config=meta["config"],
        model_name=meta["model"]["name"],
        multi_label=meta["multi_label"],
    )


def choose_device(name: str) -> torch.device:
    """The torch device that `name` means; "auto" = the first GPU if there is one, else the CPU.

    Raises:
        ValueError: no such device, or none here.
    """
    if name == "auto":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else CPU
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise ValueError(f"device={name!r} can't be used here ({reason}); use auto, cpu, cuda or cuda:<n>") from error
    return device
