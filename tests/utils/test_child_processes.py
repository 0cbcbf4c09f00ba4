"""Processes that ignore every polite request are gone at once, and torch does not complain."""

import multiprocessing
import signal
import subprocess
import sys
import time

import pytest

from stvit_video.utils.child_processes import end_child_processes, end_processes, register_owner


def ignore_all():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(60)


def started(number):
    processes = [multiprocessing.get_context("fork").Process(target=ignore_all, daemon=True) for _ in range(number)]
    for process in processes:
        process.start()
    time.sleep(0.2)
    return processes


def test_all_are_ended_and_those_of_subprocess_are_left():
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    processes = started(3)
    start = time.monotonic()
    end_child_processes()
    assert time.monotonic() - start < 3
    assert [process.is_alive() for process in processes] == [False] * 3
    assert other.poll() is None
    other.kill()
    other.wait()


def test_only_those_named_are_ended():
    first, second = started(2)
    end_processes([first])
    assert (first.is_alive(), second.is_alive()) == (False, True)
    end_processes([first, second])
    assert not second.is_alive()


def test_handlers_of_ended_children_are_not_called():
    calls = []
    before = signal.signal(signal.SIGCHLD, lambda *_: calls.append(1))
    try:
        end_processes(started(2))
        assert calls == []
        assert signal.getsignal(signal.SIGCHLD) not in (signal.SIG_DFL, signal.SIG_IGN)
    finally:
        signal.signal(signal.SIGCHLD, before or signal.SIG_DFL)


class Owner:
    def __init__(self):
        self.count = 0

    def end(self):
        self.count += 1


def test_owners_are_told_as_long_as_they_live():
    owner, gone = Owner(), Owner()
    register_owner(owner)
    register_owner(gone)
    del gone
    end_child_processes()
    assert owner.count == 1


@pytest.mark.parametrize("processes", [[], ()])
def test_nothing_to_end(processes):
    end_processes(processes)
