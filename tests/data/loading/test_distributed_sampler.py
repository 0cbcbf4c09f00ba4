"""Shards against the list that they are of."""

from itertools import chain

import pytest
from torch.utils.data.distributed import DistributedSampler

from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_shards_cover_everything_once_without_padding(world_size):
    data = list(range(13))
    samplers = [
        UnpaddedDistributedSampler(data, shuffle=False, seed=0, rank=rank, world_size=world_size)
        for rank in range(world_size)
    ]
    assert all(isinstance(sampler, DistributedSampler) for sampler in samplers)
    shards = [list(sampler) for sampler in samplers]
    assert [len(sampler) for sampler in samplers] == [len(shard) for shard in shards]
    assert sorted(chain.from_iterable(shards)) == data


@pytest.mark.parametrize("size", [0, 1, 7, 13, 24])
@pytest.mark.parametrize(("world_size", "block_size"), [(1, 4), (2, 4), (3, 2), (5, 3), (2, 30)])
def test_blocks_make_the_batches_of_one_process_each_on_one_rank(size, world_size, block_size):
    data = list(range(size))
    batches = []
    for rank in range(world_size):
        sampler = UnpaddedDistributedSampler(
            data, shuffle=False, seed=0, rank=rank, world_size=world_size, block_size=block_size
        )  # fmt: skip
        shard = list(sampler)
        assert len(sampler) == len(shard)
        batches += [tuple(shard[at : at + block_size]) for at in range(0, len(shard), block_size)]
    assert sorted(batches) == [tuple(data[at : at + block_size]) for at in range(0, size, block_size)]


def test_a_block_size_below_one_is_refused():
    with pytest.raises(ValueError, match=r"block_size=0 .*at least 1\b"):
        UnpaddedDistributedSampler([1, 2, 3], shuffle=False, seed=0, rank=0, world_size=1, block_size=0)


@pytest.mark.parametrize("shuffle", [True, False])
def test_what_is_skipped_once_is_not_skipped_again(shuffle):
    sampler = UnpaddedDistributedSampler(list(range(13)), shuffle=shuffle, seed=3, rank=1, world_size=2)
    whole = list(sampler)
    sampler.skip(4)
    assert len(sampler) == 6
    assert list(sampler) == whole[4:]
    assert list(sampler) == whole


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_shuffled_shards_are_disjoint_equally_long_and_leave_out_others_each_epoch(world_size):
    data = list(range(13))
    left_out, orders = set(), []
    for epoch in range(8):
        shards = []
        for rank in range(world_size):
            sampler = UnpaddedDistributedSampler(data, shuffle=True, seed=4, rank=rank, world_size=world_size)
            sampler.set_epoch(epoch)
            assert len(sampler) == 13 // world_size
            shards.append(list(sampler))
            assert list(sampler) == shards[-1]
        drawn = list(chain.from_iterable(shards))
        assert {len(shard) for shard in shards} == {13 // world_size}
        assert len(set(drawn)) == len(drawn)
        left_out.update(set(data) - set(drawn))
        orders.append(drawn)
    assert len({tuple(one) for one in orders}) == 8
    assert len(left_out) > 3 or world_size == 1
