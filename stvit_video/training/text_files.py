"""Text files that are there whole or not at all, also after a power cut."""

import os
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write a text file in one step; after a power cut it is the old one or the new one.

    Raises:
        OSError: it can't be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
