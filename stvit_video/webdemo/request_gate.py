"""Which requests reach the page at all: an ASGI application around that of gradio, which knows many more addresses.

Gradio serves files by their path, takes uploads, forwards requests and has pages of its own. The demo needs none of
that, so what is not listed here is answered 404 before gradio sees it. The headers of every answer forbid the browser
to ask any other machine.
"""

import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from stvit_video.webdemo.clip_limits import ClipLimits, RefusedError
from stvit_video.webdemo.clip_store import BusyError, ClipStore
from stvit_video.webdemo.join_request import Span, checked_join
from stvit_video.webdemo.own_links import rewritten, without_other_machines

__all__ = ["EXAMPLES_AT", "HEADERS", "UPLOAD_AT", "RequestGate"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

UPLOAD_AT, EXAMPLES_AT = "/clips", "/examples/"
MAX_JSON_BYTES = 64 * 1024
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.@~-]*"
READ = re.compile(
    rf"/|/theme\.css|/favicon\.ico|/manifest\.json|/(static|assets)(/{_NAME})+"
    rf"|/gradio_api/(app_id|queue/data|heartbeat/{_NAME})"
)
WRITE = re.compile(r"/gradio_api/queue/join")
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",  # gradio's page has scripts of its own, and builds some
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "manifest-src": "'self'",
    "base-uri": "'self'",
    "form-action": "'none'",
    "frame-src": "'none'",
    "frame-ancestors": "'none'",
}
PERMISSIONS = {"camera": "(self)", "microphone": "()", "geolocation": "()"}
HEADERS = {
    "content-security-policy": "; ".join(f"{kind} {sources}" for kind, sources in POLICY.items()),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join("=".join(pair) for pair in PERMISSIONS.items()),
}


class _RefusedRequestError(Exception):
    """An answer other than the page's: status, and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]


class RequestGate:
    """See the module; an ASGI application.

    Args:
        app: the page.
        store: where clips are received.
        limits: of a clip.
        hosts: names that the server may be called by, against pages elsewhere whose name leads here (DNS rebinding);
            None = any.
        examples: files of the example clips, by their address.
        events: see `checked_join`.
    """

    def __init__(
        self,
        app: App,
        *,
        store: ClipStore,
        limits: ClipLimits,
        hosts: Collection[str] | None,
        examples: Mapping[str, Path],
        events: Mapping[int, Sequence[Span | None]],
    ) -> None:
        self.app = app
        self.store = store
        self.limits = limits
        self.hosts = hosts
        self.examples = examples
        self.events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let it through."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":  # the page has no websocket; without an answer the server closes it
            return
        try:
            await self._answer(scope, receive, _with_headers(send))
        except _RefusedRequestError as refusal:
            await _tell(_with_headers(send), refusal.status, {"error": str(refusal)})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = _Request(
            scope["method"],
            scope["path"],
            {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        )
        self._check_origin(request)
        if b"%" in scope.get("raw_path", b""):
            raise _RefusedRequestError(404, "There is nothing at this address.")
        if request.method == "POST" and request.path == UPLOAD_AT:
            await _tell(send, 200, {"token": await self._received(request, receive)})
        elif request.method == "GET" and request.path in self.examples:
            await _send_bytes(send, 200, "video/mp4", self.examples[request.path].read_bytes())
        elif request.method == "GET" and request.path == "/":
            plain = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() != b"accept-encoding"]}
            await self.app(plain, receive, rewritten(send, without_other_machines))
        elif request.method in ("GET", "HEAD") and READ.fullmatch(request.path):
            await self.app(scope, receive, send)
        elif request.method == "POST" and WRITE.fullmatch(request.path):
            await self._join(scope, receive, send)
        else:
            raise _RefusedRequestError(404, "There is nothing at this address.")

    async def _join(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = checked_join(await _small_body(receive), self.events)
        except ValueError as error:
            raise _RefusedRequestError(400, str(error)) from error
        told = {b"content-type": b"application/json", b"content-length": str(len(asked.body)).encode()}
        kept = [pair for pair in scope["headers"] if pair[0].lower() not in {*told, b"transfer-encoding"}]
        plain = {**scope, "headers": [*kept, *told.items()], "query_string": b""}
        await self.app(plain, _replayed(asked.body, receive), send)

    def _check_origin(self, request: _Request) -> None:
        host = request.headers.get("host", "")
        name = urlsplit(f"//{host}").hostname or ""
        if self.hosts is not None and name not in self.hosts:
            raise _RefusedRequestError(403, f"This demo answers at {' and '.join(sorted(self.hosts))} alone.")
        origin = request.headers.get("origin")
        if origin is not None and request.method == "POST" and urlsplit(origin).netloc != host:
            raise _RefusedRequestError(403, "Only the page of the demo itself may send to it.")

    async def _received(self, request: _Request, receive: Receive) -> str:
        """The token of a clip whose bytes are the body of the request; its name is not asked for."""
        token = ""
        try:
            stated = request.headers.get("content-length", "")
            if stated.isascii() and stated.isdigit():
                self.limits.check_size(int(stated))
            token, path = self.store.new()
            self.limits.check_size(await _write_body(receive, path, most_bytes=self.limits.max_bytes))
        except BusyError as error:
            raise _RefusedRequestError(503, str(error)) from error
        except RefusedError as error:
            self.store.drop(token)
            raise _RefusedRequestError(413, str(error)) from error
        except OSError as error:
            self.store.drop(token)
            raise _RefusedRequestError(507, "The server has no room for the file; try again later.") from error
        except BaseException:
            self.store.drop(token)
            raise
        return token


async def _body(receive: Receive, *, most_bytes: int) -> Any:
    """The parts of a body up to the one that exceeds `most_bytes`, each with the bytes so far."""
    num_bytes, goes_on = 0, True
    while goes_on:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _RefusedRequestError(400, "The connection was closed before the file was complete.")
        part = message.get("body", b"")
        num_bytes += len(part)
        goes_on = message.get("more_body", False) and num_bytes <= most_bytes
        yield part, num_bytes


async def _write_body(receive: Receive, path: Path, *, most_bytes: int) -> int:
    """Write a body as it comes; gives its bytes. A larger one than `most_bytes` is not read to its end."""
    num_bytes = 0
    with path.open("xb") as file:
        async for part, num_bytes in _body(receive, most_bytes=most_bytes):
            if num_bytes <= most_bytes:
                file.write(part)
    return num_bytes


async def _small_body(receive: Receive) -> bytes:
    body = b""
    async for part, num_bytes in _body(receive, most_bytes=MAX_JSON_BYTES):
        if num_bytes > MAX_JSON_BYTES:
            raise _RefusedRequestError(413, "The request is too large.")
        body += part
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, once, and then what else comes."""
    waiting = [body]

    async def next_message() -> MutableMapping[str, Any]:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return next_message


def _with_headers(send: Send) -> Send:
    """Sends the same answer with our headers, in place of those of the same names."""
    ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            names = {name for name, _ in ours}
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in names]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return send_with_headers


async def _tell(send: Send, status: int, values: Mapping[str, Any]) -> None:
    await _send_bytes(send, status, "application/json", json.dumps(values).encode())


async def _send_bytes(send: Send, status: int, media_type: str, content: bytes) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
