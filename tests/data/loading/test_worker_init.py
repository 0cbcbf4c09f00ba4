import gc
import os
import signal
import subprocess
import sys

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from stvit_video.data.loading.worker_init import init_worker


class Seen(Dataset):
    """What a loader's process finds out about itself."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return torch.get_num_threads(), gc.get_freeze_count()


def test_processes_have_one_thread_and_free_nothing_of_the_parents():
    before, mine = gc.get_freeze_count(), [[] for _ in range(1000)]
    threads, frozen = next(iter(DataLoader(Seen(), batch_size=2, num_workers=1, worker_init_fn=init_worker)))
    assert threads.tolist() == [1, 1]
    assert min(frozen.tolist()) >= before + len(mine)
    assert gc.get_freeze_count() <= before  # this process freezes nothing


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


@pytest.mark.parametrize("quiet", [True, False])
def test_who_hangs_up_while_tensors_are_handed_over_is_no_traceback(quiet):
    """A real thread of Python that hands over, and one that asks for a tensor and hangs up at once."""
    code = (
        "import os, socket, time; from multiprocessing import resource_sharer; "
        "from stvit_video.data.loading import worker_init; "
        f"{'worker_init.stay_quiet_when_left(); ' if quiet else ''}"
        "place, _ = resource_sharer.DupFd(0)._id; asked = socket.socket(socket.AF_UNIX); asked.connect(place); "
        "asked.close(); time.sleep(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert ("Traceback" in done.stderr) is not quiet  # without it, Python prints one


def test_what_else_fails_in_a_thread_is_printed():
    code = (
        "import sys, threading; from stvit_video.data.loading import worker_init; worker_init.stay_quiet_when_left(); "
        "told = lambda error: sys.excepthook(type(error), error, None); "
        "thread = threading.Thread(target=told, args=[ValueError('seen')]); thread.start(); thread.join(); "
        "told(EOFError('also'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert "ValueError: seen" in done.stderr
    assert "EOFError: also" in done.stderr
