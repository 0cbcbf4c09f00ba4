"""Batches of the frames of videos, in their order, and which process takes which videos."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import Dataset

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.listed_pictures import ListedPictures
from stvit_video.data.manifests.picture_sequences import sequence_rows

__all__ = ["ListedBatches", "SequenceSampler", "share_of"]


class SequenceSampler(UnpaddedDistributedSampler):
    """Gives whole batches, each of frames that follow one another in one sequence; for batch_size=None.

    A sequence goes to one process as a whole, in its order. Pictures of no sequence make batches of their own. Each
    batch is the same with any number of processes.

    Args:
        dataset: what is sampled.
        batch_size: most frames of a batch.
        rank: number of this process.
        world_size: number of processes.

    Raises:
        ValueError: `batch_size` is below 1, or `rank` is not one of `world_size` ranks.
    """

    def __init__(self, dataset: ListedPictures, *, batch_size: int, rank: int, world_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} must be at least 1")
        super().__init__(dataset, shuffle=False, seed=0, rank=rank, world_size=world_size)
        members = sequence_rows(dataset.manifest)
        alone = [rows[0] for rows in members if len(rows) == 1]
        whole = [rows for rows in members if len(rows) > 1] + _cut(alone, batch_size)
        own = share_of([len(rows) for rows in whole], rank=rank, world_size=world_size)
        self._batches = [batch for position in own for batch in _cut(whole[position], batch_size)]

    def __len__(self) -> int:
        """Batches of this process."""
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[int, ...]]:  # type: ignore[override]
        """The batches of this process, each the positions of its frames in the list."""
        return iter([tuple(batch) for batch in self._batches])


class ListedBatches(Dataset[list[Any]]):
    """Whole batches of a data set, each a list of items to be collated.

    Args:
        clips: gives the items.
    """

    def __init__(self, clips: ListedPictures) -> None:
        self.clips = clips

    def __len__(self) -> int:
        """Items, not batches."""
        return len(self.clips)

    def __getitem__(self, batch: Sequence[int]) -> list[Any]:
        """The items at these positions."""
        return [self.clips[index] for index in batch]


def share_of(lengths: Sequence[int], *, rank: int, world_size: int) -> list[int]:
    """The positions of the sequences that a process takes: one after the other goes to whoever has fewest frames.

    Args:
        lengths: frames of each sequence.
        rank: number of the process.
        world_size: number of processes.
    """
    frames, own = [0] * world_size, list[int]()
    for position, length in enumerate(lengths):
        taker = frames.index(min(frames))
        frames[taker] += length
        if taker == rank:
            own.append(position)
    return own


def _cut(rows: Sequence[int], length: int) -> list[list[int]]:
    """Parts of this length; the last may be shorter."""
    return [list(rows[start : start + length]) for start in range(0, len(rows), length)]
