"""How long a call may take where nobody set a limit: as long as the work takes on a slow machine, and 10 s at least.

A file that hangs still ends: the more it holds, the later. Decoders make 100 to 2,000 million pixels a second on one
core; a machine whose cores are shared by many loaders, or which reads from a slow network drive, may be far slower.

The functions are pure.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence

__all__ = ["FLOOR_SECONDS", "decoding_seconds", "frames_to_decode", "listing_seconds"]

FLOOR_SECONDS = 10.0
SLOWEST_BYTES = 2e6  # a second, of a file whose packets are listed
SLOWEST_PIXELS = 20e6  # a second, decoded and made RGB
FRAME_SECONDS = 2e-3  # that a frame takes however small it is


def listing_seconds(num_bytes: int) -> float:
    """The limit for reading all packets of a file of so many bytes."""
    return max(FLOOR_SECONDS, math.ceil(num_bytes / SLOWEST_BYTES))


def decoding_seconds(num_frames: int, *, height: int, width: int) -> float:
    """The limit for decoding so many frames of height x width pixels."""
    return max(FLOOR_SECONDS, math.ceil(num_frames * (FRAME_SECONDS + height * width / SLOWEST_PIXELS)))


def frames_to_decode(keyframes: Sequence[int], positions: Iterable[int]) -> int:
    """The most frames that a decoder goes through to get the wanted ones, in display order.

    Args:
        keyframes: positions from which it may start, ascending, the first of them 0.
        positions: of the wanted frames.
    """
    count, following = 0, -1  # `following`: the position that the decoder comes to next; -1 = it stands nowhere
    for position in sorted(set(positions)):
        keyframe = keyframes[bisect_right(keyframes, position) - 1]
        start = keyframe if following < keyframe else following
        count, following = count + position + 1 - start, position + 1
    return count
