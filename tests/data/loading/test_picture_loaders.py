from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures, listed_item
from stvit_video.data.loading.picture_clips import FrameClips
from stvit_video.data.loading.picture_loaders import PictureBatches, PictureLoaders
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.picture_sequences import FrameRecord
from stvit_video.data.transforms.picture_sizes import PictureSizes


def listed(names, *, sequence=None):
    records = [FrameRecord(Path(name), 0, name, sequence=sequence, frame_place=n) for n, name in enumerate(names)]
    return Manifest(tuple(records), ("x", "y"))


def item_of(record):
    sizes = PictureSizes(short_side=3, long_side=5)
    return listed_item(record, torch.zeros(3, 5, 3, dtype=torch.uint8), original_size=(5, 3), sizes=sizes)


class Numbers(RandomPictures):
    def __getitem__(self, index):
        read = self.read_some(index)
        return self.item_of(read.content, read.index) | read.facts()

    def read_sample(self, candidate, generator):
        return candidate

    def changed(self, samples, generator):
        return samples

    def item_of(self, content, index):
        assert content == index
        return item_of(self.manifest.records[index])


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


def clip_loaders(*, size=6, num_workers=0, world=(0, 1), sequence="clip"):
    batches = PictureBatches(size=size, num_workers=num_workers, frames=FrameClips(num_frames=3))
    module = Loaders(listed("abcdefghijklmnop", sequence=sequence), listed("qrs"), batches=batches, seed=2)
    module.trainer = SimpleNamespace(global_rank=world[0], world_size=world[1])
    return module


def epoch_of(module, number=1):
    loader = module.train_dataloader()
    loader.sampler.set_epoch(number)
    return list(loader)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_batches_of_clips_go_on_where_they_stopped(num_workers):
    whole = epoch_of(clip_loaders())
    assert [len(batch["index"]) for batch in whole] == [6, 6]  # 5 clips of 16 frames, of which one is left out
    for batch in whole:
        assert batch["clip_frames"] == 3
        first, second = batch["index"].split(3)
        assert all((clip.diff() == 1).all() for clip in (first, second))
    stopped = clip_loaders(num_workers=num_workers)
    loader = stopped.train_dataloader()
    loader.sampler.set_epoch(1)
    batches = iter(loader)
    assert next(batches)["index"].tolist() == whole[0]["index"].tolist()
    state = stopped.state_dict()
    batches.close()
    loader.end()
    resumed = clip_loaders(num_workers=num_workers)
    resumed.load_state_dict(state)
    assert numbers(epoch_of(resumed)) == numbers(whole[1:])
    assert numbers(epoch_of(resumed, 2)) != numbers(whole)


def test_processes_share_clips():
    shares = [numbers(epoch_of(clip_loaders(size=3, world=(rank, 2)))) for rank in (0, 1)]
    assert [len(share) for share in shares] == [2, 2]
    clips = [tuple(batch) for share in shares for batch in share]
    assert len({number for clip in clips for number in clip}) == 12


def test_batches_that_are_no_whole_clips_and_lists_without_sequences_are_refused():
    with pytest.raises(ValueError, match=r"batch_size=8 counts frames .* clip_frames=3; use batch_size=9"):
        clip_loaders(size=8)
    with pytest.raises(ValueError, match="batch_size=18 is more than the 15 training pictures"):
        clip_loaders(size=18)
    with pytest.raises(ManifestError, match=r"data\.clip_frames=3 is for frames of videos"):
        clip_loaders(sequence=None)
