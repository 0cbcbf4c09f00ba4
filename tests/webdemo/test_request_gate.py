"""The gate, asked as a server asks it, without one and without gradio."""

import asyncio
import json
import time

import pytest

from stvit_video.webdemo import request_body
from stvit_video.webdemo.clip_limits import ClipLimits
from stvit_video.webdemo.clip_store import UNCLAIMED_SECONDS, ClipStore
from stvit_video.webdemo.host_names import HostNames, host_names
from stvit_video.webdemo.request_body import MAX_JSON_BYTES
from stvit_video.webdemo.request_gate import MAX_TOLD, RequestGate
from stvit_video.webdemo.request_headers import HEADERS
from tests.helpers.demo_requests import LET_THROUGH, REFUSED

JOIN = {"data": [16], "event_data": {"token": "a"}, "fn_index": 0, "trigger_id": 3, "session_hash": "s"}


class Page:
    """An application that notes what it is asked, and answers with what it was sent."""

    def __init__(self):
        self.asked = []
        self.scopes = []

    async def __call__(self, scope, receive, send):
        self.asked.append(scope["path"])
        self.scopes.append(scope)
        message = await receive()
        headers = [(b"content-type", b"text/plain"), (b"Referrer-Policy", b"unsafe-url")]
        headers += [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-allow-credentials", b"true")]
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
        hosts=HostNames(frozenset({"127.0.0.1", "::1"})),
        examples={"/examples/one.mp4": tmp_path / "one.mp4"},
        events={0: [(4, 32)]},
    )


def ask(gate, method, path, *, parts=(b"",), raw_path=None, is_cut=False, **headers):
    """Status, headers and body of the answer to a body that comes in parts."""
    headers = {"host": "127.0.0.1:7860", **headers}
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "client": ("192.0.2.7", 4711),
        "server": ("127.0.0.1", 7860),
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
    assert (status, page.asked) == (200, [path.partition("?")[0]])
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
        assert not [name for name in given if name.startswith("access-control-")]


def test_examples_are_sent(gate):
    status, headers, body = ask(gate, "GET", "/examples/one.mp4")
    assert (status, headers[b"content-type"], body) == (200, b"video/mp4", b"an example")


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.example:80", "", "127.0.0.2"])
def test_other_names_are_refused(gate, page, host):
    assert ask(gate, "GET", "/", host=host)[0] == 403
    assert page.asked == []


def test_addresses_will_do_where_everybody_may_come_and_names_of_others_will_not(gate, page):
    gate.hosts = host_names("0.0.0.0")
    assert ask(gate, "GET", "/", host="192.0.2.3:8000")[0] == 200
    assert ask(gate, "GET", "/", host="[::1]:8000")[0] == 200
    status, _, body = ask(gate, "GET", "/", host="rebound.example:7860")
    assert (status, b"port 7860" in body) == (403, True)


def test_the_page_is_told_of_no_proxy_and_no_query(gate, page):
    lies = {"x_forwarded_host": "a.example", "x_forwarded_proto": "https", "forwarded": "host=a", "x_gradio_user": "x"}
    sent = json.dumps(JOIN).encode()
    ask(gate, "GET", "/?view=api&deep_link=x", accept="text/html", accept_encoding="gzip", cookie="a=b", **lies)
    ask(
        gate, "GET", "/assets/x.js?v=../x", accept_encoding="gzip", range="bytes=0-1", origin="http://a.example", **lies
    )
    ask(gate, "POST", "/gradio_api/queue/join?x=1", parts=(sent,), content_length="999", **lies)
    ask(gate, "GET", "/gradio_api/queue/data?session_hash=s1", **lies)
    told = [{name.decode() for name, _ in scope["headers"]} - {"host"} for scope in page.scopes]
    assert told == [{"accept"}, {"accept-encoding", "range"}, {"content-type", "content-length"}, set()]
    assert dict(page.scopes[2]["headers"])[b"content-length"] == str(len(sent)).encode()
    assert [scope["query_string"] for scope in page.scopes] == [b"", b"", b"", b"session_hash=s1"]


