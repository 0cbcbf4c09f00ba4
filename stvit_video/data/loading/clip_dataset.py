"""Random clips of listed videos, for training."""

import logging
import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Protocol

import torch
from torch.utils.data import Dataset

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.collate import clip_item
from stvit_video.data.loading.frame_source import NO_FAULT_OF_THE_VIDEO, Decoding, manifest_source
from stvit_video.data.loading.targets import target_of
from stvit_video.data.loading.worker_crashes import ReadingNow, shared_where_it_fits
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import CroppedClip
from stvit_video.utils.seeding import seeded_generator

NUM_REASONS_SHOWN = 3
MIN_ATTEMPTS = 10
FALSE_ALARM = 1e-12  # probability, for one item, of giving up a list that is no worse than allowed

_log = logging.getLogger(__name__)

FrameReader = Callable[[int, torch.Generator], torch.Tensor]


class BrokenVideosError(RuntimeError):
    """One video after the other could not be read; the message names the first of them."""

    def __init__(self, message: str) -> None:
        # a data loader puts the worker's whole traceback before it, and makes the error anew from that text
        super().__init__(message.rsplit(f"{type(self).__name__}: ", 1)[-1].strip())


class ClipTransform(Protocol):
    """Frames (T, H, W, 3) uint8 -> a clip that the device finishes; anything random comes from the generator.

    Only multi-scale training gives a `crop_size`, the side of the clip in pixels; None = that of the preprocessing.
    """

    def __call__(
        self, frames: torch.Tensor, *, generator: torch.Generator, crop_size: int | None = None
    ) -> CroppedClip: ...


def attempts_for(max_skipped_fraction: float) -> int | None:
    """Videos to try for one item, where this share of the listed ones may be unreadable.

    So many that a list with just this share unreadable makes an item fail with a probability below 1e-12.

    Args:
        max_skipped_fraction: 0 to 1.

    Returns:
        At least MIN_ATTEMPTS; None = all that are listed, because all but one may be unreadable.
    """
    if max_skipped_fraction == 1:
        return None
    if max_skipped_fraction == 0:
        return MIN_ATTEMPTS
    return max(MIN_ATTEMPTS, math.ceil(math.log(FALSE_ALARM) / math.log(max_skipped_fraction)))


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
        skipped: list[tuple[int, str]] = []
        reasons: list[str] = []
        for attempt, candidate in enumerate(self._candidates(index)):
            # a generator for each attempt: how far a failed one got must not matter
            generator = seeded_generator(self.seed, int(self._epoch), index, attempt)
            record = self.manifest.records[candidate]
            try:
                with self.reading_now.of(candidate):
                    clips = self._read_clips(candidate, generator, crop_size)
            except DecodeError as error:
                reasons.append(str(error))
                if isinstance(error, NO_FAULT_OF_THE_VIDEO):
                    _log.warning("%s; another video takes its place this once", error)
                else:
                    skipped.append((candidate, str(error)))
                continue
            item = clip_item(clips) | {"label": target_of(self.manifest, record), "index": candidate}
            return item | {"num_skipped": attempt, "skipped": skipped}
        more = len(reasons) - NUM_REASONS_SHOWN
        raise BrokenVideosError(
            f"{len(reasons)} videos in a row can't be read; check the data set: "
            + "; ".join(reasons[:NUM_REASONS_SHOWN])
            + (f"; and {more} more" if more > 0 else "")
        )

    def _candidates(self, index: int) -> Iterator[int]:
        """`index`, then others in random order, at most `max_attempts` in all."""
        yield index
        order = torch.randperm(len(self), generator=seeded_generator(self.seed, int(self._epoch), index))
        others = (other for other in order.tolist() if other != index)
        yield from others if self.max_attempts is None else islice(others, self.max_attempts - 1)

    def _read_clips(self, candidate: int, generator: torch.Generator, crop_size: int | None) -> list[CroppedClip]:
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
