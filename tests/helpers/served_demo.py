"""The demo as a command in a process of its own, and what a visitor does on its page in `chromium`."""

import http.client
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

Found = TypeVar("Found")

PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class ServedDemo:
    """A demo that runs.

    Attributes:
        address: of its page.
        folder: its place for temporary files.
        process: it.
        said: gives what it has printed.
    """

    address: str
    folder: Path
    process: "subprocess.Popen[bytes]"
    said: Callable[[], str]

    def clips(self) -> list[Path]:
        """The files of visitors, and whatever else is there but for the lock and the examples."""
        return [
            path
            for path in self.folder.glob("stvit_demo_*/**/*")
            if path.is_file()
            and path.name != "in_use.lock"
            and not (path.parent.name != "clips" and path.suffix == ".mp4")
        ]

    def ask(
        self, path: str, *, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer to a request whose path is sent as it stands."""
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
        try:
            connection.putrequest(method, path, skip_host="Host" in (headers or {}))
            length = len(body) if isinstance(body, bytes) else 0
            for name, value in {"Content-Length": str(length), **(headers or {})}.items():
                connection.putheader(name, value)
            connection.endheaders(body if isinstance(body, bytes) else None)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    @cached_property
    def _page(self) -> dict[str, Any]:
        """The parts and events of the page, as gradio tells its script."""
        page = self.ask("/")[1].decode()
        return dict(json.loads(page.partition("window.gradio_config = ")[2].partition(";</script>")[0]))

    def ask_for_labels(self, token: str, session: str) -> tuple[int, bytes]:
        """Ask for the labels of a clip as the page does, at the values where its sliders stand at first."""
        values = {part["id"]: part["props"].get("value") for part in self._page["components"]}
        events = self._page["dependencies"]
        take = next(one for one in events if any(target[1] == "clip" for target in one["targets"]))
        data = [values[number] for number in take["inputs"]]
        body = {"fn_index": take["id"], "session_hash": session, "event_data": {"token": token}, "data": data}
        return self.ask(
            "/gradio_api/queue/join",
            method="POST",
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit status after a signal."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@contextmanager
def served_demo(*words: str, folder: Path) -> Iterator[ServedDemo]:
    """A demo that is started with these words; the test is skipped where gradio is not installed.

    Args:
        words: of the command line.
        folder: its place for temporary files; made where it is missing.
    """
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("gradio is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "GRADIO_SHARE": "True"}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stvit_video.demo", "port=0", "device=cpu", *words],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def said() -> str:
            output.seek(0)
            return output.read()

        def address() -> str:
            found = re.search(r"the demo is at (http://\S+) until", said())
            assert found or process.poll() is None, said()
            return found.group(1) if found else ""

        try:
            yield ServedDemo(wait_for(address, "the demo to start"), folder, process, said)
        finally:
            is_over = process.poll() is not None
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()
                process.wait()
                print(said())
        if not is_over:
            assert process.returncode == 128 + signal.SIGTERM
            assert list(folder.glob("stvit_demo_*")) == []


def wait_for(look: Callable[[], Found], what: str, *, seconds: float = PATIENCE_SECONDS) -> Found:
    """What `look` gives once it is true."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)


def open_page(browser: Any, address: str) -> None:
    """Open the page of a demo, and wait until it is there."""
    browser.get(address)
    wait_for(lambda: browser.find_elements("css selector", ".examples button"), "the page")


def text_of(browser: Any, name: str) -> str:
    """The text of the part of the page with this id."""
    return str(browser.execute_script("return document.getElementById(arguments[0])?.innerText || ''", name)).strip()


def send_file(browser: Any, path: Path) -> None:
    """Choose a file, as a visitor does."""
    browser.find_element("css selector", "#drop-zone .drop-file").send_keys(str(path))


def plays(browser: Any, selector: str) -> bool:
    """Whether a video is there that can be played, and has pictures."""
    script = "const v = document.querySelector(arguments[0]); return Boolean(v && v.readyState >= 2 && v.videoWidth)"
    return bool(browser.execute_script(script, selector))


def asked_addresses(browser: Any) -> list[str]:
    """Every address that pages have asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
