"""Files of drawn pictures, each written in one step, with the advice of a full disk."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.full_disk import full_disk_is_told

__all__ = ["FULL_ADVICE", "write_json_line", "write_png"]

FULL_ADVICE = "make room, and give the same command again"


def write_png(path: Path, picture: Image.Image) -> None:
    """Write a picture as PNG.

    Raises:
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    content = io.BytesIO()
    picture.save(content, format="PNG")
    _write(path, content.getvalue())


def write_json_line(path: Path, content: Mapping[str, Any]) -> None:
    """Write values as one line of JSON (UTF-8; what is no UTF-8 in a name is escaped).

    Raises:
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    _write(path, (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", errors="backslashreplace"))


def _write(path: Path, content: bytes) -> None:
    with full_disk_is_told(path, advice=FULL_ADVICE), atomically(path) as part:
        part.write_bytes(content)
