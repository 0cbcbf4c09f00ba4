"""SIGTERM ends a run in order, and nothing is changed behind it."""

import os
import signal
import threading

import pytest

from stvit_video.predictions.stopping import Terminated, sigterm_ends


def test_sigterm_ends_with_its_status_and_the_handler_comes_back():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated) as caught:
        asked_to_end()
    assert caught.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before


def asked_to_end():
    with sigterm_ends():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()


def test_where_it_was_ignored_it_stays_so():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with sigterm_ends():
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_another_thread_nothing_is_changed():
    seen = []

    def work():
        with sigterm_ends():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_forked_process_ends_at_once():
    with sigterm_ends():
        child = os.fork()
        if child == 0:
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                signal.pause()
            finally:
                os._exit(99)
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 143
