"""A checkpoint that labels pixels, from Python: `stvit_video.load(path)` gives a `TrainedSegmenter`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.dense.dense_checkpoint import dense_from_checkpoint
from stvit_video.dense.segmenter import Segmenter
from stvit_video.inference.picture_input import GivenPicture, picture_batch
from stvit_video.inference.trained_model import choose_device
from stvit_video.tokens.key_frames import KeyFrames
from stvit_video.tokens.shared_tokens import SharedTokens
from stvit_video.utils.given_values import given_values

__all__ = ["TASKS_OF_SEGMENTERS", "TrainedSegmenter", "load_trained_segmenter", "segmenter_from_checkpoint"]

TASKS_OF_SEGMENTERS = ("semantic",)


@dataclass(frozen=True)
class TrainedSegmenter:
    """A checkpoint that gives every pixel of a picture a label.

    Attributes:
        model: in eval mode, on `device`.
        classes: names, in the order of the labels.
        sizes: what the model is fed with.
        device: where the model is.
        config: the resolved configuration of the training run.
        model_name: of the backbone, as `create_model` knows it.
        key_every: frames of a video from one to the next that makes semantic tokens, which those behind it share.
    """

    model: Segmenter
    classes: tuple[str, ...]
    sizes: MapSizes
    device: torch.device
    config: Mapping[str, Any]
    model_name: str
    key_every: int = 1

    def __call__(self, given: GivenPicture) -> dict[str, np.ndarray]:
        """The labels of the pixels of one picture.

        Args:
            given: the path of a picture, or its pixels (H, W, 3) uint8 RGB.

        Returns:
            "labels" (H, W) uint8, numbers of `classes`; "scores" (H, W) float32, the share of that class by softmax.

        Raises:
            DecodeError: the file can't be read.
            ValueError: pixels of another shape or type.
        """
        return self.segment([given])[0]

    def segment(
        self, pictures: Sequence[GivenPicture], *, shared: SharedTokens | None = None
    ) -> list[dict[str, np.ndarray]]:
        """The labels of several pictures, in one batch; each as `__call__` gives it.

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
            found = self.model.segment(batch.pictures, batch.sizes, batch.original_sizes, shared=shared)
        return [{name: values.cpu().numpy() for name, values in one.items()} for one in found]

    def for_video(self) -> Callable[[Sequence[GivenPicture]], list[dict[str, np.ndarray]]]:
        """What gives the labels of the frames of one video, as `segment` does, each frame once and in order.

        By `key_every`, frames share the semantic tokens of a key frame, however they are put into calls.
        """
        key_frames = KeyFrames(self.key_every)
        return lambda frames: self.segment(frames, shared=key_frames.shared_by_next(len(frames)))


def load_trained_segmenter(
    path: str | Path,
    *,
    device: str = "auto",
    short_side: int | None = None,
    long_side: int | None = None,
    window: int | None = None,
    window_stride: int | None = None,
    key_every: int = 1,
) -> TrainedSegmenter:
    """Load a checkpoint of stvit_video.train with task=semantic.

    Args:
        path: a .ckpt file, or an exported folder.
        device: "auto" = the first GPU if there is one, "cpu", "cuda" or "cuda:<n>".
        short_side: pixels of the short side of a picture; None = as trained.
        long_side: most pixels of the long side; None = as trained.
        window: side in pixels of the windows that a picture is looked at in; 0 = the whole picture at once, None = as
            trained.
        window_stride: pixels from window to window; None = as trained.
        key_every: frames of a video from one to the next that makes semantic tokens, which those behind it share; 1 =
            every one.

    Raises:
        CheckpointError: the file can't be read, is of another task, or its model can't be built here.
        ValueError: a setting is out of range, or `key_every` is for another kind of backbone.
    """
    windows: dict[str, int | None] = given_values(window=window, window_stride=window_stride)
    if window == 0:
        windows = {"window": None, "window_stride": window_stride}
    model, metadata = segmenter_from_checkpoint(path, options=windows)
    sizes = MapSizes.from_dict(metadata["preprocessing"])
    place = choose_device(device)
    return TrainedSegmenter(
        model=model.to(place),
        classes=tuple(metadata["classes"]),
        sizes=replace(sizes, **given_values(short_side=short_side, long_side=long_side)),
        device=place,
        config=metadata["config"],
        model_name=metadata["model"]["name"],
        key_every=model.check_key_every(key_every),
    )


def segmenter_from_checkpoint(
    path: str | Path, *, options: Mapping[str, Any] | None = None
) -> tuple[Segmenter, dict[str, Any]]:
    """The segmenter of one of our checkpoints, with its weights, in eval mode on the CPU.

    Args:
        path: a .ckpt file, or an exported folder.
        options: of the head, in place of those of the checkpoint.

    Returns:
        The segmenter, and the checkpoint's metadata (see `segmenter_metadata`).

    Raises:
        CheckpointError: the file can't be read, is of no segmenter, or its model can't be built here.
        ValueError: an option is out of range.
    """
    model, metadata = dense_from_checkpoint(path, tasks=TASKS_OF_SEGMENTERS, options=options)
    assert isinstance(model, Segmenter)
    return model, metadata
