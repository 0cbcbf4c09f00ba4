"""Two fingerprints of a video: of its bytes, equal for copies only, and of its pictures, alike after re-encoding.

The perceptual one is a difference hash: a frame shrunk to 9 x 8 grey cells, and for each cell whether its right
neighbour is brighter. It survives scaling, compression and changes of brightness, not mirroring or cropping.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HASH_ROWS, HASH_COLUMNS = 8, 9
NUM_BITS = HASH_ROWS * (HASH_COLUMNS - 1)
HASHED_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a video's length
MIN_CONTRAST = 6.0  # standard deviation of the cells in grey levels; below, noise decides the bits
_CHUNK_BYTES = 2**20
_GREY = np.array([0.299, 0.587, 0.114])  # Source: ITU-R BT.601, luma


def content_hash(path: str | Path) -> str:
    """Hexadecimal digest (128 bit) of all bytes of a file.

    Raises:
        OSError: the file can't be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def hashed_positions(num_frames: int) -> list[int]:
    """The frames that stand for a video: one at each of HASHED_PLACES; a frame may stand there twice.

    Raises:
        ValueError: no frames.
    """
    if num_frames < 1:
        raise ValueError(f"num_frames={num_frames} must be at least 1")
    return [min(int(place * num_frames), num_frames - 1) for place in HASHED_PLACES]


def mean_cells(picture: NDArray[Any], *, rows: int, columns: int) -> NDArray[np.float64]:
    """Mean of each cell when a picture is cut into rows x columns cells, which may share pixels.

    Args:
        picture: (H, W) or (H, W, C), of any size from 1 x 1 on.
        rows: cells from top to bottom.
        columns: cells from left to right.

    Returns:
        (rows, columns) or (rows, columns, C).
    """
    height, width = picture.shape[:2]
    top, bottom = _edges(height, rows)
    left, right = _edges(width, columns)
    sums = np.zeros((height + 1, width + 1, *picture.shape[2:]))
    sums[1:, 1:] = picture.cumsum(0, dtype=np.float64).cumsum(1)  # sums[y, x]: everything above y and left of x
    total = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left] + sums[top][:, left]
    area = np.multiply.outer(bottom - top, right - left)  # (rows, columns) pixels
    return total / area.reshape(area.shape + (1,) * (picture.ndim - 2))


def frame_hash(frame: NDArray[np.uint8]) -> int | None:
    """Difference hash of one frame.

    Args:
        frame: (H, W, 3) RGB.

    Returns:
        NUM_BITS bits as an integer; None for a picture with next to no contrast (black, white, plain).

    Source: N. Krawetz, "Kind of Like That", hackerfactor.com, 2013.
    """
    cells = mean_cells(frame @ _GREY, rows=HASH_ROWS, columns=HASH_COLUMNS)  # (8, 9)
    if cells.std() < MIN_CONTRAST:
        return None
    bits = (cells[:, 1:] > cells[:, :-1]).ravel()  # (64,)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def hamming_distances(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Number of differing bits, element by element (arrays broadcast)."""
    differing = np.ascontiguousarray(hashes ^ others)
    return _BITS_SET[differing[..., None].view(np.uint16)].sum(-1)


def _edges(size: int, parts: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last-plus-one pixel of each of `parts` cells along an axis of `size` pixels; none is empty."""
    number = np.arange(parts)
    return number * size // parts, np.maximum((number + 1) * size // parts, number * size // parts + 1)


def _popcounts() -> NDArray[np.uint8]:
    values = np.arange(2**16, dtype=np.uint16)
    return np.unpackbits(values.view(np.uint8)).reshape(-1, 16).sum(1, dtype=np.uint8)


_BITS_SET = _popcounts()  # of each 16-bit number
