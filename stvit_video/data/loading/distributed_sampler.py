"""Which process takes which videos: shards that cover the list, without padding."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from stvit_video.utils.seeding import seeded_generator


class UnpaddedDistributedSampler(DistributedSampler[Any]):
    """Every world_size-th index, nothing padded.

    Shuffled: another order each epoch, from (seed, epoch); up to world_size - 1 indices are left out, other
    ones each epoch, so that all ranks have equally many. Not shuffled: each index on exactly one rank, in blocks
    of `block_size` neighbours; with the loader's batch_size as block_size every batch holds the same videos on
    any number of ranks, so that a model gives the same logits to the last bit.

    Differs: a subclass of DistributedSampler only so that Lightning takes it for one and does not put its own
    (which pads) in its place.

    Args:
        dataset: what is sampled; its `set_epoch`, if there is one, is called along.
        shuffle: True for training.
        seed: 0 or more.
        rank: number of this process.
        world_size: number of processes.
        block_size: neighbours that stay together where nothing is shuffled; a shuffled order takes no notice.

    Raises:
        ValueError: `block_size` is below 1, or `rank` is not one of `world_size` ranks.
    """

    def __init__(
        self, dataset: Dataset[Any], *, shuffle: bool, seed: int, rank: int, world_size: int, block_size: int = 1
    ) -> None:
        if block_size < 1:
            raise ValueError(f"block_size={block_size} must be at least 1; use the batch_size of the loader")
        super().__init__(dataset, num_replicas=world_size, rank=rank, shuffle=shuffle, seed=seed)
        self.block_size = block_size
        size = len(dataset)  # type: ignore[arg-type]
        self.num_samples = size // world_size if shuffle else len(self._blocks(size))
        self._num_skipped = 0

    def __iter__(self) -> Iterator[int]:
        start, self._num_skipped = self._num_skipped, 0
        return iter(self._indices()[start:])

    def skip(self, number: int) -> None:
        """Let the next iteration, and that one alone, begin behind so many indices; `len` stays that of the whole."""
        self._num_skipped = number

    def _indices(self) -> list[int]:
        size = len(self.dataset)  # type: ignore[arg-type]
        if not self.shuffle:
            return self._blocks(size)
        order: list[int] = torch.randperm(size, generator=seeded_generator(self.seed, self.epoch)).tolist()
        return order[self.rank :: self.num_replicas][: self.num_samples]

    def _blocks(self, size: int) -> list[int]:
        """This rank's indices below `size`: every world_size-th block, the last block may be short."""
        starts = range(self.rank * self.block_size, size, self.num_replicas * self.block_size)
        return [index for start in starts for index in range(start, min(start + self.block_size, size))]

    def set_epoch(self, epoch: int) -> None:
        """Shuffle otherwise from now on, and let the dataset draw other clips."""
        super().set_epoch(epoch)
        if hasattr(self.dataset, "set_epoch"):
            self.dataset.set_epoch(epoch)
