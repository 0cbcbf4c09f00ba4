"""Which requests reach the page at all: an ASGI application around that of gradio, which knows many more addresses.

Gradio serves files by their path, takes uploads, forwards requests and has pages of its own. The demo needs none of
that, so what is not listed here is answered 404 before gradio sees it.
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError
from stvit_video.webdemo.clip_store import BusyError, ClipStore
from stvit_video.webdemo.host_names import HostNames
from stvit_video.webdemo.join_request import WORD, Span, checked_join
from stvit_video.webdemo.own_links import rewritten, without_other_machines
from stvit_video.webdemo.request_body import Receive, RefusedRequestError, body_parts, replayed, small_body
from stvit_video.webdemo.request_headers import Scope, Send, told_scope, with_headers
from stvit_video.webdemo.visitor_address import visitor_of

__all__ = ["EXAMPLES_AT", "JOIN_AT", "UPLOAD_AT", "RequestGate"]

App = Callable[[Scope, Receive, Send], Awaitable[None]]

UPLOAD_AT, EXAMPLES_AT = "/clips", "/examples/"
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@~-]*"
READ = re.compile(rf"/theme\.css|/favicon\.ico|/manifest\.json|/gradio_api/app_id|/(static|assets)(/{_NAME})+")
EVENTS_AT, HEARTBEAT_AT = "/gradio_api/queue/data", re.compile(rf"/gradio_api/heartbeat/{WORD.pattern}")
JOIN_AT = "/gradio_api/queue/join"
OF_SESSION = re.compile(rf"session_hash={WORD.pattern}")
MAX_TOLD = 20  # lines of failures in the terminal, which are a visitor's doing


class _Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    visitor: str | None  # see `visitor_of`


class RequestGate:
    """See the module; an ASGI application.

    Args:
        app: the page.
        store: where clips are received.
        limits: of a clip.
        hosts: names that the server may be called by.
        examples: files of the example clips, by their address.
        events: see `checked_join`.
    """

    def __init__(
        self,
        app: App,
        *,
        store: ClipStore,
        limits: ClipLimits,
        hosts: HostNames,
        examples: Mapping[str, Path],
        events: Mapping[int, Sequence[Span | None]],
    ) -> None:
        self.app = app
        self.store = store
        self.limits = limits
        self.hosts = hosts
        self.examples = examples
        self.events = events
        self._is_over = False
        self._waiting: set[asyncio.Future[None]] = set()  # requests, for what comes next or the end
        self._num_told = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":  # the page has no websocket; without an answer the server closes it
            return
        answer = _Answer(with_headers(send))
        try:
            await self._answer(scope, self._until_over(receive), answer)
        except RefusedRequestError as refusal:
            await _tell(answer, refusal.status, {"error": str(refusal)}, is_last=refusal.status == 408)
        except Exception as error:
            self._note(scope["path"], error)
            if not answer.is_started:
                await _tell(answer, 500, {"error": "The demo can't answer this request."})
        if answer.is_stream and not answer.is_complete:
            await answer({"type": "http.response.body", "body": b""})

    def end(self) -> None:
        """Close what is open: to every request it looks as if its visitor had gone."""
        self._is_over = True
        for over in self._waiting:
            if not over.done():
                over.set_result(None)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _Request(
            scope["method"],
            scope["path"],
            {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            visitor_of((scope.get("client") or [""])[0]),
        )
        self._check_origin(request, (scope.get("server") or ("", 0))[1] or 0)
        if b"%" in scope.get("raw_path", b""):
            raise RefusedRequestError(404, "There is nothing at this address.")
        is_read = request.method in ("GET", "HEAD")
        is_heartbeat = request.method == "GET" and HEARTBEAT_AT.fullmatch(request.path)
        if request.method == "POST" and request.path == UPLOAD_AT:
            await _tell(send, 200, {"token": await self._received(request, receive)})
        elif request.method == "GET" and request.path in self.examples:
            await _send_bytes(send, 200, "video/mp4", self.examples[request.path].read_bytes())
        elif is_read and request.path == "/":
            plain = told_scope(scope, without="accept-encoding")
            await self.app(plain, receive, rewritten(send, without_other_machines))
        elif request.method == "GET" and request.path == EVENTS_AT:
            query = scope.get("query_string", b"").decode("latin-1")
            if OF_SESSION.fullmatch(query) is None:
                raise RefusedRequestError(400, "The address ends in no word of the page.")
            await self.app(told_scope(scope, query=query), receive, send)
        elif is_read and (READ.fullmatch(request.path) or is_heartbeat):
            await self.app(told_scope(scope), receive, send)
        elif request.method == "POST" and request.path == JOIN_AT:
            await self._join(scope, receive, send)
        else:
            raise RefusedRequestError(404, "There is nothing at this address.")

    async def _join(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = checked_join(await small_body(receive), self.events)
        except ValueError as error:
            raise RefusedRequestError(400, str(error)) from error
        if asked.token is not None:
            self.store.claim(asked.token, asked.session)
        extra = {"content-type": "application/json", "content-length": str(len(asked.body))}
        await self.app(told_scope(scope, extra=extra), replayed(asked.body, receive), send)

    def _check_origin(self, request: _Request, port: int) -> None:
        host = request.headers.get("host", "")
        if not self.hosts.take(host):
            raise RefusedRequestError(403, self.hosts.words(port))
        origin = request.headers.get("origin")
        if origin is not None and request.method == "POST" and origin.partition("://")[2] != host:
            raise RefusedRequestError(403, "Only the page of the demo itself may send to it.")

    async def _received(self, request: _Request, receive: Receive) -> str:
        """The token of a clip whose bytes are the body of the request; its name is not asked for.

        It takes a place in the store from its first byte on.
        """
        token, num_bytes = "", 0
        try:
            stated = request.headers.get("content-length", "")
            if stated.isascii() and stated.isdigit():
                self.limits.check_size(int(stated[:18]))
            with ExitStack() as stack:
                async for part, num_bytes in body_parts(receive, most_bytes=self.limits.max_bytes):
                    if not token:
                        token, path = self.store.new(request.visitor)
                        file = stack.enter_context(path.open("xb"))
                    if num_bytes <= self.limits.max_bytes:
                        file.write(part)
            self.limits.check_size(num_bytes)
        except BusyError as error:
            raise RefusedRequestError(503, str(error)) from error
        except RefusedError as error:
            self.store.drop(token)
            raise RefusedRequestError(413, str(error)) from error
        except OSError as error:
            self.store.drop(token)
            raise RefusedRequestError(507, "The server has no room for the file; try again later.") from error
        except BaseException:
            self.store.drop(token)
            raise
        self.store.received(token)
        return token

    def _until_over(self, receive: Receive) -> Receive:
        """What comes, until `end`."""

        async def next_message() -> MutableMapping[str, Any]:
            if self._is_over:
                return {"type": "http.disconnect"}
            over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            coming = asyncio.ensure_future(receive())
            self._waiting.add(over)
            try:
                await asyncio.wait((coming, over), return_when=asyncio.FIRST_COMPLETED)
                return coming.result() if coming.done() else {"type": "http.disconnect"}
            finally:
                self._waiting.discard(over)
                coming.cancel()

        return next_message

    def _note(self, path: str, error: Exception) -> None:
        """Say in the terminal what failed, in one line and not for ever."""
        self._num_told += 1
        if self._num_told <= MAX_TOLD and not self._is_over:
            print(f"a request of {path} failed: {type(error).__name__}", file=sys.stderr, flush=True)


class _Answer:
    """Sends, and knows how far the answer is."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.is_started = self.is_stream = self.is_complete = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            names = {name.lower() for name, _ in message.get("headers", [])}
            self.is_stream = b"content-length" not in names
        elif message["type"] == "http.response.body":
            self.is_complete = not message.get("more_body", False)
        await self._send(message)


async def _tell(send: Send, status: int, values: Mapping[str, Any], *, is_last: bool = False) -> None:
    await _send_bytes(send, status, "application/json", json.dumps(values).encode(), is_last=is_last)


async def _send_bytes(send: Send, status: int, media_type: str, content: bytes, *, is_last: bool = False) -> None:
    """Send an answer; with is_last the connection is closed then, as more of the request may come."""
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(content)).encode())]
    headers += [(b"connection", b"close")] if is_last else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
