"""Headers of the demo: those of a request that the page is told of, and those of every answer.

The headers of answers forbid the browser to ask any other machine. Those by which a proxy speaks for somebody else
(forwarded hosts and addresses, names of gradio) are not passed on, as anybody can send them.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

__all__ = ["HEADERS", "POLICY", "Scope", "Send", "told_scope", "with_headers"]

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TOLD = frozenset(
    name.encode()
    for name in (
        *("host", "accept", "accept-encoding", "accept-language", "user-agent", "range", "if-range"),
        *("if-none-match", "if-modified-since"),
    )
)
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


def told_scope(
    scope: Scope, *, query: str = "", without: str = "", extra: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A request as the page is told of it.

    Args:
        scope: of the ASGI server.
        query: behind the path, in place of what was sent.
        without: header that is left out, too.
        extra: headers to add.
    """
    headers = [(name, value) for name, value in scope["headers"] if name.lower() in TOLD - {without.encode()}]
    headers += [(name.encode(), value.encode()) for name, value in (extra or {}).items()]
    return {**scope, "headers": headers, "query_string": query.encode()}


def with_headers(send: Send) -> Send:
    """Sends the same answer with our headers in place of those of the same names, and for no other page."""
    ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            kept = [
                pair
                for pair in message.get("headers", [])
                if pair[0].lower().decode("latin-1") not in HEADERS
                and not pair[0].lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": [*kept, *ours]}
        await send(message)

    return send_with_headers
