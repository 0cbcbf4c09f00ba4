"""Bodies as they come: whole, too large, cut off, silent and slow."""

import asyncio

import pytest

from stvit_video.webdemo import request_body
from stvit_video.webdemo.request_body import (
    MAX_JSON_BYTES,
    RefusedRequestError,
    body_parts,
    replayed,
    small_body,
)


def coming(*parts: bytes, seconds: float = 0.0, end: str = "whole"):
    """A `receive` of these parts, each after a while; then the end, the visitor's going, or silence."""
    left = list(parts)

    async def receive():
        await asyncio.sleep(seconds)
        if left:
            return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or end != "whole"}
        if end == "silence":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    return receive


async def listed(receive, most_bytes: int = 10):
    return [pair async for pair in body_parts(receive, most_bytes=most_bytes)]


def test_parts_come_with_the_bytes_so_far_and_no_further_than_allowed():
    assert asyncio.run(listed(coming(b"ab", b"", b"cde"))) == [(b"ab", 2), (b"cde", 5)]
    assert asyncio.run(listed(coming(b""))) == []
    assert asyncio.run(listed(coming(b"ab", b"cd", b"ef"), most_bytes=3)) == [(b"ab", 2), (b"cd", 4)]


def test_small_ones_are_read_whole_and_given_again():
    async def work():
        again = replayed(await small_body(coming(b"ab", b"c")), coming(b"later"))
        return [await again(), await again()]

    first, second = asyncio.run(work())
    assert first == {"type": "http.request", "body": b"abc", "more_body": False}
    assert second["body"] == b"later"
    with pytest.raises(RefusedRequestError, match="too large") as refused:
        asyncio.run(small_body(coming(b"x" * MAX_JSON_BYTES, b"x")))
    assert refused.value.status == 413


def test_one_that_is_cut_off():
    with pytest.raises(RefusedRequestError, match="closed before") as refused:
        asyncio.run(listed(coming(b"ab", end="cut")))
    assert refused.value.status == 400


def test_one_that_falls_silent(monkeypatch):
    monkeypatch.setattr(request_body, "IDLE_SECONDS", 0.05)
    for parts in ((), (b"ab",)):
        with pytest.raises(RefusedRequestError, match="too slowly") as refused:
            asyncio.run(listed(coming(*parts, end="silence")))
        assert refused.value.status == 408


def test_one_that_trickles(monkeypatch):
    monkeypatch.setattr(request_body, "FREE_SECONDS", 0.2)
    with pytest.raises(RefusedRequestError, match="too slowly"):
        asyncio.run(listed(coming(*[b"x"] * 1000, seconds=0.02), most_bytes=10_000))
    fast = b"x" * request_body.LEAST_BYTES_PER_SECOND  # a second's worth in each part
    assert len(asyncio.run(listed(coming(*[fast] * 20, seconds=0.02), most_bytes=10**9))) == 20
