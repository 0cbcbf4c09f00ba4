"""Small pictures of files for a page, within a bounded time."""

import io
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from stvit_video.pages.render import jpeg_data

__all__ = ["Thumbnail", "read_thumbnails"]

SIDE_PIXELS = 160
QUALITY = 80  # of a JPEG, 0 to 100
MAX_SECONDS = 20.0
MAX_REASON_LENGTH = 300


class Thumbnail(NamedTuple):
    """A small picture.

    Attributes:
        src: for an `<img>`; "" = there is none.
        reason: why there is none.
    """

    src: str
    reason: str


def read_thumbnails(
    names: Sequence[str], read: Callable[[str], np.ndarray], *, max_seconds: float = MAX_SECONDS
) -> list[Thumbnail]:
    """A thumbnail of each file, one after the other; what is left when the time is over has that for a reason.

    Args:
        names: of the files.
        read: gives a picture, (H, W, 3) uint8 RGB, and bounds the time of one reading. Whatever it raises is the
            reason of the file.
        max_seconds: no reading begins later.
    """
    begin, found = time.monotonic(), []
    for name in names:
        seconds = time.monotonic() - begin
        found.append(_thumbnail(name, read) if seconds <= max_seconds else Thumbnail("", _over(max_seconds)))
    return found


def _thumbnail(name: str, read: Callable[[str], np.ndarray]) -> Thumbnail:
    try:
        picture = Image.fromarray(read(name))
        picture.thumbnail((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BILINEAR)
        content = io.BytesIO()
        picture.save(content, format="JPEG", quality=QUALITY)
    except FileNotFoundError:
        return Thumbnail("", "the file is gone")
    except Exception as error:  # a page counts more than one of its pictures
        return Thumbnail("", (str(error) or type(error).__name__)[:MAX_REASON_LENGTH])
    return Thumbnail(jpeg_data(content.getvalue()), "")


def _over(max_seconds: float) -> str:
    return f"not read: the pictures of this page may take {max_seconds:g} s together"
