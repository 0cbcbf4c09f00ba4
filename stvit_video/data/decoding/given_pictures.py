"""Pictures that a caller gives as a path or as pixels."""

import os
from pathlib import Path

import numpy as np

from stvit_video.data.decoding.pictures import decode_picture
from stvit_video.data.decoding.request import DecodeError

__all__ = ["picture_bytes", "picture_pixels"]


def picture_pixels(given: object) -> np.ndarray:
    """Pixels (H, W, 3) uint8 RGB of a picture that is given as a path or as these pixels.

    Raises:
        DecodeError: the file can't be read.
        ValueError: something else is given.
    """
    if isinstance(given, (str, os.PathLike)):
        with decode_picture(picture_bytes(given), name=os.fspath(given)) as picture:
            return picture.read([0])[0]
    if not isinstance(given, np.ndarray):
        raise ValueError(f"a picture is a path or its pixels (H, W, 3) uint8, RGB, got {type(given).__name__}")
    if given.ndim != 3 or given.shape[2] != 3 or given.dtype != np.uint8:
        raise ValueError(f"a picture is a path or its pixels (H, W, 3) uint8, RGB, got {given.shape} {given.dtype}")
    return given


def picture_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a file.

    Raises:
        DecodeError: it can't be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DecodeError(f"can't read the picture {os.fspath(path)!r}: {error.strerror}") from error
