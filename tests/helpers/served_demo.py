"""The demo as its own command in a process of its own, and headless Chromium that opens its page."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")

PATIENCE_SECONDS = 60.0


@contextmanager
def served_demo(*words: str, folder: Path) -> Iterator[str]:
    """The address of a demo that is started with these words; it ends with SIGTERM, and must leave nothing in `folder`.

    Args:
        words: of the command line.
        folder: its place for temporary files; made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stvit_video.demo", "port=0", *words],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

        def said() -> str:
            output.seek(0)
            return output.read()

        try:
            yield wait_for(
                lambda: _address(said()) if process.poll() is None else pytest_fail(said()), "the demo to start"
            )
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()
                print(said())


def pytest_fail(text: str) -> Any:
    raise AssertionError(f"the demo has ended: {text}")


def _address(text: str) -> str:
    found = re.search(r"the demo is at (http://\S+) until", text)
    return found.group(1) if found else ""


@contextmanager
def chromium(*, size: tuple[int, int] = (1280, 1400), dark: bool = False) -> Iterator[Any]:
    """Headless Chromium, which tells of every request."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for word in (
        *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--mute-audio"),
        *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        f"--window-size={size[0]},{size[1]}",
        *(["--force-dark-mode"] if dark else []),
    ):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService("/usr/bin/chromedriver") if Path("/usr/bin/chromedriver").exists() else None
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


def asked_addresses(driver: Any) -> list[str]:
    """Every address that the pages have asked for since the last call."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]


def wait_for(look: Callable[[], Found], what: str, *, seconds: float = PATIENCE_SECONDS) -> Found:
    """What `look` gives once it is true."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:g} s for {what}")
        time.sleep(0.1)


def text_of(driver: Any, name: str) -> str:
    """The text of a part of the page."""
    return str(driver.find_element("css selector", f"#{name}").text)


def send_file(driver: Any, path: Path) -> None:
    """Choose a file, as a visitor does."""
    driver.find_element("css selector", "#drop-zone .drop-file").send_keys(str(path))


def files_below(folder: Path) -> Sequence[Path]:
    """All files, sorted, but for locks and the examples."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.parent.name == "clips")
