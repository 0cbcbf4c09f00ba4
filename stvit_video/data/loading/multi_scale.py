"""Another picture size for every training batch, with more clips where pictures are smaller: multi-scale training."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch.utils.data import Dataset

from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.utils.choices import BatchRule
from stvit_video.utils.seeding import seeded_generator

LEAST_VIDEOS = 2  # of a batch of large pictures: batch norm and mixing need another one to compare with
_SIZES = 2**62  # sets the order of the sizes apart from other draws that are made of seed and epoch


class SizedBatch(NamedTuple):
    """What a training batch is made of.

    Attributes:
        crop_size: side of its clips, in pixels.
        indices: of its videos.
    """

    crop_size: int
    indices: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class MultiScale:
    """The sizes of training clips, and how many videos make a batch at each.

    Attributes:
        sizes: sides of the square clips in pixels, each once; they are kept from small to large.
        crop_size: side that `videos_per_batch` is meant for; need not be one of `sizes`.
        videos_per_batch: videos of a batch at `crop_size`, in one process.
        batch: "constant_pixels" = videos x side^2 stays about the same, at least 2 videos; "at_least" = likewise, but
            never fewer than `videos_per_batch`, so that pictures above crop_size need more memory; "fixed" = always
            `videos_per_batch`.

    Raises:
        ValueError: there are not two different sizes.

    Source: Mehta & Rastegari 2022 (MobileViT, arXiv:2110.02178), section 3.2: "constant_pixels"; the code of EdgeNeXt
        and, with the same file, CAS-ViT: "at_least", 5 sides evenly from 160 to 320 and crop_size, rounded to
        multiples of 32, which gives 160, 192, 224, 256, 288 and 320.
    Differs: there, every batch draws its size anew, so that epochs have different numbers of batches; here an epoch
        has each size equally often (but for the last batches), in random order, so that all have as many. There,
        batches are also rounded to even multiples of the number of processes.
    """

    sizes: Sequence[int]
    crop_size: int
    videos_per_batch: int
    batch: BatchRule = "at_least"

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(sorted(self.sizes)))
        if len(self.sizes) < 2 or len(set(self.sizes)) < len(self.sizes):
            raise ValueError(
                f"multi_scale={list(self.sizes)} must be two or more different sides in pixels; null = always crop_size"
            )

    @property
    def videos_per_cycle(self) -> int:
        """Videos of one batch of each size: fewer can't show all sizes in an epoch."""
        return sum(self.videos(size) for size in self.sizes)

    def videos(self, size: int) -> int:
        """Videos of a batch of clips of `size` pixels a side."""
        if self.batch == "fixed":
            return self.videos_per_batch
        least = self.videos_per_batch if self.batch == "at_least" else min(LEAST_VIDEOS, self.videos_per_batch)
        return max(least, self.videos_per_batch * self.crop_size**2 // size**2)

    def count_batches(self, num_videos: int) -> dict[int, int]:
        """How many batches of each size an epoch has, the same in every epoch.

        As many of one size as of another, while all fit; then further ones, always of the rarest size that still
        fits (of these the smallest), until fewer videos are left than any batch takes.

        Args:
            num_videos: videos of the epoch, in one process.

        Raises:
            ValueError: there are too few for one batch of each size.
        """
        if num_videos < self.videos_per_cycle:
            each = ", ".join(f"{self.videos(size)} of {size} pixels" for size in self.sizes)
            raise ValueError(
                f"multi_scale={list(self.sizes)} needs {self.videos_per_cycle} training videos a process for one batch "
                f"of each size ({each}), there are {num_videos}; lower batch_size, or leave sizes out"
            )
        cycles, left = divmod(num_videos, self.videos_per_cycle)
        counts = dict.fromkeys(self.sizes, cycles)
        while fitting := [size for size in self.sizes if self.videos(size) <= left]:
            rarest = min(fitting, key=lambda size: (counts[size], size))
            counts[rarest] += 1
            left -= self.videos(rarest)
        return counts

    def describe(self, *, num_repeats: int = 1, unit: str = "process") -> str:
        """Sizes and clips a batch, such as "multi-scale 160 to 320 pixels: batch 250 to 128/GPU".

        Args:
            num_repeats: clips of each video.
            unit: what a process is called.
        """
        most, fewest = (self.videos(size) * num_repeats for size in (self.sizes[0], self.sizes[-1]))
        batch = f"batch {most}" if most == fewest else f"batch {most} to {fewest}"
        sizes = f"{self.sizes[0]} to {self.sizes[-1]} pixels"
        return f"multi-scale {sizes}: {batch}/{unit}, the effective batch is that of {self.crop_size} pixels"


class MultiScaleSampler(UnpaddedDistributedSampler):
    """Gives whole batches of its process's share, and the size of each; for a DataLoader with batch_size=None.

    A process gets its videos of the epoch in the order of the base class, each once; fewer than the smallest batch,
    other ones each epoch, are left out at the end. Which sizes come when follows from (seed, epoch) alone, so that
    all processes have the same size and number of videos at every step.

    Args:
        dataset: what is sampled; its `set_epoch`, if there is one, is called along.
        multi_scale: sizes and batches.
        seed: 0 or more.
        rank: number of this process.
        world_size: number of processes.

    Attributes:
        counts: batches of each size in an epoch.

    Raises:
        ValueError: there are too few videos, see `MultiScale.count_batches`.
    """

    def __init__(
        self, dataset: Dataset[Any], *, multi_scale: MultiScale, seed: int, rank: int, world_size: int
    ) -> None:
        super().__init__(dataset, shuffle=True, seed=seed, rank=rank, world_size=world_size)
        self.multi_scale = multi_scale
        self.counts = multi_scale.count_batches(self.num_samples)

    def __len__(self) -> int:
        """Batches of an epoch, the same in every one."""
        return sum(self.counts.values())

    def __iter__(self) -> Iterator[SizedBatch]:  # type: ignore[override]
        """The batches of the epoch; after `skip`, once, those behind so many batches.

        A generator, since a DataLoader with worker processes takes two iterators and uses the second.
        """
        start, self._num_skipped = self._num_skipped, 0
        yield from self._batches()[start:]

    @property
    def plan(self) -> str:
        """What the batches of an epoch follow from, such as "160: 250 x 17, 224: 128 x 17" (videos x batches)."""
        videos = self.multi_scale.videos
        return ", ".join(f"{size}: {videos(size)} x {count}" for size, count in self.counts.items())

    def _batches(self) -> list[SizedBatch]:
        sizes = [size for size, count in self.counts.items() for _ in range(count)]
        order = torch.randperm(len(sizes), generator=seeded_generator(self.seed, self.epoch, _SIZES)).tolist()
        indices = iter(self._indices())
        return [
            SizedBatch(size, tuple(next(indices) for _ in range(self.multi_scale.videos(size))))
            for size in (sizes[place] for place in order)
        ]


class SizedBatches(Dataset[list[dict[str, Any]]]):
    """Whole batches of a `ClipDataset`, as a `MultiScaleSampler` asks for them: each a list of items to be collated.

    Args:
        clips: gives the items.
    """

    def __init__(self, clips: ClipDataset) -> None:
        self.clips = clips

    def __len__(self) -> int:
        """Videos, not batches."""
        return len(self.clips)

    def __getitem__(self, batch: SizedBatch) -> list[dict[str, Any]]:
        """The items of a batch, see `ClipDataset.item`.

        Raises:
            BrokenVideosError: as `ClipDataset`.
        """
        return [self.clips.item(index, crop_size=batch.crop_size) for index in batch.indices]
