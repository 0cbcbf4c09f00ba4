"""pytorchvideo's data sets and clip samplers, as a source of training clips: `data=pytorchvideo`.

Its own list says which videos there are, its own `LabeledVideoDataset` opens them, its own clip sampler says which
seconds are taken, and its own decoder reads them. What is chosen from outside is which video comes next, so that
shuffling, workers, processes and the replacing of broken videos are as with every other source.
"""

import logging
import random
from collections.abc import Iterator
from itertools import repeat
from typing import Any, Literal

import torch
from torch.utils.data import Sampler, get_worker_info

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.utils.optional import load_optional

CLIP_SAMPLERS = ("random", "uniform", "constant_clips_per_video")
DECODERS = ("pyav", "decord")
_log = logging.getLogger(__name__)


class PytorchvideoFrames:
    """Reads one clip of a listed video through pytorchvideo; for `ClipDataset(read_frames=...)`.

    Of the clips that the sampler lists of a video ("uniform": all, one behind the other) one is drawn. Its frames are
    thinned out evenly to `num_frames`, as pytorchvideo's UniformTemporalSubsample does.

    What can't be read is a `DecodeError` and is not opened again. There is no time limit, and a file that crashes the
    decoder ends the loader's process; `python -m stvit_video.doctor` finds such files beforehand. pytorchvideo ignores
    rotation, and reads each file into memory whole.

    Args:
        manifest: the listed videos: whole files.
        num_frames: frames of a clip.
        clip_sampler: pytorchvideo's, with one clip a call; see `make_clip_sampler`.
        decoder: "pyav" or "decord".

    Raises:
        ValueError: the decoder is unknown, or the list holds segments or members of archives.
        MissingLibraryError: pytorchvideo does not import.
    """

    def __init__(self, manifest: Manifest, *, num_frames: int, clip_sampler: Any, decoder: str = "pyav") -> None:
        if decoder not in DECODERS:
            raise ValueError(f"decoder={decoder!r} is unknown; use one of {', '.join(DECODERS)}")
        odd = next((r for r in manifest.records if r.member or (r.start_seconds, r.end_seconds) != (None, None)), None)
        if odd is not None:
            raise ValueError(f"{odd.video_id} is a part of a file, pytorchvideo reads whole ones; use another source")
        self.paths = [str(record.path) for record in manifest.records]
        self.num_frames = num_frames
        self._broken: dict[int, str] = {}
        self._asked, self._clip = _AskedVideo(), _OneClip(clip_sampler)
        self._dataset = _library().LabeledVideoDataset(
            [(path, {"label": record.label}) for path, record in zip(self.paths, manifest.records, strict=True)],
            self._clip,
            lambda videos: self._asked,
            decode_audio=False,
            decoder=decoder,
        )
        self._dataset.video_path_handler = self._files = _GuardedFiles(self._dataset.video_path_handler)

    def __call__(self, index: int, generator: torch.Generator) -> torch.Tensor:
        """Frames (num_frames, H, W, 3) uint8 of the video with this number; draws come from the generator.

        Raises:
            DecodeError: pytorchvideo can't read it.
        """
        if index in self._broken:
            raise DecodeError(self._broken[index])
        self._asked.index, self._clip.generator = index, generator
        frames = next(iter(self._dataset), {"video": None})["video"]  # (3, t, H, W) float32 in 0..255, or None
        if frames is None:
            why = self._files.fault or "it finds no frame in the clip"
            self._broken[index] = f"can't decode {self.paths[index]!r} with pytorchvideo: {why}"
            _log.warning("%s", self._broken[index])
            raise DecodeError(self._broken[index])
        chosen = torch.linspace(0, frames.shape[1] - 1, self.num_frames).long()
        return frames[:, chosen].permute(1, 2, 3, 0).to(torch.uint8)  # (T, H, W, 3)


def make_clip_sampler(kind: str, *, clip_seconds: float, clips_per_video: int = 10) -> Any:
    """pytorchvideo's clip sampler of this name.

    Args:
        kind: "random" = anywhere; "uniform" = back to back; "constant_clips_per_video" = at even distances.
        clip_seconds: length of a clip, above 0.
        clips_per_video: how many clips "constant_clips_per_video" lists.

    Raises:
        ValueError: the name is unknown or a number is out of range.
        MissingLibraryError: pytorchvideo does not import.
    """
    if kind not in CLIP_SAMPLERS:
        raise ValueError(f"clip_sampler={kind!r} is unknown; use one of {', '.join(CLIP_SAMPLERS)}")
    if not clip_seconds > 0 or clips_per_video < 1:
        raise ValueError(f"clip_seconds={clip_seconds} must be above 0, clips_per_video={clips_per_video} at least 1")
    count = (clips_per_video,) if kind == "constant_clips_per_video" else ()
    return _library().make_clip_sampler(kind, clip_seconds, *count)


