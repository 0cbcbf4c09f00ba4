from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures, listed_item
from stvit_video.data.loading.picture_loaders import PictureLoaders
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.picture_sequences import FrameRecord
from stvit_video.data.transforms.picture_sizes import PictureSizes


def listed(names):
    return Manifest(tuple(FrameRecord(Path(name), 0, name) for name in names), ("x", "y"))


def item_of(record):
    sizes = PictureSizes(short_side=3, long_side=5)
    return listed_item(record, torch.zeros(3, 5, 3, dtype=torch.uint8), original_size=(5, 3), sizes=sizes)


class Numbers(RandomPictures):
    def __getitem__(self, index):
        read = self.read_some(index)
        return item_of(self.manifest.records[read.content]) | read.facts()

    def read_one(self, candidate, generator):
        return candidate


class InOrder(ListedPictures):
    def __getitem__(self, index):
        return item_of(self.manifest.records[index]) | {"index": index, "error": ""}


class Loaders(PictureLoaders):
    def make_training(self):
        return Numbers(self._listed[0], seed=self.seed, max_attempts=None)

    def make_evaluation(self):
        return InOrder(self._listed[1])


def loaders(**batches):
    return Loaders(listed("abcdefg"), listed("hij"), batches=Batches(**({"size": 3, "val_size": 2} | batches)), seed=2)


def numbers(batches):
    return [batch["index"].tolist() for batch in batches]


def test_an_epoch_has_whole_batches_and_validation_all_pictures():
    module = loaders()
    assert module.classes == ("x", "y")
    shuffled = numbers(module.train_dataloader())
    assert [len(batch) for batch in shuffled] == [3, 3]
    assert len({number for batch in shuffled for number in batch}) == 6
    assert numbers(module.val_dataloader()) == [[0, 1], [2]]
    assert len(module.datasets) == 2


def test_an_interrupted_epoch_goes_on():
    whole = numbers(loaders().train_dataloader())
    stopped = loaders()
    next(iter(stopped.train_dataloader()))
    resumed = loaders()
    resumed.load_state_dict(stopped.state_dict())
    assert numbers(resumed.train_dataloader()) == whole[1:]


def test_lists_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="batch_size=8 is more than the 7 training pictures"):
        loaders(size=8)
    module = loaders()
    module.trainer = SimpleNamespace(global_rank=0, world_size=4)
    with pytest.raises(ValueError, match="batch_size=3 is more than the 1 training pictures of a process"):
        module.train_dataloader()
    with pytest.raises(ValueError, match=r"3 validation picture\(s\) are too few for 4 processes"):
        module.val_dataloader()
