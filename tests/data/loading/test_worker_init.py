import gc
import os
import signal
import subprocess
import sys

import torch
from torch.utils.data import DataLoader, Dataset

from stvit_video.data.loading.worker_init import init_worker


class Seen(Dataset):
    """What a loader's process finds out about itself."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return torch.get_num_threads(), gc.get_freeze_count() > 1000


def test_processes_have_one_thread_and_free_nothing_of_the_parents():
    threads, frozen = next(iter(DataLoader(Seen(), batch_size=2, num_workers=1, worker_init_fn=init_worker)))
    assert threads.tolist() == [1, 1]
    assert frozen.tolist() == [True, True]
    assert gc.get_freeze_count() == 0  # this process is as before


def test_signals_of_a_scheduler_leave_time_for_the_last_step():
    """A real process: SIGUSR1 does nothing, SIGTERM sets the system's alarm."""
    code = (
        "import os, signal, sys; from stvit_video.data.loading import worker_init; worker_init.outlive_stop_signals(); "
        "os.kill(os.getpid(), signal.SIGUSR1); os.kill(os.getpid(), signal.SIGTERM); "
        "print(signal.alarm(0), flush=True); worker_init.GRACE_SECONDS = 1; os.kill(os.getpid(), signal.SIGTERM); "
        "signal.pause(); signal.pause()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=240, env=dict(os.environ)
    )
    assert done.stdout == "20\n", done.stderr
    assert done.returncode == -signal.SIGALRM
