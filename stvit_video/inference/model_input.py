"""What a caller gives, as a model takes it: the path of a video, its frames, or a clip."""

import math
import os
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.given_frames import Frames, GivenFrames
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.functional import finish_clips
from stvit_video.inference.file_record import file_record
from stvit_video.inference.trained_model import TrainedModel

Given: TypeAlias = str | os.PathLike[str] | np.ndarray | Tensor

_ALLOWED = (
    "give the path of a video, its frames (T, H, W, 3) uint8 RGB, or a clip (3, T, H, W) float, normalised as in "
    "training"
)


class ModelInput(NamedTuple):
    """The views of one video.

    Attributes:
        views: (V, C, T, H, W) float32, normalised; V = clips x crops, or 1 for a clip.
        seconds: how long the video lasts; NaN where that is not known.
        file: the video; None where frames or a clip were given.
    """

    views: Tensor
    seconds: float = math.nan
    file: Path | None = None


def model_input(
    trained: TrainedModel,
    given: Given,
    *,
    fps: float = 30.0,
    time_limit_seconds: float | None = None,
    backend: str = "auto",
) -> ModelInput:
    """Read what is given; of a path or frames the views are those of the protocol.

    Args:
        given: a path; the frames of a video, (T, H, W, 3) uint8, for an image model also a picture (H, W, 3); a clip
            (C, T, H, W) float, or several (V, C, T, H, W), that is sampled, cropped and normalised already.
        fps: frames per second of given frames; clips are sampled from them as from a file of that rate.
        time_limit_seconds: for opening a file and for each reading of it, see `open_video`.
        backend: decoder of a file, see `open_video`.

    Raises:
        DecodeError: the file can't be read.
        ValueError: what is given is nothing of these, or a rate or limit is not positive.
    """
    if isinstance(given, (str, os.PathLike)):
        decoding = Decoding(backend=backend, time_limit_seconds=time_limit_seconds)
        return _of_file(trained, Path(given), decoding)
    if not isinstance(given, (np.ndarray, Tensor)):
        raise ValueError(f"{_words_of(given)} is no input; {_ALLOWED}")
    tensor = _tensor(given)
    if tensor.is_floating_point() and tensor.ndim in (4, 5) and tensor.shape[-4] == 3 and 0 not in tensor.shape:
        return ModelInput(tensor.to(torch.float32).reshape(-1, *tensor.shape[-4:]))  # (V, C, T, H, W)
    is_image_model = trained.preprocessing.num_frames == 1
    if is_image_model and tensor.is_floating_point() and tensor.ndim == 3 and tensor.shape[0] == 3:
        return ModelInput(tensor.to(torch.float32)[None, :, None])  # (1, C, 1, H, W)
    if is_image_model and tensor.dtype == torch.uint8 and tensor.ndim == 3:
        tensor = tensor[None]  # (1, H, W, 3)
    if tensor.dtype != torch.uint8 or tensor.ndim != 4 or tensor.shape[-1] != 3 or 0 in tensor.shape:
        raise ValueError(f"{_words_of(given)} is no input; {_ALLOWED}")
    return _of_frames(trained, tensor, fps)


def view_dataset(
    trained: TrainedModel,
    manifest: Manifest,
    *,
    decoding: Decoding = Decoding(),  # noqa: B008 - frozen
    source: Frames | None = None,
) -> ViewDataset:
    """The views of listed videos, by the protocol and the preprocessing of the model."""
    return ViewDataset(
        manifest,
        preprocessing=trained.preprocessing,
        protocol=trained.protocol.name,
        num_clips=trained.protocol.num_clips,
        num_crops=trained.protocol.num_crops,
        decoding=decoding,
        source=source,
    )


def _of_file(trained: TrainedModel, path: Path, decoding: Decoding) -> ModelInput:
    record = file_record(path, num_frames=trained.preprocessing.num_frames)
    found = _views(trained, view_dataset(trained, Manifest((record,), trained.classes), decoding=decoding))
    return found._replace(file=path, seconds=math.nan if record.is_picture else found.seconds)


def _of_frames(trained: TrainedModel, frames: Tensor, fps: float) -> ModelInput:
    source = GivenFrames(frames.cpu(), FrameTimes.constant(len(frames), fps))
    record = VideoRecord(path=Path("given frames"), label=0, video_id="given frames")
    return _views(trained, view_dataset(trained, Manifest((record,), trained.classes), source=source))


def _views(trained: TrainedModel, dataset: ViewDataset) -> ModelInput:
    item = dataset[0]
    if item["error"]:
        raise DecodeError(item["error"])
    return ModelInput(finish_clips(item["views"], trained.preprocessing), item["seconds"])


def _tensor(given: np.ndarray | Tensor) -> Tensor:
    """The same values as a tensor."""
    if isinstance(given, Tensor):
        return given
    if given.dtype.kind not in "fui":
        raise ValueError(f"{_words_of(given)} is no input; {_ALLOWED}")
    return tensor_of(given)


def tensor_of(array: np.ndarray) -> Tensor:
    """The same values; an array that torch can't look into, such as one that is reversed or read-only, is copied."""
    is_plain = array.flags.writeable and all(stride >= 0 for stride in array.strides)
    return torch.from_numpy(array if is_plain else array.copy())


def _words_of(given: object) -> str:
    if isinstance(given, (np.ndarray, Tensor)):
        return f"an array of type {given.dtype} and shape {tuple(given.shape)}"
    return f"{given!r:.80} of type {type(given).__name__}"
