"""The server: what it is asked by others than its page, how many may come, and how it ends."""

import json
import os
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from served_demo import served_demo, wait_for

from stvit_video.webdemo.serve_demo import listening, quiet_gradio

PASSWORDS = "/etc/passwd"
ADVISORIES = (  # of gradio: reading by path, over links, by other routes; each as it was published, and encoded
    f"/gradio_api/file={PASSWORDS}",
    f"/file={PASSWORDS}",
    f"/gradio_api/file/{PASSWORDS}",
    "/gradio_api/file=..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/gradio_api/file=%2Fetc%2Fpasswd",
    "/gradio_api/file=/proc/self/environ",
    "/gradio_api/file=http://127.0.0.1:1/x",
    "/gradio_api/file=file:///etc/passwd",
    "/static/../../../../../../etc/passwd",
    "/static/..%2f..%2f..%2f..%2fetc/passwd",
    "/static//etc/passwd",
    "/assets/../../../__init__.py",
    "/assets/%2e%2e/%2e%2e/__init__.py",
    "/examples/../in_use.lock",
    "/gradio_api/proxy=http://127.0.0.1:1/",
    "/proxy=http://127.0.0.1:1/",
    "/gradio_api/custom_component/0/server/component/../../../../etc/passwd",
    "/gradio_api/stream/a/0/1/playlist.m3u8",
    "/gradio_api/upload_progress?upload_id=1",
    "/gradio_api/runs",
    "/gradio_api/openapi.json",
    "/gradio_api/info",
    "/monitoring",
    "/config",
    "/docs",
    "/openapi.json",
    "/login",
    "http://127.0.0.1:1/etc/passwd",
)
POSTED = (
    "/gradio_api/upload",
    "/upload",
    "/gradio_api/component_server",
    "/component_server",
    "/gradio_api/process_recording",
    "/gradio_api/run/predict",
    "/gradio_api/call/take",
    "/gradio_api/vibe-edit/",
    "/gradio_api/run-history/connect",
    "/login",
)


# --- without gradio ---


def test_what_the_environment_says_of_gradio_is_forgotten(monkeypatch, tmp_path):
    for name in ("GRADIO_SHARE", "GRADIO_ALLOWED_PATHS", "GRADIO_SERVER_NAME", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "/")
    for name in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_RUN_HISTORY", "HF_HUB_OFFLINE", "GRADIO_SSR_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "0")
    quiet_gradio(tmp_path)
    told = {name: value for name, value in os.environ.items() if name.startswith("GRADIO_")}
    assert told == {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_RUN_HISTORY": "False",
        "GRADIO_SSR_MODE": "False",
        "GRADIO_MCP_SERVER": "False",
        "GRADIO_TEMP_DIR": str(tmp_path),
    }
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] == "1"


def test_a_port_that_is_taken_and_an_address_of_no_machine_are_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"host=127.0.0.1 port={port} .*another port, or 0"):
            listening("127.0.0.1", port)
    with listening("127.0.0.1", 0) as free:
        assert free.getsockname()[1] > 0
    with pytest.raises(OSError, match=r"host=192\.0\.2\.1 .*an address of this machine"):  # of documentation alone
        listening("192.0.2.1", 0)


# --- a running demo ---


@pytest.fixture(scope="module")
def demo(elastic_run, tmp_path_factory):
    words = [f"ckpt_path={elastic_run.checkpoint}", "max_megabytes=1", "keep_minutes=0.2", "host_names=gpubox.lan"]
    with served_demo(*words, folder=tmp_path_factory.mktemp("demo")) as served:
        yield served


def upload(demo, content: bytes, **headers: str) -> tuple[int, dict]:
    status, body = demo.ask("/clips", method="POST", body=content, headers=headers)
    return status, json.loads(body)


def whole(demo) -> bool:
    status, body = demo.ask("/")
    return status == 200 and b"gradio_config" in body


@pytest.mark.browser
@pytest.mark.parametrize("path", ADVISORIES)
def test_nothing_is_read_by_its_path(demo, path):
    for method in ("GET", "HEAD"):
        status, body = demo.ask(path, method=method)
        assert status in (400, 403, 404, 422)
        assert b"root:" not in body
        assert b"Traceback" not in body


