"""A checkpoint that finds objects, from Python: `stvit_video.load(path)` gives a `TrainedDetector`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stvit_video import __version__
from stvit_video.data.decoding.pictures import decode_picture
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.picture_batch import pad_pictures
from stvit_video.data.loading.listed_pictures import normalised
from stvit_video.data.transforms.annotated_ops import AnnotatedPicture, resized
from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.dense.create_detector import build_described
from stvit_video.dense.detector import Detector
from stvit_video.dense.load_dense import load_dense
from stvit_video.inference.trained_model import choose_device
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.metadata import (
    METADATA_KEY,
    check_metadata,
    dense_description,
    written_by,
)
from stvit_video.models.checkpoints.state_dict import CheckpointError

__all__ = [
    "TASKS_OF_DETECTORS",
    "TrainedDetector",
    "detector_from_checkpoint",
    "load_trained_detector",
    "picture_bytes",
]

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
    """

    model: Detector
    task: str
    classes: tuple[str, ...]
    category_ids: tuple[int | str, ...]
    sizes: PictureSizes
    device: torch.device
    config: Mapping[str, Any]
    model_name: str

    def __call__(self, given: str | os.PathLike[str] | np.ndarray) -> dict[str, np.ndarray]:
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

    def detect(self, pictures: Sequence[str | os.PathLike[str] | np.ndarray]) -> list[dict[str, np.ndarray]]:
        """The objects of several pictures, in one batch; each as `__call__` gives it.

        Args:
            pictures: paths, or pixels (H, W, 3) uint8 RGB, of any sizes.

        Raises:
            DecodeError: a file can't be read.
            ValueError: no list of pictures, or pixels of another shape or type.
        """
        if isinstance(pictures, (str, os.PathLike)):
            raise ValueError(f"detect takes a list of pictures, got {os.fspath(pictures)!r}; put it into a list")
        if len(pictures) == 0:
            return []
        pixels = [picture_pixels(picture) for picture in pictures]
        batch = pad_pictures([self._prepared(picture) for picture in pixels])
        originals = [(picture.shape[0], picture.shape[1]) for picture in pixels]
        with torch.inference_mode():
            found = self.model.detect(batch["pictures"].to(self.device), batch["sizes"], originals)
        return [{name: values.float().cpu().numpy() if name in ("boxes", "scores") else values.cpu().numpy()
                 for name, values in one.items()} for one in found]  # fmt: skip

    def _prepared(self, picture: np.ndarray) -> Tensor:
        """Pixels (H, W, 3) uint8 -> (3, h, w) float32, resized and normalised."""
        pixels = torch.from_numpy(np.require(picture, requirements=["C", "W"])).permute(2, 0, 1)
        nothing = (torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.bool))
        sample = AnnotatedPicture(pixels, *nothing)
        scaled = resized(sample, self.sizes.size_of(*sample.size), antialias=self.sizes.antialias)
        return normalised(scaled.picture, self.sizes)


def picture_pixels(given: object) -> np.ndarray:
    """Pixels (H, W, 3) uint8 RGB of a picture that is given as a path or as these pixels.

    Raises:
        DecodeError: the file can't be read.
        ValueError: something else is given.
    """
    if isinstance(given, (str, os.PathLike)):
        with decode_picture(picture_bytes(given), name=os.fspath(given)) as picture:
            return picture.read([0])[0]
    if not isinstance(given, np.ndarray):
        raise ValueError(f"a picture is a path or its pixels (H, W, 3) uint8, RGB, got {type(given).__name__}")
    if given.ndim != 3 or given.shape[2] != 3 or given.dtype != np.uint8:
        raise ValueError(f"a picture is a path or its pixels (H, W, 3) uint8, RGB, got {given.shape} {given.dtype}")
    return given


def picture_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file.

    Raises:
        DecodeError: it can't be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DecodeError(f"can't read the picture {os.fspath(path)!r}: {error.strerror}") from error


def load_trained_detector(
    path: str | Path,
    *,
    device: str = "auto",
    short_side: int | None = None,
    long_side: int | None = None,
    detections: int | None = None,
    score_threshold: float | None = None,
    nms_threshold: float | None = None,
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

    Raises:
        CheckpointError: the file can't be read, is none of these tasks, or its model can't be built here.
        ValueError: a setting is out of range.
    """
    options = _given(detections=detections, score_threshold=score_threshold, nms_threshold=nms_threshold)
    model, metadata = detector_from_checkpoint(path, options=options)
    sizes = PictureSizes.from_dict(metadata["preprocessing"])
    changed = _given(short_side=short_side, long_side=long_side)
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
    content, source = read_checkpoint(path), repr(str(path))
    metadata = check_metadata(content.get(METADATA_KEY), source=source, tasks=TASKS_OF_DETECTORS)
    model = _described(metadata, options or {}, source=source)
    load_dense(model, content)
    return model.eval(), metadata


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _described(metadata: Mapping[str, Any], options: Mapping[str, Any], *, source: str) -> Detector:
    description = dense_description(metadata)
    try:
        as_trained = build_described(description)
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(
            f"the detector of {source} can't be built: {error}; the file was written by stvit_video "
            f"{written_by(metadata)}, this is {__version__}"
        ) from error
    if not options:
        return as_trained
    return build_described({**description, "options": {**description["options"], **options}})
