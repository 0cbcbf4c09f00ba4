"""The gate, asked as a server asks it, without one and without gradio."""

import asyncio
import json

import pytest

from stvit_video.webdemo.clip_limits import ClipLimits
from stvit_video.webdemo.clip_store import ClipStore
from stvit_video.webdemo.request_gate import HEADERS, MAX_JSON_BYTES, POLICY, RequestGate

LET_THROUGH = (
    ("GET", "/"),
    ("HEAD", "/"),
    ("GET", "/assets/index-DphvyggB.js"),
    ("GET", "/static/fonts/A-b/A_b.woff2"),
    ("GET", "/theme.css"),
    ("GET", "/gradio_api/queue/data"),
    ("GET", "/gradio_api/heartbeat/abc123"),
    ("POST", "/gradio_api/queue/join"),
)
REFUSED = (
    ("GET", "/gradio_api/file=/etc/passwd"),
    ("GET", "/file=/etc/passwd"),
    ("GET", "/static/../secret"),
    ("GET", "/static/.secret"),
    ("GET", "/static//etc/passwd"),
    ("GET", "//etc/passwd"),
    ("GET", "/assets/a\\..\\b"),
    ("GET", "/assets/a\nb"),
    ("GET", "/theme.css\n"),
    ("GET", "/gradio_api/info"),
    ("GET", "/config"),
    ("GET", "/clips"),
    ("GET", "/examples/other.mp4"),
    ("GET", "http://127.0.0.1/"),
    ("PUT", "/"),
    ("OPTIONS", "/"),
    ("POST", "/"),
    ("POST", "/gradio_api/upload"),
    ("POST", "/gradio_api/queue/join/../upload"),
    ("POST", "/assets/x.js"),
)


JOIN = {"data": [16], "event_data": {"token": "a"}, "fn_index": 0, "trigger_id": 3, "session_hash": "s"}


