"""Random clips of listed videos, for training."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch.utils.data import Dataset

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.collate import clip_item
from stvit_video.data.loading.frame_source import Decoding, manifest_source
from stvit_video.data.loading.replacements import read_or_replace
from stvit_video.data.loading.targets import target_of
from stvit_video.data.loading.worker_crashes import ReadingNow, shared_where_it_fits
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip

FrameReader = Callable[[int, torch.Generator], torch.Tensor]


class ClipTransform(Protocol):
    """Frames (T, H, W, 3) uint8 -> a clip that the device finishes; anything random comes from the generator.

    Only multi-scale training gives a `crop_size`, the side of the clip in pixels; None = that of the preprocessing.
    """

    def __call__(
        self, frames: torch.Tensor, *, generator: torch.Generator, crop_size: int | None = None
    ) -> CroppedClip: ...


class ClipDataset(Dataset[dict[str, Any]]):
    """One random clip of each listed video, for training.

    A video that can't be read is replaced by another one of the list, drawn at random, and counted.
    What an item is depends on (seed, epoch, index) only, not on the worker or on the order: a worker opens a broken
    file once and passes over it from then on, with the same outcome.

    Args:
        manifest: the listed videos.
        preprocessing: frames of a clip and their distance.
        transform: crop, flip and normalisation, e.g. `TrainTransform`.
        seed: 0 or more.
        decoding: decoder, and what is kept in memory.
        max_attempts: videos to try for one item before giving up; None = all that are listed, see `attempts_for`.
        sampling: which frames a clip takes.
        num_repeats: clips made of one reading of a video: the same frames, each time transformed anew.
        read_frames: reads instead of ours: (number of the listed video, source of its draws) -> frames (T, H, W, 3)
            uint8, or a DecodeError; `decoding` and `sampling` then have no effect.

    Attributes:
        reading_now: which video each loader process is reading.

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
        decoding: Decoding = Decoding(),  # noqa: B008 - frozen
        max_attempts: int | None = None,
        sampling: ClipSampling | None = None,
        num_repeats: int = 1,
        read_frames: FrameReader | None = None,
    ) -> None:
        if seed < 0 or (max_attempts is not None and max_attempts < 1):
            raise ValueError(f"seed={seed} must be at least 0, max_attempts={max_attempts} at least 1")
        self.manifest = manifest
        self.preprocessing = preprocessing
        self.transform = transform
        self.seed = seed
        self.max_attempts = max_attempts
        self.sampling = sampling or ClipSampling()
        self.num_repeats = num_repeats
        self.reading_now = ReadingNow()
        self._read_frames = read_frames or self._read_our_frames
        self.source = manifest_source(
            manifest,
            decoding,
            preprocessing=preprocessing,
        )
        # in shared memory: workers that live on from epoch to epoch hold a copy of self, but see this
        self._epoch = shared_where_it_fits(torch.zeros(1, dtype=torch.int64))

    def share_memory(self) -> None:
        """Put what loader processes write and read meanwhile into shared memory, also where that was full before.

        Raises:
            RuntimeError: it is full still.
        """
        self.reading_now.share_memory()
        self._epoch.share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Draw other clips from now on, also in workers that run already; call it between two epochs."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return len(self.manifest.records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One training item at the size of the preprocessing, see `item`."""
        return self.item(index)

    def item(self, index: int, *, crop_size: int | None = None) -> dict[str, Any]:
        """One training item.

        Args:
            index: number of the listed video.
            crop_size: side of the clip in pixels; None = that of the preprocessing. It changes no draw.

        Returns:
            "clip" (C, T, H, W) uint8, with more than one repeat (R, C, T, H, W); "draws", what a `DeviceTransform`
            has still to do to each clip; "label", see `target_of`, and "index" of the video that the clip is from
            (not of the one asked for, where that is broken); "num_skipped", how many broken videos were passed over,
            and "skipped", which ones and why: a list of (index, text), without those whose bytes or decoding process
            were lost this once by no fault of theirs.

        Raises:
            BrokenVideosError: `max_attempts` videos in a row, or all that are listed, can't be read.
        """
        read = read_or_replace(
            lambda candidate, generator: self._read_clips(candidate, generator, crop_size),
            index,
            num_listed=len(self),
            seed=self.seed,
            epoch=int(self._epoch),
            max_attempts=self.max_attempts,
        )
        label = target_of(self.manifest, self.manifest.records[read.index])
        return clip_item(read.content) | {"label": label} | read.facts()

    def _read_clips(self, candidate: int, generator: torch.Generator, crop_size: int | None) -> list[CroppedClip]:
        with self.reading_now.of(candidate):
            frames = self._read_frames(candidate, generator)
            size = {} if crop_size is None else {"crop_size": crop_size}  # a transform without sizes serves otherwise
            return [self.transform(frames, generator=generator, **size) for _ in range(self.num_repeats)]

    def _read_our_frames(self, candidate: int, generator: torch.Generator) -> torch.Tensor:
        record = self.manifest.records[candidate]

        def choose(times: FrameTimes) -> list[int]:
            try:
                return self.sampling.draw(
                    times,
                    num_frames=self.preprocessing.num_frames,
                    frame_stride=self.preprocessing.frame_stride,
                    generator=generator,
                )
            except ValueError as error:  # too short, where that is an error
                raise DecodeError(f"{record.place}: {error}") from error

        return self.source.read(record, choose).frames
