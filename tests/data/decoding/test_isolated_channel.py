"""Messages and frames over a real socket pair, whole and broken."""

import json
import socket
import threading
from dataclasses import replace

import numpy as np
import pytest
from video_maker import make_video

from stvit_video.data.decoding.isolated_channel import (
    ChannelClosedError,
    index_from_message,
    index_to_message,
    receive_frames,
    receive_message,
    send_message,
)
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import Deadline, DecodeRequest


@pytest.fixture
def ends():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_messages_and_frames_arrive_as_they_were_sent(ends):
    frames = np.random.default_rng(0).integers(0, 256, (5, 300, 201, 3), dtype=np.uint8)
    message = {"text": "Straße\udcff \0", "numbers": [1, 2.5, None], "shape": [5, 300, 200, 3]}
    sender = threading.Thread(target=send_message, args=(ends[0], message, frames[:, :, ::-1][:, :, 1:]))
    sender.start()
    assert receive_message(ends[1]) == message
    got = receive_frames(ends[1], (5, 300, 200, 3), Deadline(10))
    sender.join()
    np.testing.assert_array_equal(got, frames[:, :, ::-1][:, :, 1:])


def test_an_index_survives_json_unchanged(tmp_path):
    source = DecodeRequest(str(make_video(tmp_path / "clip.mp4", num_frames=13)), "pyav", 10.0)
    index = replace(probe_video(source, source.deadline()), stated_fps=30000 / 1001, distrust="“odd”")
    again = index_from_message(json.loads(json.dumps(index_to_message(index))))
    assert again == index
    assert type(again.pts) is tuple


def test_an_end_that_is_gone_or_talks_nonsense_is_an_error(ends):
    length = (9).to_bytes(8, "big")
    for sent, text in [
        (length + b"not json!", "no JSON$"),
        (length + b'["a list"', "no JSON$"),
        ((2).to_bytes(8, "big") + b"[]", "no JSON object"),
        (b"\xff" * 8, r"\b18446744073709551615 bytes\b"),
    ]:
        ends[0].sendall(sent)
        with pytest.raises(ChannelClosedError, match=text):
            receive_message(ends[1])
    ends[0].sendall(length + b"half")
    ends[0].close()
    with pytest.raises(ChannelClosedError, match="the other end is gone"):
        receive_message(ends[1])


def test_what_does_not_come_in_time_is_a_timeout(ends):
    for deadline in (Deadline(0.05), Deadline(0)):
        with pytest.raises(TimeoutError):
            receive_message(ends[1], deadline)
    ends[0].sendall(bytes(10))
    with pytest.raises(TimeoutError):
        receive_frames(ends[1], (1, 2, 2, 3), Deadline(0.05))