class Page:
    """An application that notes what it is asked, and answers with what it was sent."""

    def __init__(self):
        self.asked = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope["path"])
        message = await receive()
        headers = [(b"content-type", b"text/plain"), (b"Referrer-Policy", b"unsafe-url")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": message.get("body", b"")})


@pytest.fixture
def page():
    return Page()


@pytest.fixture
def gate(page, tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "one.mp4").write_bytes(b"an example")
    store = ClipStore(tmp_path / "clips", keep_seconds=60.0, max_clips=2)
    return RequestGate(
        page,
        store=store,
        limits=ClipLimits(max_megabytes=1),
        hosts={"127.0.0.1", "::1"},
        examples={"/examples/one.mp4": tmp_path / "one.mp4"},
        events={0: [(4, 32)]},
    )


def ask(gate, method, path, *, parts=(b"",), raw_path=None, is_cut=False, **headers):
    """Status, headers and body of the answer to a body that comes in parts."""
    headers = {"host": "127.0.0.1:7860", **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode() if raw_path is None else raw_path,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    coming = [
        {"type": "http.request", "body": part, "more_body": is_cut or number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    coming += [{"type": "http.disconnect"}]
    sent = []

    async def receive():
        return coming.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(gate(scope, receive, send))
    start, *rest = sent
    return start["status"], dict(start["headers"]), b"".join(one["body"] for one in rest)


@pytest.mark.parametrize(("method", "path"), LET_THROUGH)
def test_what_the_page_needs_reaches_it(gate, page, method, path):
    sent = json.dumps(JOIN).encode()
    status, _, body = ask(gate, method, path, parts=(sent[:9], sent[9:]))
    assert (status, page.asked) == (200, [path])
    assert body == (sent if method == "POST" else sent[:9])  # a body is read whole before it is let through


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_nothing_else_does(gate, page, method, path):
    status, _, body = ask(gate, method, path)
    assert (status, page.asked) == (404, [])
    assert json.loads(body) == {"error": "There is nothing at this address."}


def test_links_to_other_machines_are_taken_out_of_the_page(gate):
    status, headers, body = ask(gate, "GET", "/", parts=(b'a<script src="https://cdn.example/x.js"></script>b',))
    assert (status, body, headers[b"content-length"]) == (200, b"ab", b"2")


def test_nothing_that_is_written_in_percent_does(gate, page):
    assert ask(gate, "GET", "/assets/index.js", raw_path=b"/assets/index%2Ejs")[0] == 404
    assert page.asked == []


def test_every_answer_forbids_the_browser_to_ask_elsewhere(gate):
    for answer in (ask(gate, "GET", "/"), ask(gate, "GET", "/nothing"), ask(gate, "GET", "/examples/one.mp4")):
        given = {name.lower().decode(): value.decode() for name, value in answer[1].items()}
        assert given.items() >= HEADERS.items()
        assert sum(name.lower() == b"referrer-policy" for name in answer[1]) == 1
    assert POLICY["default-src"] == "'none'"
    for sources in POLICY.values():
        assert set(sources.split()) <= {"'none'", "'self'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}


def test_examples_are_sent(gate):
    status, headers, body = ask(gate, "GET", "/examples/one.mp4")
    assert (status, headers[b"content-type"], body) == (200, b"video/mp4", b"an example")


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.example:80", "", "127.0.0.2"])
def test_other_names_are_refused(gate, page, host):
    assert ask(gate, "GET", "/", host=host)[0] == 403
    assert page.asked == []


def test_any_name_will_do_where_everybody_may_come(gate, page):
    gate.hosts = None
    assert ask(gate, "GET", "/", host="demo.example:8000")[0] == 200
    assert ask(gate, "GET", "/", host="[::1]:8000")[0] == 200


def test_other_pages_can_not_send(gate):
    for origin in ("http://elsewhere.example", "null", "http://127.0.0.1:80"):
        status, _, body = ask(gate, "POST", "/clips", parts=(b"abc",), origin=origin)
        assert (status, b"Only the page of the demo" in body) == (403, True)
    assert ask(gate, "POST", "/clips", parts=(b"abc",), origin="http://127.0.0.1:7860")[0] == 200


def kept(gate):
    return sorted(path.read_bytes() for path in gate.store.folder.iterdir())


def test_a_clip_is_received_under_a_token(gate):
    status, _, body = ask(gate, "POST", "/clips", parts=(b"ab", b"", b"cde"))
    assert status == 200
    path = gate.store.path_of(json.loads(body)["token"])
    assert path.read_bytes() == b"abcde"
    assert path.parent == gate.store.folder


@pytest.mark.parametrize(
    ("request_", "status", "told"),
    [
        ({"parts": (b"",)}, 413, "empty"),
        ({"parts": (b"x" * 600_000, b"x" * 400_000, b"x")}, 413, "has 1 MB"),
        ({"parts": (b"x",), "content_length": "200000000"}, 413, "has 200 MB and this page takes up to 1 MB"),
        ({"parts": (b"x",), "is_cut": True}, 400, "closed before"),
    ],
)
def test_clips_that_are_not_kept(gate, request_, status, told):
    found, _, body = ask(gate, "POST", "/clips", **request_)
    assert found == status
    assert told in json.loads(body)["error"]
    assert kept(gate) == []
    assert ask(gate, "POST", "/clips", parts=(b"x" * 10**6,))[0] == 200


def test_more_clips_than_there_is_room_for(gate):
    assert [ask(gate, "POST", "/clips", parts=(b"x",))[0] for _ in range(3)] == [200, 200, 503]
    assert kept(gate) == [b"x", b"x"]


def test_a_disk_without_room(gate, monkeypatch):
    gate.store.folder.rmdir()
    status, _, body = ask(gate, "POST", "/clips", parts=(b"x",))
    assert (status, json.loads(body)["error"]) == (507, "The server has no room for the file; try again later.")
    assert gate.store.new()[0]


def test_requests_of_the_page_are_small(gate, page):
    sent = json.dumps(JOIN).encode().ljust(MAX_JSON_BYTES)
    assert ask(gate, "POST", "/gradio_api/queue/join", parts=(sent,))[0] == 200
    assert ask(gate, "POST", "/gradio_api/queue/join", parts=(sent, b" "))[0] == 413
    assert len(page.asked) == 1


@pytest.mark.parametrize("path", ["/dev/zero", "/etc/passwd", "http://192.0.2.1/x"])
def test_no_file_of_a_request_reaches_the_page(gate, page, path):
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for values in ({"data": [file]}, {"event_data": {"token": file}}, {"event_data": file}, {"more": file}):
        status, _, body = ask(gate, "POST", "/gradio_api/queue/join", parts=(json.dumps({**JOIN, **values}).encode(),))
        assert status == 400
        assert json.loads(body)["error"].endswith(".")
    assert page.asked == []


def test_websockets_get_no_answer_and_the_start_is_passed_on(gate, page):
    async def never(*_):
        raise AssertionError

    asyncio.run(gate({"type": "websocket", "path": "/"}, never, never))
    assert page.asked == []
