"""The HTTP server of the page, which ends at once, and closes connections that only wait or are too many."""

import asyncio
import socket
from typing import Any

from stvit_video.webdemo.request_gate import RequestGate
from stvit_video.webdemo.visitor_address import visitor_of

__all__ = ["MAX_CONNECTIONS", "run_server"]

MAX_CONNECTIONS = 256
MAX_OF_VISITOR = 64  # of which a browser opens up to 6
END_SECONDS = 1  # for open connections, at the end
LOOK_SECONDS = 2.0
WAITING_SECONDS = 15.0  # for all of the headers of a request, or for the rest of one that is answered


def run_server(gate: RequestGate, channel: socket.socket) -> None:
    """Serve until a signal; then raise it, as it was meant for this process.

    Args:
        gate: the application.
        channel: a socket that listens.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            gate.end()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        gate,
        http=watched_protocol(),
        ws="none",
        log_level="critical",  # what a visitor can cause is said by the gate
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=END_SECONDS,
    )
    Server(config).run(sockets=[channel])


def watched_protocol() -> type[asyncio.Protocol]:
    """The protocol of uvicorn, which by itself waits for the headers of a request without an end."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Watched(H11Protocol):
        visitor: str | None = None
        waits_since: float | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.visitor = visitor_of(self.client[0] if self.client else "")
            same = sum(1 for one in self.connections if one.visitor == self.visitor)
            if self.visitor is not None and same > MAX_OF_VISITOR:
                transport.abort()
                return
            self.loop.call_later(LOOK_SECONDS, self.look)

        def look(self) -> None:
            """Close the connection where no request has been complete for long."""
            if self.transport.is_closing():
                return
            now = self.loop.time()
            if self.cycle is not None and not self.cycle.response_complete:
                self.waits_since = None
            elif self.waits_since is None:
                self.waits_since = now
            elif now - self.waits_since > WAITING_SECONDS:
                self.transport.abort()
                return
            self.loop.call_later(LOOK_SECONDS, self.look)

    return Watched
