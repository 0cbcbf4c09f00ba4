"""The last items of a sequence that does not end, in order and in memory that does not grow."""

from functools import partial
from typing import Any

import numpy as np


class TokenRing:
    """Keeps the last items that were appended: tokens of steps, frames, times.

    The items lie one behind the other in memory for twice as many. When the end is reached, those that still count
    move to the start, so that the last ones are a view at any time and each is moved once at most in `num_kept`.

    Args:
        num_kept: items that are kept, at least 1.
    """

    def __init__(self, num_kept: int) -> None:
        assert num_kept >= 1
        self.num_kept = num_kept
        self._memory: Any = None
        self._start = self._end = 0

    def __len__(self) -> int:
        """Items that are there, `num_kept` at most."""
        return self._end - self._start

    @property
    def num_bytes(self) -> int:
        """Of the memory, 0 before the first item."""
        return 0 if self._memory is None else int(self._memory.nbytes)

    def append(self, items: Any) -> None:
        """Add items, and forget the oldest ones beyond `num_kept`.

        Args:
            items: (n, ...), an array of numpy or a tensor, on any device; of later ones only n differs.

        Raises:
            ValueError: the items have other sizes, or another type, than those before.
        """
        items = items[-self.num_kept :]
        num_new = len(items)
        if self._memory is None:
            empty = getattr(items, "new_empty", partial(np.empty, dtype=items.dtype))
            self._memory = empty((2 * self.num_kept, *items.shape[1:]))
        self._require_alike(items)
        num_old = min(len(self), self.num_kept - num_new)
        if self._end + num_new > 2 * self.num_kept:
            self._memory[:num_old] = self._memory[self._end - num_old : self._end]  # apart from each other
            self._end = num_old
        self._memory[self._end : self._end + num_new] = items
        self._end += num_new
        self._start = self._end - num_old - num_new

    def latest(self, count: int) -> Any:
        """The last `count` items (count, ...), the oldest first: a view that holds until the next `append`."""
        assert 1 <= count <= len(self)
        return self._memory[self._end - count : self._end]

    def clear(self) -> None:
        """Forget all items, and their sizes and type."""
        self._memory = None
        self._start = self._end = 0

    def _require_alike(self, items: Any) -> None:
        if items.shape[1:] != self._memory.shape[1:] or items.dtype != self._memory.dtype:
            raise ValueError(
                f"what is kept of the stream has sizes {tuple(self._memory.shape[1:])} and type {self._memory.dtype}, "
                f"and now {tuple(items.shape[1:])} and {items.dtype} came; call reset() when the model changes"
            )