@pytest.mark.browser
@pytest.mark.parametrize("path", POSTED)
def test_nothing_is_written_or_called_beside_the_page(demo, path):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="../../../../etc/passwd"\r\n'
        b"Content-Type: video/mp4\r\n\r\nowned\r\n--x--\r\n"
    )
    status, body = demo.ask(path, method="POST", body=form, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert status == 404
    assert b"Traceback" not in body
    assert demo.clips() == []


@pytest.mark.browser
@pytest.mark.parametrize("path", ["/dev/zero", PASSWORDS, "http://127.0.0.1:1/x"])
def test_no_file_is_copied_and_no_address_fetched(demo, path):
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    good = {"fn_index": 0, "session_hash": "s", "trigger_id": 3, "event_data": {"token": "x"}}
    for values in ({"data": [file, 2]}, {"data": [4, 2], "event_data": {"token": file}}, {"data": [4, 2], "x": file}):
        status, body = demo.ask(
            "/gradio_api/queue/join?",
            method="POST",
            body=json.dumps({**good, **values}).encode(),
            headers={"Content-Type": "application/json"},
        )
        assert (status, "error" in json.loads(body)) == (400, True)
    assert demo.clips() == []
    assert whole(demo)


@pytest.mark.browser
def test_other_pages_and_other_names_of_this_machine_are_refused(demo):
    status, told = demo.ask("/", headers={"Host": "rebound.example"})
    assert (status, b"gpubox.lan" in told, b"start it with host_names=" in told) == (403, True, True)
    assert demo.ask("/", headers={"Host": "gpubox.lan:8443"})[0] == 200
    assert demo.ask("/", headers={"Host": "localhost:9999"})[0] == 200  # as through a tunnel
    status, told = upload(demo, b"x", Origin="http://elsewhere.example")
    assert (status, told) == (403, {"error": "Only the page of the demo itself may send to it."})
    assert demo.clips() == []


@pytest.mark.browser
def test_the_page_knows_no_path_and_no_other_machine(demo):
    _, page = demo.ask("/")
    text = page.decode()
    assert str(demo.folder) not in text
    assert "stvit_demo_" not in text
    assert "share=True" not in demo.said()
    assert demo.address.startswith("http://127.0.0.1:")


@pytest.mark.browser
def test_a_hundred_clips_leave_nothing(demo, elastic_run):
    content = (elastic_run.manifest.parent / "video 0.mp4").read_bytes()
    statuses = []
    for _ in range(100):
        status, told = upload(demo, content)
        statuses.append(status)
        assert set(told) == ({"token"} if status == 200 else {"error"})
    assert statuses == [200] * 100  # those that no page has claimed make room
    assert len(demo.clips()) <= 16
    wait_for(lambda: demo.clips() == [], "the clips to go")
    assert upload(demo, content)[0] == 200


@pytest.mark.browser
def test_twenty_visitors_at_once_get_labels_or_words(demo, elastic_run):
    content = (elastic_run.manifest.parent / "video 1.mp4").read_bytes()
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda number: visit(demo, content, f"visitor{number}"), range(20)))
    assert any("latency" in one for one in told), told
    words = ("latency", "busy", "no longer here")  # a slow machine takes longer than clips are kept in this demo
    assert all(any(word in one for word in words) for one in told), told
    assert whole(demo)
    wait_for(lambda: demo.clips() == [], "the clips to go")


def visit(demo, content: bytes, session: str) -> str:
    """What a visitor is told in the end: send a clip, and wait for the answer as the script of the page does."""
    status, told = upload(demo, content)
    if status != 200:
        return told["error"]
    status, answer = demo.ask_for_labels(told["token"], session)
    if status != 200:
        return answer.decode()
    status, events = demo.ask(f"/gradio_api/queue/data?session_hash={session}")
    return events.decode()


@pytest.mark.browser
def test_bodies_that_are_too_large_or_end_early_are_dropped(demo):
    assert upload(demo, b"x" * 10**6 + b"y")[0] == 413
    status, told = demo.ask("/clips", method="POST", headers={"Content-Length": str(200 * 10**6)})
    assert (status, b"200 MB and this page takes up to 1 MB" in told) == (413, True)
    host, port = demo.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(b"POST /clips HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5000\r\n\r\nabc")
        wait_for(demo.clips, "the first bytes")
    wait_for(lambda: demo.clips() == [], "the clip to go")
    assert demo.ask("/gradio_api/queue/join", method="POST", body=b" " * 70_000)[0] == 413
    assert whole(demo)


@pytest.mark.browser
def test_no_error_of_ours_was_told(demo):
    assert "Traceback" not in demo.said()


@pytest.mark.browser
def test_ctrl_c_leaves_nothing_nor_does_a_start_after_a_kill(elastic_run, tmp_path):
    with served_demo(f"ckpt_path={elastic_run.checkpoint}", folder=tmp_path) as demo:
        assert upload(demo, b"a clip")[0] == 200
        assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    (left,) = tmp_path.glob("stvit_demo_*")
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    with served_demo(f"ckpt_path={elastic_run.checkpoint}", folder=tmp_path) as demo:
        assert not left.exists()
        assert upload(demo, b"a clip")[0] == 200
        host, port = demo.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as page:
            page.sendall(b"GET /gradio_api/heartbeat/s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert page.recv(1)
            assert demo.end(signal.SIGINT) == 130
        assert demo.said().splitlines()[1:] in ([], ["interrupted"]), demo.said()
    assert list(tmp_path.glob("stvit_demo_*")) == []
