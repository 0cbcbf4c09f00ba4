"""A checkpoint that finds objects, from Python: `stvit_video.load(path)` gives a `TrainedDetector`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.dense.dense_checkpoint import dense_from_checkpoint
from stvit_video.dense.detector import Detector
from stvit_video.inference.picture_input import GivenPicture, picture_batch
from stvit_video.inference.trained_model import choose_device
from stvit_video.tokens.key_frames import KeyFrames
from stvit_video.tokens.shared_tokens import SharedTokens
from stvit_video.utils.given_values import given_values

__all__ = ["TASKS_OF_DETECTORS", "TrainedDetector", "detector_from_checkpoint", "load_trained_detector"]

TASKS_OF_DETECTORS = ("detection", "instance")


@dataclass(frozen=True)
class TrainedDetector:
    """A checkpoint that finds objects in pictures.

    Attributes:
        model: in eval mode, on `device`.
        task: "detection", or "instance" with masks.
        classes: names, in the order of the labels.
        category_ids: of the classes, as the annotations of the training have them.
        sizes: what the model is fed with.
        device: where the model is.
        config: the resolved configuration of the training run.
        model_name: of the backbone, as `create_model` knows it.
        key_every: frames of a video from one to the next that makes semantic tokens, which those behind it share.
    """

    model: Detector
    task: str
    classes: tuple[str, ...]
    category_ids: tuple[int | str, ...]
    sizes: PictureSizes
    device: torch.device
    config: Mapping[str, Any]
    model_name: str
    key_every: int = 1

    def __call__(self, given: GivenPicture) -> dict[str, np.ndarray]:
        """The objects of one picture.

        Args:
            given: the path of a picture, or its pixels (H, W, 3) uint8 RGB.

        Returns:
            Best first: "boxes" (N, 4) float32, x1, y1, x2, y2 in pixels; "scores" (N,) float32; "labels" (N,) int64,
            numbers of `classes`; with masks also "masks" (N, H, W) bool.

        Raises:
            DecodeError: the file can't be read.
            ValueError: pixels of another shape or type.
        """
        return self.detect([given])[0]

    def detect(
        self, pictures: Sequence[GivenPicture], *, shared: SharedTokens | None = None
    ) -> list[dict[str, np.ndarray]]:
        """The objects of several pictures, in one batch; each as `__call__` gives it.

        Args:
            pictures: paths, or pixels (H, W, 3) uint8 RGB, of any sizes.
            shared: the semantic tokens that frames of videos share; None = each picture has its own.

        Raises:
            DecodeError: a file can't be read.
            ValueError: no list of pictures, or pixels of another shape or type.
        """
        if len(pictures) == 0:
            return []
        batch = picture_batch(pictures, self.sizes, device=self.device)
        with torch.inference_mode():
            found = self.model.detect(batch.pictures, batch.sizes, batch.original_sizes, shared=shared)
        return [{name: values.float().cpu().numpy() if name in ("boxes", "scores") else values.cpu().numpy()
                 for name, values in one.items()} for one in found]  # fmt: skip

    def for_video(self) -> Callable[[Sequence[GivenPicture]], list[dict[str, np.ndarray]]]:
        """What gives the objects of the frames of one video, as `detect` does, each frame once and in order.

        By `key_every`, frames share the semantic tokens of a key frame, however they are put into calls.
        """
        key_frames = KeyFrames(self.key_every)
        return lambda frames: self.detect(frames, shared=key_frames.shared_by_next(len(frames)))


def load_trained_detector(
    path: str | Path,
    *,
    device: str = "auto",
    short_side: int | None = None,
    long_side: int | None = None,
    detections: int | None = None,
    score_threshold: float | None = None,
    nms_threshold: float | None = None,
    key_every: int = 1,
) -> TrainedDetector:
    """Load a checkpoint of stvit_video.train with task=detection or task=instance.

    Args:
        path: a .ckpt file, or an exported folder.
        device: "auto" = the first GPU if there is one, "cpu", "cuda" or "cuda:<n>".
        short_side: pixels of the short side of a picture; None = as trained.
        long_side: most pixels of the long side; None = as trained.
        detections: most detections of a picture; None = as trained.
        score_threshold: least score of a detection; None = as trained.
        nms_threshold: IoU from which on the weaker of two detections of a class is dropped; None = as trained.
        key_every: frames of a video from one to the next that makes semantic tokens, which those behind it share; 1 =
            every one.

    Raises:
        CheckpointError: the file can't be read, is none of these tasks, or its model can't be built here.
        ValueError: a setting is out of range, or `key_every` is for another kind of backbone.
    """
    options = given_values(detections=detections, score_threshold=score_threshold, nms_threshold=nms_threshold)
    model, metadata = detector_from_checkpoint(path, options=options)
    sizes = PictureSizes.from_dict(metadata["preprocessing"])
    changed = given_values(short_side=short_side, long_side=long_side)
    place = choose_device(device)
    return TrainedDetector(
        model=model.to(place),
        task=metadata["task"],
        classes=tuple(metadata["classes"]),
        category_ids=tuple(metadata["category_ids"]),
        sizes=replace(sizes, **changed),
        device=place,
        config=metadata["config"],
        model_name=metadata["model"]["name"],
        key_every=model.check_key_every(key_every),
    )


def detector_from_checkpoint(
    path: str | Path, *, options: Mapping[str, Any] | None = None
) -> tuple[Detector, dict[str, Any]]:
    """The detector of one of our checkpoints, with its weights, in eval mode on the CPU.

    Args:
        path: a .ckpt file, or an exported folder.
        options: of the head, in place of those of the checkpoint.

    Returns:
        The detector, and the checkpoint's metadata (see `detector_metadata`).

    Raises:
        CheckpointError: the file can't be read, is of no detector, or its model can't be built here.
        ValueError: an option is out of range.
    """
    model, metadata = dense_from_checkpoint(path, tasks=TASKS_OF_DETECTORS, options=options)
    assert isinstance(model, Detector)
    return model, metadata
