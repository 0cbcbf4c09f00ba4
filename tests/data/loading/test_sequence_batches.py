"""Batches of frames against the sequences that they are of."""

import pytest
from sequence_maker import LENGTHS, frame_document, read_frames, write_frames

from stvit_video.data.loading.picture_dataset import EvaluationPictures
from stvit_video.data.loading.sequence_batches import ListedBatches, SequenceSampler, share_of
from stvit_video.data.transforms.picture_sizes import PictureSizes


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    pictures = read_frames(write_frames(tmp_path_factory.mktemp("frames")))
    return EvaluationPictures(pictures, sizes=PictureSizes(short_side=32, long_side=48))


def batches_of(dataset, *, batch_size, world_size):
    return [
        list(SequenceSampler(dataset, batch_size=batch_size, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8])
@pytest.mark.parametrize("world_size", [1, 2, 5])
def test_whole_sequences_in_order_whatever_the_number_of_processes(dataset, batch_size, world_size):
    records, shares = dataset.manifest.records, batches_of(dataset, batch_size=batch_size, world_size=world_size)
    assert sorted(index for share in shares for batch in share for index in batch) == list(range(len(records)))
    owners = {}
    for rank, share in enumerate(shares):
        seen = {}
        for batch in share:
            (name,) = {records[index].sequence for index in batch}
            assert len(batch) <= batch_size
            places = [records[index].frame_place for index in batch]
            if name is not None:
                assert places == list(range(seen.get(name, 0), seen.get(name, 0) + len(batch)))  # goes on where it was
                seen[name] = places[-1] + 1
                assert owners.setdefault(name, rank) == rank
        assert all(seen[name] == LENGTHS[name] for name in seen)
    one = batches_of(dataset, batch_size=batch_size, world_size=1)[0]
    assert sorted(one) == sorted(batch for share in shares for batch in share)


def test_pictures_of_no_sequence_share_batches(tmp_path):
    pictures = read_frames(write_frames(tmp_path, frame_document({"a": 3}, alone=5)))
    dataset = EvaluationPictures(pictures, sizes=PictureSizes(short_side=32, long_side=48))
    assert batches_of(dataset, batch_size=2, world_size=1)[0] == [(2, 1), (0,), (3, 4), (5, 6), (7,)]


def test_sequences_go_to_whoever_has_fewest_frames():
    lengths = [5, 2, 2, 4, 1]
    assert [share_of(lengths, rank=rank, world_size=2) for rank in (0, 1)] == [[0, 4], [1, 2, 3]]
    assert share_of(lengths, rank=0, world_size=1) == [0, 1, 2, 3, 4]
    assert share_of([3], rank=1, world_size=2) == []


def test_a_batch_is_a_list_of_items(dataset):
    batches = ListedBatches(dataset)
    assert len(batches) == len(dataset)
    assert [item["index"] for item in batches[(4, 2)]] == [4, 2]
    assert batches.clips.reading_now is dataset.reading_now


def test_a_batch_size_below_one_is_refused(dataset):
    with pytest.raises(ValueError, match="batch_size=0"):
        SequenceSampler(dataset, batch_size=0, rank=0, world_size=1)
