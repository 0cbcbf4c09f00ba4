"""The server over real connections: silence and crowds are closed, and the end comes at once with a page open."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest
from served_demo import wait_for

pytestmark = pytest.mark.browser

PROGRAM = """
import asyncio, sys
from pathlib import Path
from stvit_video.webdemo import page_server
from stvit_video.webdemo.clip_limits import ClipLimits
from stvit_video.webdemo.clip_store import ClipStore
from stvit_video.webdemo.host_names import host_names
from stvit_video.webdemo.request_gate import RequestGate
from stvit_video.webdemo.serve_demo import listening

page_server.LOOK_SECONDS, page_server.WAITING_SECONDS = 0.1, 0.5
page_server.MAX_OF_VISITOR, own_visitor = 3, page_server.visitor_of
page_server.visitor_of = lambda address: sys.argv[2] or own_visitor(address)

async def page(scope, receive, send):
    if scope["type"] == "lifespan":
        for name in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{name}"
            await send({"type": f"lifespan.{name}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"alive", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass

gate = RequestGate(page, store=ClipStore(Path(sys.argv[1]), keep_seconds=60, max_clips=2), limits=ClipLimits(),
                   hosts=host_names("127.0.0.1"), examples={}, events={})
channel = listening("127.0.0.1", 0)
print(channel.getsockname()[1], flush=True)
try:
    page_server.run_server(gate, channel)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.fixture
def server(tmp_path, request):
    pytest.importorskip("uvicorn")
    visitor = getattr(request, "param", "")  # whose all connections are; "" = the address says it
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), visitor],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def opened(port: int, *lines: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall("\r\n".join(lines).encode())
    return connection


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_connections_without_a_whole_request_are_closed(server):
    _, port = server
    for lines in ((), ("GET / HTTP/1.1", "Host: 127.0.0.1")):
        with opened(port, *lines) as connection:
            assert rest(connection) == b""


def test_a_body_behind_its_answer_is_not_waited_for(server):
    _, port = server
    with opened(port, "POST /nothing HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 100000", "", "x") as connection:
        assert rest(connection).startswith(b"HTTP/1.1 404 ")


def test_a_websocket_gets_a_plain_answer(server):
    process, port = server
    asked = ("GET /gradio_api/queue/join HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade")
    with opened(
        port, *asked, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""
    ) as one:
        assert rest(one).startswith(b"HTTP/1.1 404 ")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1] == ""


def page_of(port: int, stack: ExitStack) -> tuple[socket.socket, bool]:
    """A connection of a page that stays open, and whether it is answered."""
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
    try:
        connection.sendall(b"GET /gradio_api/heartbeat/s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        return connection, connection.recv(1) != b""
    except (BrokenPipeError, ConnectionResetError):
        return connection, False


@pytest.mark.parametrize("server", ["192.0.2.7"], indirect=True)
def test_a_visitor_has_so_many_connections(server):
    _, port = server
    with ExitStack() as stack:
        pages = [page_of(port, stack) for _ in range(5)]
        assert [is_answered for _, is_answered in pages] == [True, True, True, False, False]
        pages[0][0].close()
        wait_for(lambda: page_of(port, stack)[1], "a place")


def test_this_machine_has_as_many_as_there_are(server):
    _, port = server
    with ExitStack() as stack:
        assert all(page_of(port, stack)[1] for _ in range(5))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_end_comes_at_once_with_a_page_open(server, number):
    process, port = server
    with opened(port, "GET /gradio_api/heartbeat/s HTTP/1.1", "Host: 127.0.0.1", "", "") as connection:
        told = b""
        while b"alive" not in told:
            told += connection.recv(65536)
        time.sleep(1)  # longer than a connection may wait for a request
        start = time.monotonic()
        process.send_signal(number)
        assert rest(connection).endswith(b"0\r\n\r\n")
        told, said = process.communicate(timeout=60)
        assert time.monotonic() - start < 5  # of which a busy machine takes most
    assert (told, said) == ("interrupted\n" if number == signal.SIGINT else "", "")
