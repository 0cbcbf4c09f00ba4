"""Messages between a process that decodes and the one that asks: JSON with a length before it, then raw frames.

No pickle: a decoder that a hostile file has taken over must not be able to run code in the asking process.
"""

import json
import socket
from dataclasses import asdict
from typing import Any

import numpy as np

from stvit_video.data.decoding.probe import VideoIndex
from stvit_video.data.decoding.request import Deadline

__all__ = [
    "ChannelClosedError",
    "index_from_message",
    "index_to_message",
    "receive_frames",
    "receive_message",
    "send_message",
]

LENGTH_BYTES = 8
MAX_MESSAGE_BYTES = 2**28  # an index of ten million frames


class ChannelClosedError(EOFError):
    """The other end is gone."""


def send_message(channel: socket.socket, message: dict[str, Any], frames: np.ndarray | None = None) -> None:
    """Send one message, and after it the bytes of `frames` (uint8, C order).

    Raises:
        OSError: the other end is gone, or does not take the message in the socket's time limit.
    """
    text = json.dumps(message).encode()
    channel.sendall(len(text).to_bytes(LENGTH_BYTES, "big") + text)
    if frames is not None:
        channel.sendall(np.ascontiguousarray(frames).data.cast("B"))


def receive_message(channel: socket.socket, deadline: Deadline | None = None) -> dict[str, Any]:
    """The next message; without a deadline wait for it as long as the other end lives.

    Raises:
        ChannelClosedError: the other end is gone, or what comes is no message.
        TimeoutError: nothing complete has come before the deadline.
    """
    length = int.from_bytes(_receive(channel, bytearray(LENGTH_BYTES), deadline), "big")
    if length > MAX_MESSAGE_BYTES:
        raise ChannelClosedError(f"a message of {length} bytes can't be right")
    try:
        message = json.loads(_receive(channel, bytearray(length), deadline))
    except ValueError as error:
        raise ChannelClosedError("what comes is no JSON") from error
    if not isinstance(message, dict):
        raise ChannelClosedError("what comes is no JSON object")
    return message


def receive_frames(channel: socket.socket, shape: tuple[int, ...], deadline: Deadline) -> np.ndarray:
    """The frames that follow a message: uint8 of this shape.

    Raises:
        ChannelClosedError: the other end is gone.
        TimeoutError: they are not complete before the deadline.
    """
    frames = np.empty(shape, dtype=np.uint8)
    _receive(channel, frames.data.cast("B"), deadline)
    return frames


def index_to_message(index: VideoIndex) -> dict[str, Any]:
    """The index as JSON holds it."""
    return asdict(index)


def index_from_message(message: dict[str, Any]) -> VideoIndex:
    """The index that `index_to_message` took apart; JSON has made lists of its tuples."""
    facts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in message.items()
    }
    return VideoIndex(**facts)


def _receive(channel: socket.socket, buffer: bytearray | memoryview, deadline: Deadline | None) -> Any:
    """Fill the buffer and give it back."""
    view = memoryview(buffer)
    while view:
        if deadline is not None:
            remaining = deadline.remaining_seconds()
            if remaining <= 0:
                raise TimeoutError("the time is over")
            channel.settimeout(remaining)
        try:
            num_bytes = channel.recv_into(view)
        except ConnectionError as error:
            raise ChannelClosedError("the other end is gone") from error
        if num_bytes == 0:
            raise ChannelClosedError("the other end is gone")
        view = view[num_bytes:]
    return buffer
