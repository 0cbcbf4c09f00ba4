"""The server of the page: one process, on one address, until Ctrl-C or SIGTERM."""

import errno
import importlib.util
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stvit_video.data.decoding.isolated_backend import stop_idle_decoders
from stvit_video.webdemo.answers import DemoAnswers
from stvit_video.webdemo.clip_limits import ClipLimits
from stvit_video.webdemo.clip_store import ClipStore, open_store
from stvit_video.webdemo.demo_model import DemoModel
from stvit_video.webdemo.demo_page import build_page, load_gradio, page_head
from stvit_video.webdemo.example_clips import draw_examples
from stvit_video.webdemo.host_names import HERE, HostNames, host_names
from stvit_video.webdemo.join_request import Span
from stvit_video.webdemo.no_files import without_files
from stvit_video.webdemo.page_server import MAX_CONNECTIONS, run_server
from stvit_video.webdemo.request_gate import EXAMPLES_AT, RequestGate

__all__ = ["quiet_gradio", "require_gradio", "serve_demo"]

SETTINGS = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def serve_demo(
    models: Sequence[DemoModel],
    *,
    host: str,
    port: int,
    more_names: Sequence[str] = (),
    limits: ClipLimits,
    keep_seconds: float = 600.0,
    root: Path | None = None,
) -> None:
    """Serve the page until the process is asked to end; the folder of the clips is removed then.

    Args:
        models: one, or two.
        host: address to listen at; port likewise, 0 = any free one.
        more_names: see `host_names`.
        limits: of a clip.
        keep_seconds: see `ClipStore`.
        root: see `open_store`.

    Raises:
        MissingLibraryError: gradio is not installed, or PyAV, which draws the examples.
        OSError: nobody can listen there, or there is no room.
        KeyboardInterrupt: Ctrl-C, once all is cleaned up.
    """
    with listening(host, port) as channel, open_store(keep_seconds=keep_seconds, root=root) as store:
        quiet_gradio(store.folder.parent / "gradio")
        try:
            app = build_app(models, store=store, limits=limits, hosts=host_names(host, more_names))
            place = f"[{host}]" if ":" in host else host
            print(f"the demo is at http://{place}:{channel.getsockname()[1]} until Ctrl-C", flush=True)
            if host not in HERE:
                print(
                    f"everybody who reaches {host} can use it, and can send it clips; host=127.0.0.1 serves this "
                    "machine alone",
                    flush=True,
                )
            with without_files():
                run_server(app, channel)
        finally:
            stop_idle_decoders()


def require_gradio() -> None:
    """Raise at once where gradio is not installed; it is not imported, as settings come before that.

    Raises:
        MissingLibraryError: it is not.
    """
    if importlib.util.find_spec("gradio") is None:
        load_gradio()


def quiet_gradio(folder: Path) -> None:
    """Settings of gradio and of what it imports, before it is imported: our folder, and nothing sent to anybody.

    Args:
        folder: for its temporary files, of which the page makes none.
    """
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]  # among them shares, folders to serve and hosts
    os.environ.update(SETTINGS, GRADIO_TEMP_DIR=str(folder))


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: the port is taken, or the address is none of this machine; the message says what to do.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=MAX_CONNECTIONS)
    except OSError as error:
        way = (
            "give another port, or 0 for any free one"
            if error.errno in (errno.EADDRINUSE, errno.EACCES)
            else "give host= an address of this machine, or 0.0.0.0 for all of them"
        )
        raise OSError(f"host={host} port={port} can't be listened at ({error.strerror or error}); {way}") from error


def build_app(models: Sequence[DemoModel], *, store: ClipStore, limits: ClipLimits, hosts: HostNames) -> RequestGate:
    """The page behind its gate.

    Args:
        models, store, limits: see `DemoAnswers`.
        hosts: see `RequestGate`.

    Raises:
        MissingLibraryError, OSError: as `serve_demo`.
    """
    gr = load_gradio()
    import fastapi

    drawn = draw_examples(store)
    examples = [{"name": name, "token": token, "address": f"{EXAMPLES_AT}{path.name}"} for name, token, path in drawn]
    page = build_page(DemoAnswers(models, store=store, limits=limits), examples=examples)
    outer = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app: Any = gr.mount_gradio_app(
        outer,
        page,
        path="/",
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        head=page_head(),
        footer_links=[],
        allowed_paths=[],
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
    )
    return RequestGate(
        app,
        store=store,
        limits=limits,
        hosts=hosts,
        examples={f"{EXAMPLES_AT}{path.name}": path for _, _, path in drawn},
        events=page_events(page),
    )


def page_events(page: Any) -> dict[int, list[Span | None]]:
    """The events of a page of gradio, as `checked_join` takes them."""

    def span(part: Any) -> Span | None:
        return (part.minimum, part.maximum) if part.get_block_name() == "slider" else None

    return {number: [span(part) for part in event.inputs] for number, event in page.fns.items()}
