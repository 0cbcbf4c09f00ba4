"""What is left behind is named, undone, and fails the test that left it."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from leftovers import LASTING, child_processes, leave_real_time, leftovers, observe
from pytest_run import run_pytest

SLEEP = [sys.executable, "-c", "import time; time.sleep(100)"]


def test_nothing_is_nothing():
    before = observe()
    subprocess.run(["true"], check=True)
    thread = threading.Thread(target=time.sleep, args=(0.05,))
    thread.start()
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    assert leftovers(before) == []
    thread.join()


def test_a_handler_is_named_and_given_back():
    before, handler = observe(), signal.getsignal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    (fault,) = leftovers(before)
    assert fault.startswith("SIGUSR1 has the handler <Handlers.SIG_IGN: 1> in place of ")
    assert signal.getsignal(signal.SIGUSR1) == handler


def test_a_timer_is_named_and_stopped():
    before = observe()
    signal.alarm(50)
    (fault,) = leftovers(before)
    assert fault.startswith("the timer ITIMER_REAL goes off in ")
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="this system has no /proc")
def test_a_child_is_named_and_ended():
    before = observe()
    child = subprocess.Popen(SLEEP)
    faults = leftovers(before, patience_seconds=0.1)
    assert faults == [f"the child process {child.pid} runs: {' '.join(SLEEP)}"]
    assert child.wait(timeout=5) == -signal.SIGKILL
    assert child.pid not in child_processes()


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="this system has no /proc")
@pytest.mark.parametrize("mark", LASTING)
def test_what_serves_the_whole_session_may_stay(mark):
    before = observe()
    child = subprocess.Popen([*SLEEP, mark.decode()])
    try:
        assert child.pid in child_processes()
        assert leftovers(before) == []
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def test_a_thread_is_named():
    before, end = observe(), threading.Event()
    thread = threading.Thread(target=end.wait, name="waits")
    thread.start()
    assert leftovers(before, patience_seconds=0.1) == ["the thread 'waits' runs and is no daemon"]
    end.set()
    thread.join()


def test_the_test_that_leaves_something_fails(tmp_path):
    code = """
import signal, subprocess, sys
def test_leaves():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 70)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
def test_is_clean():
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
"""
    done = run_pytest(tmp_path, code, "-p", "leftovers", hang_seconds=30)
    assert done.returncode == 1
    assert "2 passed, 1 error" in done.stdout
    assert "ERROR at teardown of test_leaves" in done.stdout
    for words in ("SIGTERM has the handler", "the timer ITIMER_REAL goes off", "the child process"):
        assert f"{words} " in done.stdout


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="this system has no scheduling policies")
def test_a_real_time_priority_is_taken_back():
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))
    except PermissionError:
        pytest.skip("only a privileged user may raise the priority")
    leave_real_time()
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
