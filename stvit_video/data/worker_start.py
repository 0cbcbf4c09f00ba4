"""What every process of a data loader does first."""

import gc

import torch

__all__ = ["start_worker"]


def start_worker(worker: int) -> None:
    """Use one thread, and leave alone what the parent process has left over; a DataLoader's `worker_init_fn`.

    Processes are the parallelism here; threads inside them would fight over the cores.

    Args:
        worker: its number.
    """
    torch.set_num_threads(1)
    gc.freeze()  # a decoder left over by the parent process, freed here, would wait for its threads for ever
