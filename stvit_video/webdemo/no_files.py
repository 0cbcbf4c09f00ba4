"""Gradio without files: while the demo serves, it neither copies a path nor fetches an address, whoever asks for it.

`RequestGate` lets no request through that names a file. This is the wall behind it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from stvit_video.webdemo.demo_page import load_gradio

__all__ = ["without_files"]


@contextmanager
def without_files() -> Iterator[None]:
    """Within, gradio raises PermissionError for every file of a value that comes from a browser or goes to one.

    Its parts take a file through two methods of `Block`, in every version from 6.16 on, and fetch an address through
    one function.

    Raises:
        MissingLibraryError: gradio is not installed.
    """
    gr = load_gradio()
    block, tools = gr.blocks.Block, gr.processing_utils
    with ExitStack() as stack:
        stack.enter_context(_replaced(block, "move_resource_to_block_cache", _refuse))
        stack.enter_context(_replaced(block, "async_move_resource_to_block_cache", _refuse_later))
        stack.enter_context(_replaced(tools, "async_ssrf_protected_get", _refuse_later))
        yield


def _refuse(*_: Any, **__: Any) -> None:
    raise PermissionError("the page of the demo has no files, and one was named")


async def _refuse_later(*_: Any, **__: Any) -> None:
    _refuse()


@contextmanager
def _replaced(owner: Any, name: str, function: Any) -> Iterator[None]:
    before = getattr(owner, name)  # an AttributeError tells of a version of gradio that does it in another way
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, before)
