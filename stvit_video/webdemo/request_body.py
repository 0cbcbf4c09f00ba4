"""The bodies of requests: read as they come, for as long as they come fast enough, and given to the page again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["MAX_JSON_BYTES", "Receive", "RefusedRequestError", "body_parts", "replayed", "small_body"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAX_JSON_BYTES = 64 * 1024
FREE_SECONDS = 10.0  # at the start, in which a body may come as slowly as it likes
LEAST_BYTES_PER_SECOND = 128_000  # on average after that
IDLE_SECONDS = 10.0  # most between two parts


class RefusedRequestError(Exception):
    """An answer other than the page's: status, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def body_parts(receive: Receive, *, most_bytes: int) -> AsyncIterator[tuple[bytes, int]]:
    """The parts of a body up to the one that exceeds `most_bytes`, each with the bytes so far; none is empty.

    Args:
        receive: of the ASGI server.
        most_bytes: after which no more is read.

    Raises:
        RefusedRequestError: the connection was closed before the end, or the body comes too slowly.
    """
    start, num_bytes, goes_on = time.monotonic(), 0, True
    while goes_on:
        slowest = start + FREE_SECONDS + num_bytes / LEAST_BYTES_PER_SECOND
        try:
            message = await asyncio.wait_for(receive(), min(IDLE_SECONDS, slowest - time.monotonic()))
        except asyncio.TimeoutError as error:
            raise RefusedRequestError(
                408, "The request came too slowly; try again over a faster connection."
            ) from error
        if message["type"] == "http.disconnect":
            raise RefusedRequestError(400, "The connection was closed before the file was complete.")
        part = message.get("body", b"")
        num_bytes += len(part)
        goes_on = message.get("more_body", False) and num_bytes <= most_bytes
        if part:
            yield part, num_bytes


async def small_body(receive: Receive) -> bytes:
    """All of a body of up to `MAX_JSON_BYTES`.

    Raises:
        RefusedRequestError: as `body_parts`, or it is larger.
    """
    body = b""
    async for part, num_bytes in body_parts(receive, most_bytes=MAX_JSON_BYTES):
        if num_bytes > MAX_JSON_BYTES:
            raise RefusedRequestError(413, "The request is too large.")
        body += part
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, once, and then what else comes."""
    waiting = [body]

    async def next_message() -> MutableMapping[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return next_message
