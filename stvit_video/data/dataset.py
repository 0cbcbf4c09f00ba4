"""Random clips of listed videos, for training."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

import torch
from torch.utils.data import Dataset

from stvit_video.data.decode import DecodeError
from stvit_video.data.frames import Cache, cached_short_side, manifest_source
from stvit_video.data.manifest import Manifest, VideoRecord
from stvit_video.data.sampling import seeded_generator
from stvit_video.data.training_clips import ClipSampling, clip_item
from stvit_video.data.transforms import CroppedClip, Preprocessing

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
            cache_short_side=cached_short_side(cache_short_side, preprocessing),
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