def pytorchvideo_frames(
    manifest: Manifest,
    *,
    num_frames: int,
    frame_stride: int,
    clip_sampler: Literal["random", "uniform", "constant_clips_per_video"] = "random",
    clip_seconds: float | None = None,
    clips_per_video: int = 10,
    decoder: Literal["pyav", "decord"] = "pyav",
) -> PytorchvideoFrames:
    """Build the reader of training clips as the `data` settings say.

    Args:
        manifest: the training videos.
        num_frames: frames of a clip.
        frame_stride: distance of its frames at 30 frames a second.
        clip_sampler: random, uniform or constant_clips_per_video; of several clips of a video one is drawn.
        clip_seconds: of which num_frames are taken evenly; None = num_frames * frame_stride / 30.
        clips_per_video: of constant_clips_per_video.
        decoder: of pytorchvideo, without time limit or killable process: scan with stvit_video.doctor first.

    Raises:
        ValueError: a setting is out of range.
        MissingLibraryError: pytorchvideo does not import.
    """
    seconds = clip_seconds or num_frames * frame_stride / 30
    sampler = make_clip_sampler(clip_sampler, clip_seconds=seconds, clips_per_video=clips_per_video)
    return PytorchvideoFrames(manifest, num_frames=num_frames, clip_sampler=sampler, decoder=decoder)


class _AskedVideo(Sampler[int]):
    """The one video that is asked for; once for each loader process, because each takes its share of what comes."""

    def __init__(self) -> None:
        self.index = 0

    def __iter__(self) -> Iterator[int]:
        return repeat(self.index, len(self))

    def __len__(self) -> int:
        worker = get_worker_info()
        return worker.num_workers if worker is not None else 1


class _OneClip:
    """Draws one of the clips that pytorchvideo's sampler lists of a video."""

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler
        self.generator: torch.Generator | None = None

    def __call__(self, last_clip_seconds: float, duration_seconds: float, annotation: dict[str, Any]) -> Any:
        state = random.getstate()
        random.seed(int(torch.randint(2**62, (), generator=self.generator)))  # it draws from Python's own state
        try:
            clips = self._all_clips(duration_seconds, annotation)
        finally:
            random.setstate(state)
        chosen = clips[int(torch.randint(len(clips), (), generator=self.generator))]
        return chosen._replace(aug_index=0, is_last_clip=True)

    def _all_clips(self, duration_seconds: float, annotation: dict[str, Any]) -> list[Any]:
        self.sampler.reset()
        clips = [self.sampler(0.0, duration_seconds, annotation)]
        while not clips[-1].is_last_clip:
            clips.append(self.sampler(clips[-1].clip_end_sec, duration_seconds, annotation))
        return clips

    def reset(self) -> None:
        """Nothing is kept from one video to the next."""


class _GuardedFiles:
    """Opens videos by pytorchvideo's own handler, and keeps the error that its data set would swallow."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self.fault = ""

    def video_from_path(self, path: str, **settings: Any) -> "_GuardedVideo":
        self.fault = ""
        try:
            video = self._handler.video_from_path(path, **settings)
            if not video.duration or video.duration < 0:
                raise ValueError(f"it states a duration of {video.duration} s")
        except Exception as error:
            self.fault = f"{type(error).__name__}: {error}"
            raise
        return _GuardedVideo(video, self)


class _GuardedVideo:
    """An open video whose errors become "no frames", which the data set passes over."""

    def __init__(self, video: Any, files: _GuardedFiles) -> None:
        self._video, self._files = video, files
        self.name, self.duration = video.name, video.duration

    def get_clip(self, start_seconds: float, end_seconds: float) -> dict[str, Any]:
        nothing = {"video": None, "audio": None}
        try:
            return self._video.get_clip(start_seconds, end_seconds) or nothing
        except Exception as error:
            self._files.fault = f"{type(error).__name__}: {error}"
            return nothing

    def close(self) -> None:
        self._video.close()


def _library() -> Any:
    return load_optional("pytorchvideo.data", needed_for="data=pytorchvideo", install="pip install pytorchvideo")
