"""Many short texts in one block of memory."""

from collections.abc import Iterable

import numpy as np


class PackedTexts:
    """A list of texts that loader processes share with the process that made it.

    Of a list of Python texts each process would make a copy of its own, as it counts who uses a text beside the text.

    Args:
        texts: in order.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        parts = [text.encode() for text in texts]
        self._ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)  # (n + 1,)
        self._bytes = np.frombuffer(b"".join(parts), np.uint8)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        """A text.

        Raises:
            IndexError: there is none of this number.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        return self._bytes[self._ends[index] : self._ends[index + 1]].tobytes().decode()
