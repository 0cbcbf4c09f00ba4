import pickle
from pathlib import Path

import pytest
import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures, listed_item, normalised
from stvit_video.data.loading.replacements import BrokenVideosError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.picture_sequences import FrameRecord
from stvit_video.data.transforms.picture_sizes import PictureSizes

SIZES = PictureSizes(short_side=48, long_side=70, mean=(0.5, 0.25, 0.0), std=(0.5, 0.25, 1.0))
MANIFEST = Manifest(tuple(FrameRecord(Path(name), 0, name, sequence="clip", frame_place=3) for name in "abcde"), ("x",))


class Drawn(RandomPictures):
    """A number for each picture; those in `broken` can't be read."""

    broken = ()

    def __getitem__(self, index):
        return self.read_some(index)

    def read_one(self, candidate, generator):
        if candidate in self.broken:
            raise DecodeError(f"picture {candidate}")
        return candidate, float(torch.rand((), generator=generator))


def test_items_follow_from_seed_epoch_and_index():
    one, other = (Drawn(MANIFEST, seed=4, max_attempts=None) for _ in range(2))
    assert len(one) == 5
    first = [one[index].content for index in range(5)]
    assert [other[index].content for index in (4, 2, 0, 1, 3)] == [first[index] for index in (4, 2, 0, 1, 3)]
    other.set_epoch(1)
    assert other[2].content != first[2]
    copy = pickle.loads(pickle.dumps(other))
    assert copy[2].content == other[2].content
    assert Drawn(MANIFEST, seed=5, max_attempts=None)[2].content != first[2]


def test_a_broken_picture_is_replaced_and_counted():
    pictures = Drawn(MANIFEST, seed=4, max_attempts=2)
    pictures.broken = (1,)
    read = pictures[1]
    assert (read.num_skipped, read.skipped) == (1, [(1, "picture 1")])
    assert read.index == read.content[0] != 1
    pictures.broken = range(5)
    with pytest.raises(BrokenVideosError, match=r"^2 pictures in a row.*picture 1"):
        pictures[1]


@pytest.mark.parametrize("settings", [{"seed": -1, "max_attempts": 3}, {"seed": 0, "max_attempts": 0}])
def test_settings_out_of_range_are_named(settings):
    with pytest.raises(ValueError, match="at least"):
        Drawn(MANIFEST, **settings)


def test_all_items_tell_the_picture():
    item = listed_item(MANIFEST.records[1], torch.zeros(3, 4, 5, dtype=torch.uint8), original_size=(8, 10), sizes=SIZES)
    assert item.pop("picture").shape == (3, 4, 5)
    assert item == {"name": "b", "original_size": (8, 10), "sequence": "clip", "frame_place": 3}


def test_normalisation_by_hand():
    picture = torch.tensor([0, 255, 51], dtype=torch.uint8)[:, None, None].expand(3, 4, 5)
    expected = torch.tensor([(0 - 0.5) / 0.5, (1 - 0.25) / 0.25, 0.2])
    torch.testing.assert_close(normalised(picture, SIZES), expected[:, None, None].expand(3, 4, 5))


def test_shared_memory_holds_what_processes_write():
    pictures = ListedPictures(MANIFEST)
    pictures.share_memory()
    with pictures.reading_now.of(2):
        pass
    Drawn(MANIFEST, seed=0, max_attempts=None).share_memory()
