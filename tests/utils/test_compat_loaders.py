"""The private parts of torch's loaders are where we look for them."""

import gc
import multiprocessing
import os
import signal
import time
from multiprocessing.connection import wait
from types import SimpleNamespace

import pytest
import torch
from failing_queue import LocalErrors
from torch.utils.data import DataLoader, TensorDataset

from stvit_video.utils.child_processes import end_processes
from stvit_video.utils.compat import find_lost_workers
from stvit_video.utils.compat_loaders import (
    forget_processes,
    half_made_iterator,
    let_errors_travel,
    lost_process_error,
    lost_processes_while_waiting,
)


def test_the_processes_of_an_iterator_are_found_and_forgotten():
    loader = DataLoader(TensorDataset(torch.arange(9)), num_workers=2, persistent_workers=True)
    iterator = iter(loader)
    next(iterator)
    processes = forget_processes(loader, iterator)
    assert len(processes) == 2
    assert all(process.is_alive() for process in processes)
    end_processes(processes)
    assert forget_processes(loader, None) == []
    again = list(loader)  # by other processes
    assert [int(batch[0]) for batch in again] == list(range(9))
    end_processes(forget_processes(loader, None))
    assert multiprocessing.active_children() == []


def test_a_later_iterator_may_have_the_address_of_a_forgotten_one():
    """torch watches processes by the address of their iterator, and refuses one that it knows already."""
    addresses = []
    while len(addresses) == len(set(addresses)) and len(addresses) < 200:
        loader = DataLoader(TensorDataset(torch.arange(9)), num_workers=1)
        iterator = iter(loader)
        addresses.append(id(iterator))
        end_processes(forget_processes(loader, iterator))
        del loader, iterator
        gc.collect()
    assert len(addresses) > len(set(addresses))


def test_a_torch_without_these_parts_is_done_with():
    assert forget_processes(SimpleNamespace(), SimpleNamespace()) == []


class NoProcess(type(multiprocessing.get_context("fork"))):
    """Makes queues and can't start a process."""

    def Process(self, **settings):  # noqa: N802
        raise OSError(11, "no process")


def test_a_half_made_iterator_is_found():
    loader = DataLoader(TensorDataset(torch.arange(9)), num_workers=1, multiprocessing_context=NoProcess())
    with pytest.raises(OSError, match="no process") as found:
        iter(loader)
    iterator = half_made_iterator(found.value)
    assert forget_processes(loader, iterator) == []  # and prints no traceback when it goes
    assert iterator._shutdown
    assert half_made_iterator(ValueError()) is None


def prepared(worker):
    let_errors_travel()


def test_an_error_of_a_local_class_becomes_a_runtime_error():
    loader = DataLoader(LocalErrors(), num_workers=1, timeout=20, worker_init_fn=prepared)
    with pytest.raises(RuntimeError, match="item 0 is odd"):
        next(iter(loader))


def ended_process() -> multiprocessing.Process:
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    return process


@pytest.fixture
def told():
    """The numbers of signals that torch's handler would be called with; it is back afterwards."""
    numbers = []
    list(DataLoader(TensorDataset(torch.zeros(2)), num_workers=1))  # torch has set its handler
    before = signal.signal(signal.SIGCHLD, lambda number, frame: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGCHLD, before)


def test_lost_processes_are_told_only_while_a_loader_waits(told):
    loader = SimpleNamespace(is_waiting=False, _batches=SimpleNamespace(_workers=[ended_process()]))
    told.clear()
    with lost_processes_while_waiting(loader):
        signal.raise_signal(signal.SIGCHLD)
        assert told == []
        loader.is_waiting = True
        signal.raise_signal(signal.SIGCHLD)
        assert told == [signal.SIGCHLD]
    loader.is_waiting = False
    signal.raise_signal(signal.SIGCHLD)
    assert len(told) == 2


def test_a_loss_of_another_loader_is_told_at_any_moment(told):
    with lost_processes_while_waiting(SimpleNamespace(is_waiting=False, _batches=None)):
        signal.raise_signal(signal.SIGCHLD)
    assert told == [signal.SIGCHLD]


def test_guards_may_end_in_any_order(told):
    ended = SimpleNamespace(_workers=[ended_process()])
    told.clear()
    loaders = [SimpleNamespace(is_waiting=False, _batches=ended) for _ in range(2)]
    first, second = map(lost_processes_while_waiting, loaders)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    signal.raise_signal(signal.SIGCHLD)
    assert told == [signal.SIGCHLD]


def idle() -> None:
    time.sleep(60)


@pytest.mark.parametrize(("number", "words"), [(signal.SIGKILL, "Killed"), (signal.SIGTERM, "Terminated")])
def test_a_process_that_is_gone_is_told_as_torch_does(number, words):
    context = multiprocessing.get_context("fork")
    process = context.Process(target=idle)
    process.start()
    assert lost_process_error(SimpleNamespace(_workers=[process])) is None
    os.kill(process.pid, number)
    assert wait([process.sentinel], timeout=60)
    found = find_lost_workers(lost_process_error(SimpleNamespace(_workers=[process])))
    assert found.pids == (process.pid,)
    assert found.signal == words
    assert lost_process_error(object()) is None
