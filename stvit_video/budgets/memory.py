"""Work that may not fit into memory: done again with half as much at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

from stvit_video.utils.memory_errors import is_short_of_memory


class NoMemoryError(RuntimeError):
    """Not even one view at a time fits into memory."""


def in_halves(work: Callable[[Tensor], Tensor], items: Tensor, *, at_once: int) -> tuple[Tensor, int]:
    """`work` on all items, a number of them at a time; half as many where they don't fit into memory.

    Args:
        work: (n, ...) -> (n, ...).
        items: (N, ...), N >= 1.
        at_once: most items at a time, 1 or more.

    Returns:
        The results (N, ...), and the number at a time that did fit.

    Raises:
        NoMemoryError: one alone does not fit.
    """
    done: list[Tensor] = []
    start = 0
    while start < len(items):
        try:
            done.append(work(items[start : start + at_once]))
        except (RuntimeError, MemoryError) as error:
            if not is_short_of_memory(error):
                raise
            count = min(at_once, len(items) - start)
            if count == 1:
                raise NoMemoryError("one view does not fit into memory") from error
            at_once = count // 2
        else:
            start += at_once
            continue
        if torch.cuda.is_available():
            torch.cuda.empty_cache()  # here, where the error holds nothing any more
    return torch.cat(done), at_once