@pytest.mark.parametrize("query", ["", "?session_hash=", "?session_hash=a/b", "?session_hash=a&x=1", "?x=1"])
def test_events_are_of_a_session(gate, page, query):
    assert ask(gate, "GET", f"/gradio_api/queue/data{query}")[0] == 400
    assert page.asked == []


def test_failures_of_the_page_are_told_in_a_line_and_not_for_ever(gate, capfd):
    async def fails(scope, receive, send):
        raise RuntimeError("secret")

    gate.app = fails
    for _ in range(MAX_TOLD + 5):
        status, _, body = ask(gate, "GET", "/theme.css")
        assert (status, b"secret" in body) == (500, False)
    said = capfd.readouterr().err.splitlines()
    assert said == ["a request of /theme.css failed: RuntimeError"] * MAX_TOLD


def test_the_end_closes_what_is_open(gate):
    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"alive", "more_body": True})
        assert await receive() == {"type": "http.disconnect"}

    async def work():
        gate.app = stream
        sent, started = [], asyncio.Event()

        async def send(message):
            sent.append(message)
            started.set()

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/gradio_api/heartbeat/s",
            "headers": [(b"host", b"127.0.0.1")],
        }
        open_request = asyncio.ensure_future(gate(scope, asyncio.Event().wait, send))
        await started.wait()
        gate.end()
        await asyncio.wait_for(open_request, 20)
        return sent

    sent = asyncio.run(work())
    assert sent[-1] == {"type": "http.response.body", "body": b""}
    assert [one.get("body") for one in sent[1:]] == [b"alive", b""]


def test_other_pages_can_not_send(gate):
    for origin in ("http://elsewhere.example", "null", "http://127.0.0.1:80", "http://[", ""):
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
    tokens = [json.loads(ask(gate, "POST", "/clips", parts=(b"x",))[2])["token"] for _ in range(2)]
    for token in tokens:
        gate.store.claim(token, token[:8])
    status, _, body = ask(gate, "POST", "/clips", parts=(b"x",))
    assert (status, b"keeps 2 clips" in body) == (503, True)
    assert kept(gate) == [b"x", b"x"]


def test_a_clip_that_stops_coming_goes_and_a_silent_one_takes_no_place(gate, monkeypatch):
    monkeypatch.setattr(request_body, "IDLE_SECONDS", 0.05)

    async def work(parts):
        coming, sent = list(parts), []

        async def receive():
            if coming:
                return {"type": "http.request", "body": coming.pop(0), "more_body": True}
            places.append(len(gate.store._clips))
            return await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/clips", "headers": [(b"host", b"127.0.0.1")]}
        await gate(scope, receive, send)
        return sent[0]["status"], dict(sent[0]["headers"])

    places = []
    for parts in ([], [b""], [b"", b"abc"]):
        status, headers = asyncio.run(work(parts))
        assert (status, headers[b"connection"]) == (408, b"close")
    assert places == [0, 0, 1]
    assert kept(gate) == []
    assert gate.store._clips == {}


def test_a_clip_is_claimed_by_the_page_that_asks_for_it(gate, monkeypatch):
    token = json.loads(ask(gate, "POST", "/clips", parts=(b"x",))[2])["token"]
    other = json.loads(ask(gate, "POST", "/clips", parts=(b"y",))[2])["token"]
    sent = json.dumps({**JOIN, "event_data": {"token": token}}).encode()
    assert ask(gate, "POST", "/gradio_api/queue/join", parts=(sent,))[0] == 200
    later = time.monotonic() + UNCLAIMED_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    gate.store.drop_old()
    assert (gate.store.path_of(token) is not None, gate.store.path_of(other)) == (True, None)
    gate.store.drop_session("s")
    assert kept(gate) == []


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
