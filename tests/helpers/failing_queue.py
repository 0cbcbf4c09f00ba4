"""Data whose way from a loader's process to the main one fails, as that of a batch for which there is no room."""

import os
import signal
import time

import torch
from torch.utils.data import Dataset

FULL = "unable to allocate shared memory(shm) for file </torch_7_8_9>: No space left on device (28)"


class Unsendable:
    """Fails when it is pickled, with the error of full shared memory."""

    def __reduce__(self):
        raise RuntimeError(FULL)


class UnsendableItems(Dataset):
    """Items that can't be sent; a batch takes them as they are."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return Unsendable()


class LocalErrors(Dataset):
    """Raises an error of a class that no other process can find."""

    def __len__(self):
        return 5

    def __getitem__(self, index):
        class OddError(Exception):
            pass

        raise OddError(f"item {index} is odd")


class Sleepy(Dataset):
    """Sleeps through every signal that can be ignored, after the first items."""

    def __init__(self, *, num_quick=0):
        self.num_quick = num_quick

    def __len__(self):
        return 50

    def __getitem__(self, index):
        if index >= self.num_quick:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
            time.sleep(120)
        return torch.tensor([index, os.getpid()])
