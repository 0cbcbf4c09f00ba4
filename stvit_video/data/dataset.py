"""Videos as tensors: random clips for training, fixed views for evaluation."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import torch
from torch.utils.data import Dataset

from stvit_video.data.decode import DecodeError
from stvit_video.data.frames import Cache, manifest_source
from stvit_video.data.manifest import Manifest, VideoRecord
from stvit_video.data.protocols import equal_views, find_protocol
from stvit_video.data.sampling import seeded_generator
from stvit_video.data.training_clips import ClipSampling, clip_item
from stvit_video.data.transforms import CroppedClip, Preprocessing, channels_first, resize_short_side, to_clip

NUM_REASONS_SHOWN = 3


class BrokenVideosError(RuntimeError):
    """One video after the other could not be read; the message names the first of them."""


class ClipTransform(Protocol):
    """Frames (T, H, W, 3) uint8 -> clip (C, T, h, w) float, or a clip that the device finishes.

    Anything random comes from the generator.
    """

    def __call__(self, frames: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor | CroppedClip: ...


class ClipDataset(Dataset[dict[str, Any]]):
    """One random clip of each listed video, for training.

    A video that can't be read is replaced by another one of the list, drawn at random, and counted.
    What an item is depends on (seed, epoch, index) only, not on the worker or on the order.

    Args:
        manifest: the listed videos.
        preprocessing: frames of a clip and their distance.
        transform: crop, flip and normalisation, e.g. `TrainTransform`.
        seed: 0 or more.
        backend: decoder, see `open_video`.
        cache: "memory" = decode all videos now and keep them; "none" = decode whenever one is asked for.
        cache_short_side: pixels of the short side of kept frames; None = that of `preprocessing`.
        cache_limit_gb: most memory to take for kept frames, in 10^9 bytes.
        max_attempts: videos to try for one item before giving up.
        sampling: which frames a clip takes.
        num_repeats: clips made of one reading of a video: the same frames, each time transformed anew.

    Raises:
        ValueError: a setting is not allowed, or the cache needs more memory than allowed.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        preprocessing: Preprocessing,
        transform: ClipTransform,
        seed: int = 0,
        backend: str = "auto",
        cache: Cache = "none",
        cache_short_side: int | None = None,
        cache_limit_gb: float = 8.0,
        max_attempts: int = 10,
        sampling: ClipSampling | None = None,
        num_repeats: int = 1,
    ) -> None:
        if seed < 0 or max_attempts < 1:
            raise ValueError(f"seed={seed} must be at least 0, max_attempts={max_attempts} at least 1")
        if num_repeats < 1:
            raise ValueError(f"num_repeats={num_repeats} must be at least 1; 1 = one clip of each video")
        self.manifest = manifest
        self.preprocessing = preprocessing
        self.transform = transform
        self.seed = seed
        self.max_attempts = max_attempts
        self.sampling = sampling or ClipSampling()
        self.num_repeats = num_repeats
        self.source = manifest_source(
            manifest,
            backend=backend,
            cache=cache,
            cache_short_side=_checked_short_side(cache_short_side, preprocessing),
            cache_limit_gb=cache_limit_gb,
        )
        # in shared memory: workers that live on from epoch to epoch hold a copy of self, but see this
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Draw other clips from now on, also in workers that run already; call it between two epochs."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return len(self.manifest.records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One training item.

        Returns:
            "clip" (C, T, H, W) float32, with more than one repeat (R, C, T, H, W); where the transform leaves work to
            the device it is uint8, and "draws" holds what is to be done, one for each clip; "label" and "index" of
            the video that the clip is from (not of the one asked for, where that is broken); "num_skipped", how
            many broken videos were passed over, and "skipped", why: a text for each, joined by "; ", empty when
            there was none.

        Raises:
            BrokenVideosError: `max_attempts` videos in a row can't be read.
        """
        errors: list[str] = []
        for attempt, candidate in enumerate(self._candidates(index)):
            # a generator for each attempt: how far a failed one got must not matter
            generator = seeded_generator(self.seed, int(self._epoch), index, attempt)
            record = self.manifest.records[candidate]
            try:
                clips = self._read_clips(record, generator)
            except DecodeError as error:
                errors.append(str(error))
                continue
            item = clip_item(clips) | {"label": record.label, "index": candidate}
            return item | {"num_skipped": attempt, "skipped": "; ".join(errors)}
        more = len(errors) - NUM_REASONS_SHOWN
        raise BrokenVideosError(
            f"{len(errors)} videos in a row can't be read; check the data set: "
            + "; ".join(errors[:NUM_REASONS_SHOWN])
            + (f"; and {more} more" if more > 0 else "")
        )

    def _candidates(self, index: int) -> Iterator[int]:
        """`index`, then others in random order, `max_attempts` in all."""
        yield index
        order = torch.randperm(len(self), generator=seeded_generator(self.seed, int(self._epoch), index))
        others = (other for other in order.tolist() if other != index)
        yield from islice(others, self.max_attempts - 1)

    def _read_clips(self, record: VideoRecord, generator: torch.Generator) -> list[torch.Tensor | CroppedClip]:
        def choose(num_video_frames: int, fps: float) -> list[int]:
            try:
                return self.sampling.draw(
                    num_video_frames,
                    fps,
                    num_frames=self.preprocessing.num_frames,
                    frame_stride=self.preprocessing.frame_stride,
                    generator=generator,
                )
            except ValueError as error:  # too short where that is an error, or of no valid frame rate
                raise DecodeError(f"{record.path}: {error}") from error

        frames = self.source.read(record, choose).frames
        return [self.transform(frames, generator=generator) for _ in range(self.num_repeats)]


class ViewDataset(Dataset[dict[str, Any]]):
    """All views (clips x crops) of each listed video, for evaluation; nothing random, nothing substituted.

    All views of a video come from one pass over its file: each wanted frame is decoded and resized once.

    Args:
        manifest: the listed videos.
        preprocessing: frames of a clip, their distance, sizes and normalisation; for a named protocol from
            `NamedProtocol.preprocessing`.
        protocol: which frames and crops, a name from `stvit_video.data.protocols`; "uniform" = clips spread evenly.
        num_clips: clips of a video.
        num_crops: crops of each clip: 1 = the centre, 3 = along the long side.
        backend: decoder, see `open_video`.
        cache: "memory" = decode all videos now and keep them; "none" = decode whenever one is asked for.
        cache_short_side: pixels of the short side of kept frames; None = that of `preprocessing`.
        cache_limit_gb: most memory to take for kept frames, in 10^9 bytes.

    Raises:
        ValueError: a setting is not allowed, or the cache needs more memory than allowed.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        preprocessing: Preprocessing,
        protocol: str = "uniform",
        num_clips: int = 1,
        num_crops: int = 1,
        backend: str = "auto",
        cache: Cache = "none",
        cache_short_side: int | None = None,
        cache_limit_gb: float = 8.0,
    ) -> None:
        if num_clips < 1 or num_crops not in (1, 3):
            raise ValueError(f"num_clips={num_clips} must be at least 1, num_crops={num_crops} must be 1 or 3")
        self.manifest = manifest
        self.preprocessing = preprocessing
        self.protocol = find_protocol(protocol)
        self.num_clips = num_clips
        self.num_crops = num_crops
        self.source = manifest_source(
            manifest,
            backend=backend,
            cache=cache,
            cache_short_side=_checked_short_side(cache_short_side, preprocessing),
            cache_limit_gb=cache_limit_gb,
            warn=False,  # the items tell
        )

    @property
    def num_views(self) -> int:
        """Views of each video: num_clips * num_crops."""
        return self.num_clips * self.num_crops

    def __len__(self) -> int:
        return len(self.manifest.records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """All views of one video; the crops of the first clip come first, then those of the second, ...

        Returns:
            "views" (V, C, T, H, W) float32; "label"; "index"; "error", empty when the video was read;
            "clip_starts_seconds", for each view the time of its first frame in the file; "crops", for each
            view the number of its crop; "same_as", for each view the first view that equals it (itself, unless
            the video is short or square). Of an unreadable video the views are zeros and the times are NaN.
        """
        record = self.manifest.records[index]
        item = {"label": record.label, "index": index, "crops": list(range(self.num_crops)) * self.num_clips}
        try:
            return item | self._read_views(record) | {"error": ""}
        except DecodeError as error:
            size, num_frames = self.preprocessing.crop_size, self.preprocessing.num_frames
            zeros = torch.zeros(self.num_views, 3, num_frames, size, size)
            nothing = [math.nan] * self.num_views
            missing = {"views": zeros, "clip_starts_seconds": nothing, "same_as": list(range(self.num_views))}
            return item | missing | {"error": str(error)}

    def _read_views(self, record: VideoRecord) -> dict[str, Any]:
        clips: list[list[int]] = []  # frame numbers in the segment
        chosen: list[int] = []  # each wanted frame once, in order

        def choose(num_video_frames: int, fps: float) -> list[int]:
            try:
                clips[:] = self.protocol.clips(
                    num_video_frames,
                    fps,
                    num_frames=self.preprocessing.num_frames,
                    frame_stride=self.preprocessing.frame_stride,
                    num_clips=self.num_clips,
                )
            except ValueError as error:  # the file states no valid frame rate
                raise DecodeError(f"{record.path}: {error}") from error
            chosen[:] = sorted({index for clip in clips for index in clip})
            return chosen

        reading = self.source.read(record, choose)
        place = {index: number for number, index in enumerate(chosen)}
        rows = [[place[index] for index in clip] for clip in clips]  # num_clips x T, rows of reading.frames
        starts = [reading.pts_seconds[row[0]] for row in rows for _ in range(self.num_crops)]
        return self._crop_views(reading.frames, rows) | {"clip_starts_seconds": starts}

    def _crop_views(self, frames: torch.Tensor, rows: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Views (V, 3, T, H, W) of decoded frames (n, H, W, 3); each different view is made once."""
        size = self.preprocessing.crop_size
        frames = resize_short_side(channels_first(frames), short_side=self.preprocessing.short_side)  # (n, 3, h, w)
        corners = self.protocol.corners(frames.shape[-2], frames.shape[-1], crop_size=size, num_crops=self.num_crops)
        same_as = equal_views(rows, corners)
        # one block, filled in place: to stack the views of long clips would take as long as to make them
        views = torch.empty(self.num_views, 3, self.preprocessing.num_frames, size, size)
        for view, first in enumerate(same_as):
            if first < view:
                views[view] = views[first]
                continue
            top, left = corners[view % self.num_crops]
            clip = frames[list(rows[view // self.num_crops])]  # (T, 3, h, w)
            views[view] = to_clip(clip[..., top : top + size, left : left + size], self.preprocessing)
        return {"views": views, "same_as": same_as}


def collate_views(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make a batch of `ViewDataset` items.

    Returns:
        "views" (B, V, C, T, H, W); "label" (B,) and "index" (B,) int64; "error", B texts;
        "clip_starts_seconds" (B, V) float64; "crops" and "same_as" (B, V) int64.
    """
    return {
        "views": torch.stack([item["views"] for item in items]),
        "label": torch.tensor([item["label"] for item in items]),
        "index": torch.tensor([item["index"] for item in items]),
        "error": [item["error"] for item in items],
        "clip_starts_seconds": torch.tensor([item["clip_starts_seconds"] for item in items], dtype=torch.float64),
        "crops": torch.tensor([item["crops"] for item in items]),
        "same_as": torch.tensor([item["same_as"] for item in items]),
    }


def _checked_short_side(cache_short_side: int | None, preprocessing: Preprocessing) -> int:
    if cache_short_side is None:
        return preprocessing.short_side
    if cache_short_side < preprocessing.short_side:
        raise ValueError(
            f"cache_short_side={cache_short_side} is less than short_side={preprocessing.short_side}, "
            "so kept frames would be enlarged again; make it as large or larger"
        )
    return cache_short_side
