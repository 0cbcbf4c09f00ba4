"""The decoding process without the process: its answers, and its loop over a socket pair."""

import json
import re
import signal
import socket
import threading
from dataclasses import asdict

import numpy as np
import pytest
from video_cases import both, made, real
from video_maker import make_video, whole_file

from stvit_video.data.decoding import isolated_worker
from stvit_video.data.decoding.isolated_channel import receive_frames, receive_message, send_message
from stvit_video.data.decoding.request import Deadline, DecodeRequest


def source(path, *, backend="pyav"):
    return asdict(DecodeRequest(str(path), backend, 10.0))


def as_sent(reply):
    return json.loads(json.dumps(reply))


def test_probe_open_read_and_close(tmp_path):
    path = make_video(tmp_path / "clip.mp4", num_frames=7)
    answering = isolated_worker.DecodingService()
    probed, nothing = answering.answer({"do": "probe", "source": source(path), "seconds": 10})
    assert nothing is None
    opened, _ = answering.answer({"do": "open", "source": source(path), "seconds": 10, **as_sent(probed)})
    assert opened == probed
    reply, frames = answering.answer({"do": "read", "indices": [6, 0, 6], "seconds": 10})
    assert as_sent(reply) == {"shape": [3, 70, 98, 3]}
    np.testing.assert_array_equal(frames, whole_file(path)[[6, 0, 6]])
    assert answering.answer({"do": "close", "seconds": 1}) == ({}, None)


@pytest.mark.parametrize(
    ("case", "num_packets"),
    [made("stream_copied_trim.mp4", 35), real("stream_copied_trim.mp4", 300)],
    indirect=["case"],
)
def test_a_file_whose_frames_must_be_counted_comes_back_counted(case, num_packets):
    path = case.path
    answering = isolated_worker.DecodingService()
    probed, _ = answering.answer({"do": "probe", "source": source(path), "seconds": 10})
    opened, _ = answering.answer({"do": "open", "source": source(path), "seconds": 10, **as_sent(probed)})
    assert (len(probed["index"]["pts"]), len(opened["index"]["pts"])) == (num_packets, case.num_frames)


@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_failures_are_answers(case):
    answering = isolated_worker.DecodingService()
    gone = {"do": "probe", "source": source("gone.mp4"), "seconds": 10}
    expected = "can't decode 'gone.mp4' with backend 'pyav': the file does not exist"
    assert answering.answer(gone) == ({"error": "decode", "text": expected}, None)
    reply, _ = answering.answer({"do": "probe", "source": source(case.path), "seconds": 0})
    assert reply["error"] == "timeout"
    assert re.search("listing .*time limit of 10 s", reply["text"])
    library = {"name": "no_such_decoder", "needed_for": "this", "install": "that"}
    reply, _ = answering.answer({"do": "import", "library": library, "seconds": 10})
    assert reply["error"] == "missing"
    assert re.search("^this needs .*'no_such_decoder'", reply["text"])
    reply, _ = answering.answer({"do": "open", "source": {}, "index": {}, "seconds": 10})
    assert reply["error"] == "other"
    assert reply["text"].startswith("TypeError: ")


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


@pytest.fixture
def alarms(monkeypatch):
    """The alarms that are set, in seconds, and none of them really (it would end pytest)."""
    seconds = []
    monkeypatch.setattr(isolated_worker.signal, "setitimer", lambda which, after: seconds.append(after))
    return seconds


def served(ends, ask):
    """The loop's status while `ask` talks to it; the end that fails closes the channel, so that the other one ends."""
    failures = []

    def ask_and_close():
        try:
            ask(ends[0])
        except Exception as error:
            failures.append(error)
        ends[0].shutdown(socket.SHUT_WR)

    asking = threading.Thread(target=ask_and_close)
    asking.start()
    try:
        status = isolated_worker.serve(ends[1])
    finally:
        ends[1].shutdown(socket.SHUT_RDWR)
        asking.join()
    if failures:
        raise failures[0]
    return status


@pytest.mark.parametrize("case", both("rotated_90.mov"), indirect=True)
def test_the_loop_answers_until_the_other_end_closes(case, ends, alarms):
    path, got = case.path, []
    probed, _ = isolated_worker.DecodingService().answer({"do": "probe", "source": source(path), "seconds": 10})

    def ask(channel):
        got.append(receive_message(channel))
        send_message(channel, {"do": "open", "source": source(path), "seconds": 10, **probed})
        got.append(receive_message(channel))
        send_message(channel, {"do": "read", "indices": [2], "seconds": 7})
        got.append(receive_frames(channel, tuple(receive_message(channel)["shape"]), Deadline(10)))

    assert served(ends, ask) == 0
    assert got[:2] == [{"ready": True}, as_sent(probed)]
    np.testing.assert_array_equal(got[2], whole_file(path, clockwise_degrees=90)[2:])
    assert alarms == [15, 0, 12, 0]  # for a process that hangs when nobody is left to kill it


def test_neither_end_waits_for_one_that_failed(ends, alarms, monkeypatch):
    with pytest.raises(KeyError, match="shape"):
        served(ends, lambda channel: receive_message(channel)["shape"])  # the first message has none
    monkeypatch.setattr(isolated_worker, "send_message", lambda *arguments: 1 / 0)
    left, right = socket.socketpair()
    with left, right, pytest.raises(ZeroDivisionError):
        served((left, right), receive_message)


@pytest.mark.parametrize("case", both("short_32.mp4"), indirect=True)
def test_the_loop_ends_after_a_request_ran_out_of_time(case, ends, alarms):
    send_message(ends[0], {"do": "probe", "source": source(case.path), "seconds": 0})
    send_message(ends[0], {"do": "close", "seconds": 1})
    ends[0].shutdown(socket.SHUT_WR)  # a loop that goes on ends here, with another status
    assert isolated_worker.serve(ends[1]) == isolated_worker.TIMED_OUT
    assert receive_message(ends[0]) == {"ready": True}
    assert receive_message(ends[0])["error"] == "timeout"
    assert alarms == [5, 0]


def test_main_ends_the_process_with_the_loop(ends, monkeypatch):
    statuses = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGALRM)
    handlers = [signal.getsignal(number) for number in numbers]
    monkeypatch.setattr(isolated_worker.os, "_exit", statuses.append)
    ends[0].shutdown(socket.SHUT_WR)
    try:
        isolated_worker.main(ends[1].detach())
        ignored = [signal.getsignal(number) == signal.SIG_IGN for number in numbers]
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
    assert statuses == [0]
    assert ignored == [True, True, True, False]  # they are for the asking process
