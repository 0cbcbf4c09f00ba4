"""The page of gradio without links to other machines: older versions take a script and fonts from elsewhere."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

__all__ = ["rewritten", "without_other_machines"]

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
ELSEWHERE = re.compile(
    rb"<(?P<name>script|link)\b[^>]*\b(?:src|href)\s*=\s*[\"'](?:https?:)?//[^>]*>(?:\s*</(?P=name)>)?", re.IGNORECASE
)


def without_other_machines(html: bytes) -> bytes:
    """A page without the scripts and links (styles, fonts, connections made ahead) of other machines.

    A policy keeps a browser from loading them, but not from connecting ahead to where they are.
    """
    return ELSEWHERE.sub(b"", html)


def rewritten(send: Send, change: Callable[[bytes], bytes]) -> Send:
    """Sends an answer once it is whole, with its body changed; the answer is not compressed.

    Args:
        send: of the ASGI server.
        change: gives the body to send in place of that of the application.
    """
    start: list[Message] = []
    parts: list[bytes] = []

    async def send_rewritten(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.append(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body", False):
            return
        body = change(b"".join(parts))
        headers = [pair for pair in start[0].get("headers", []) if pair[0].lower() != b"content-length"]
        await send({**start[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({**message, "body": body})

    return send_rewritten
