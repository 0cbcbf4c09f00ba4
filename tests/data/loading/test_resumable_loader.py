"""A loader that begins in the middle of an epoch, against one that goes through all of it."""

import pytest
import torch
from torch.utils.data import Dataset

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.resumable_loader import ResumableLoader


class Items(Dataset):
    """29 items that tell their epoch; counts how many are read, in whatever process."""

    def __init__(self, size=29):
        self.size = size
        self.epoch, self.num_read = (torch.zeros(1, dtype=torch.int64).share_memory_() for _ in range(2))

    def set_epoch(self, epoch):
        self.epoch[0] = epoch

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        self.num_read += 1
        return torch.tensor([index, int(self.epoch)])


def loader_of(items, *, num_workers=0, rank=0, world_size=1, batch_size=3):
    sampler = UnpaddedDistributedSampler(items, shuffle=True, seed=5, rank=rank, world_size=world_size)
    return ResumableLoader(
        items,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        drop_last=True,
    )


def epoch_of(loader, epoch):
    loader.sampler.set_epoch(epoch)
    return [batch.tolist() for batch in loader]


@pytest.mark.parametrize(
    ("num_workers", "rank", "world_size", "num_batches"), [(0, 0, 1, 9), (0, 1, 2, 4), (2, 0, 1, 9)]
)
def test_an_interrupted_epoch_goes_on_with_the_next_batch(num_workers, rank, world_size, num_batches):
    place = {"rank": rank, "world_size": world_size}
    whole = loader_of(Items(), **place)
    first, second = epoch_of(whole, 1), epoch_of(whole, 2)
    assert len(first) == num_batches
    stopped = loader_of(Items(), num_workers=num_workers, **place)
    epoch_of(stopped, 0)
    stopped.sampler.set_epoch(1)
    batches = iter(stopped)
    seen = [next(batches).tolist() for _ in range(3)]  # workers have prepared more
    state = stopped.state_dict()
    assert state == {
        "num_handed_over": 3,
        "videos_per_batch": 3,
        "num_batches": num_batches,
        "num_videos": 29,
        "world_size": world_size,
    }
    items = Items()
    resumed = loader_of(items, num_workers=num_workers, **place)
    resumed.load_state_dict(state)
    early = iter(resumed)  # Lightning takes the iterator before it sets the epoch
    resumed.sampler.set_epoch(1)
    assert len(resumed) == num_batches
    assert seen + [batch.tolist() for batch in early] == first
    assert items.num_read == 3 * (num_batches - 3)  # what lies before is not read again
    assert resumed.state_dict()["num_handed_over"] == num_batches
    assert epoch_of(resumed, 2) == second


def test_behind_the_last_batch_the_next_epoch_begins_whole():
    loader = loader_of(Items())
    epoch_of(loader, 0)
    other = loader_of(Items(size=31), batch_size=5)  # then even the batches may be others
    other.load_state_dict(loader.state_dict())
    assert len(epoch_of(other, 1)) == 6


def test_an_epoch_of_other_batches_is_refused():
    loader = loader_of(Items())
    next(iter(loader))
    # the whole sentence, once for its family
    message = (
        r"^the checkpoint was written in the middle of an epoch, whose batches would now be others "
        r"\(videos_per_batch=3 then, 2 now, num_batches=9 then, 7 now, world_size=1 then, 2 now\); go on with the "
        "same data, batch size and number of processes, or, "
        "with another schedule of steps, from a checkpoint at the end of an epoch$"
    )
    with pytest.raises(ValueError, match=message):
        loader_of(Items(), batch_size=2, world_size=2).load_state_dict(loader.state_dict())
