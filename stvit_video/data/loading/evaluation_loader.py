"""The loader of an evaluation of pictures: each listed one once, shared by the processes."""

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.listed_pictures import ListedPictures
from stvit_video.data.loading.sequence_batches import ListedBatches, SequenceSampler
from stvit_video.data.loading.video_loader import Collate, VideoLoader

__all__ = ["evaluation_loader"]


def evaluation_loader(
    dataset: ListedPictures,
    *,
    batch_size: int,
    num_workers: int,
    collate: Collate,
    rank: int = 0,
    world_size: int = 1,
    in_sequences: bool = False,
    prefix: str = "",
) -> VideoLoader:
    """A loader whose batches are the same with any number of processes.

    Args:
        dataset: of the pictures of a list.
        batch_size: most pictures of a batch.
        num_workers: processes that read; 0 = this one.
        collate: items -> batch.
        rank: number of this process.
        world_size: number of processes.
        in_sequences: whether a batch holds frames of one video alone, in their order, and a process whole videos, as
            where frames share tokens; see `SequenceSampler`.
        prefix: of the settings that the advice of an error names.

    Raises:
        ValueError: `batch_size` is below 1.
    """
    if in_sequences:
        batches = SequenceSampler(dataset, batch_size=batch_size, rank=rank, world_size=world_size)
        return VideoLoader(
            ListedBatches(dataset),
            batch_size=None,
            sampler=batches,
            num_workers=num_workers,
            collate_fn=collate,
            prefix=prefix,
        )
    share = UnpaddedDistributedSampler(
        dataset, shuffle=False, seed=0, rank=rank, world_size=world_size, block_size=batch_size
    )
    return VideoLoader(
        dataset, batch_size=batch_size, sampler=share, num_workers=num_workers, collate_fn=collate, prefix=prefix
    )
