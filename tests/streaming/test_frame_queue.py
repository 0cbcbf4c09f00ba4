"""The newest frames win, none is lost silently, and neither side waits for ever."""

import threading
import time

import numpy as np
import pytest

from stvit_video.streaming.frame_choice import ChosenFrame
from stvit_video.streaming.frame_queue import FrameQueue
from stvit_video.streaming.stream_notes import Note, gathered, note_words


def frame(*seconds, notes=(), decode_seconds=0.25):
    return ChosenFrame(
        picture=np.zeros((1, 1, 3), np.uint8), seconds=seconds, arrived=0.0, decode_seconds=decode_seconds, notes=notes
    )


def rest(queue):
    """All frames that wait in a queue that has ended."""
    queue.end()
    found = []
    while (pair := queue.get(patience_seconds=0)) is not None:
        found.append(pair[0])
    return found


def test_the_newest_win_and_drops_are_counted():
    queue = FrameQueue(2)
    for number in range(5):
        assert queue.put(frame(number, number + 0.5))
    assert queue.num_dropped == 6
    assert [one.seconds for one in rest(queue)] == [(3, 3.5), (4, 4.5)]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_notes_and_time_spent_of_dropped_frames_stay(size):
    queue = FrameQueue(size)
    for number in range(6):
        gap = Note(kind="gap", words=f"gap {number}", seconds=number)
        queue.put(frame(number, notes=(gap,) if number in (1, 2, 5) else ()))
    found = rest(queue)
    told = gathered(*(one.notes for one in found))
    assert note_words(told) == "3 gaps, the longest 5.0 s"
    assert sum(one.decode_seconds for one in found) == 6 * 0.25


def test_waiting_for_room_drops_nothing():
    queue = FrameQueue(1)
    queue.newest_wins = False
    thread = threading.Thread(target=lambda: [queue.put(frame(number)) for number in range(50)])
    thread.start()
    taken = [queue.get(patience_seconds=60) for _ in range(50)]
    thread.join()
    assert [pair[0].seconds for pair in taken] == [(number,) for number in range(50)]
    assert queue.num_dropped == 0


def test_closing_frees_who_waits_for_room():
    queue = FrameQueue(1)
    queue.newest_wins = False
    answers = []
    thread = threading.Thread(target=lambda: answers.extend([queue.put(frame(0)), queue.put(frame(1))]))
    thread.start()
    while not answers and thread.is_alive():
        time.sleep(0.001)
        if queue._waiting:
            break
    queue.close()
    thread.join()
    assert answers[-1] is False


def test_frames_that_wait_come_before_the_error():
    queue = FrameQueue()
    queue.put(frame(0))
    queue.end(KeyError("lost"))
    assert queue.get(patience_seconds=0)[0].seconds == (0,)
    with pytest.raises(KeyError, match="lost"):
        queue.get(patience_seconds=0)


def test_a_reader_without_life():
    queue = FrameQueue()
    with pytest.raises(TimeoutError):
        queue.get(patience_seconds=0)
    queue.put(frame(0))
    _, waited = queue.get(patience_seconds=0)
    assert waited >= 0


def test_a_reader_that_waited_for_room_is_given_time():
    queue = FrameQueue(1)
    queue.newest_wins = False
    queue.put(frame(0))
    queue._alive -= 1000  # as after a frame that kept the model busy for long
    queue.get(patience_seconds=60)
    thread = threading.Timer(0.05, queue.put, [frame(1)])
    thread.start()
    assert queue.get(patience_seconds=60)[0].seconds == (1,)
    thread.join()


def test_no_frame_is_waited_for_after_the_time_is_over():
    queue = FrameQueue()
    queue.until = time.monotonic() + 0.05
    assert queue.get(patience_seconds=30) is None
    queue.put(frame(1))
    assert queue.get(patience_seconds=30)[0].seconds == (1,)  # what waits is given
