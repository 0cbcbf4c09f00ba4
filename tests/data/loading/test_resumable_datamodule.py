from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import Dataset

from stvit_video.data.loading.resumable_datamodule import ResumableDataModule
from stvit_video.data.loading.resumable_loader import ResumableLoader


class Numbers(Dataset):
    def __len__(self):
        return 11

    def __getitem__(self, index):
        return torch.tensor(index)


def loader_of(module):
    numbers = Numbers()
    sampler = module.sampler(numbers, shuffle=True)
    return module.loader(
        numbers, ResumableLoader, sampler=sampler, batch_size=2, collate=lambda items: torch.stack(items).tolist()
    )


def test_a_checkpoint_goes_on_behind_the_last_batch():
    whole = list(loader_of(ResumableDataModule(num_workers=0, seed=4)))
    module = ResumableDataModule(num_workers=0, seed=4)
    assert module.state_dict() == {}
    batches = iter(module.resumed(loader_of(module)))
    assert [next(batches), next(batches)] == whole[:2]
    state = module.state_dict()
    other = ResumableDataModule(num_workers=0, seed=4)
    other.load_state_dict(state)
    assert list(other.resumed(loader_of(other))) == whole[2:]
    assert list(other.resumed(loader_of(other))) == whole  # the place is taken once


def test_each_process_needs_a_file_to_validate():
    module = ResumableDataModule(num_workers=0, seed=0)
    assert module.rank_and_world_size() == (0, 1)
    module.trainer = SimpleNamespace(global_rank=1, world_size=3)
    assert module.rank_and_world_size() == (1, 3)
    module.require_for_each_process(3, "picture")
    with pytest.raises(ValueError, match=r"^2 validation picture\(s\) are too few for 3 processes.*trainer.devices=2"):
        module.require_for_each_process(2, "picture")
