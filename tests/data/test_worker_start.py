import gc

import torch
from torch.utils.data import DataLoader, Dataset

from stvit_video.data.worker_start import start_worker


class Seen(Dataset):
    """What a loader's process finds out about itself."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return torch.get_num_threads(), gc.get_freeze_count() > 1000


def test_processes_have_one_thread_and_free_nothing_of_the_parents():
    threads, frozen = next(iter(DataLoader(Seen(), batch_size=2, num_workers=1, worker_init_fn=start_worker)))
    assert threads.tolist() == [1, 1]
    assert frozen.tolist() == [True, True]
    assert gc.get_freeze_count() == 0  # this process is as before
