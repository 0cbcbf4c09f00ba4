"""Frames and maps of a video as the script of its page draws them: JPEGs and bytes, small enough for one file."""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import Any, get_args

import numpy as np
from PIL import Image

from stvit_video.pages.render import jpeg_data
from stvit_video.visualization.token_captions import scale_words
from stvit_video.visualization.token_colours import AGAINST_COLOUR, FOR_COLOUR, OTHER_COLOUR, TOKEN_COLOURS
from stvit_video.visualization.token_record import ClipTokens, TokenValues, VideoTokens

__all__ = ["player_data"]

LONG_SIDES = (480, 320, 224, 160)  # of a frame in the page, pixels; the first with which all frames fit
QUALITY = 85  # of the JPEGs, whose colours are kept at full size
MIDDLE = 128  # the byte of a signed value of 0


def player_data(video: VideoTokens, *, max_bytes: int) -> tuple[dict[str, Any], list[str]]:
    """What the script of the page needs, and what was cut.

    Args:
        video: its tokens.
        max_bytes: of the frames in the page. The first clips are kept where not all fit at the smallest size.

    Returns:
        Values for JSON. Maps are base64 of bytes, T', H', W' each: `winners` number the named tokens by rank, and all
        others, or no token, are the number behind the last; `strengths` and `shares` (a map for each named token) are
        255 at `full_share`; `contributions` and `occlusions`, spread over what the tokens come from, are 128 at 0, and
        1 or 255 at `full_values` and beyond. `seen` is left, top, width and height in parts of a frame.
        Then a sentence for everything that was cut.
    """
    pictures, notes = _pictures(video, max_bytes)
    clips = [_clip(video, clip, shown) for clip, shown in zip(video.clips, pictures, strict=False)]
    values = {
        "clips": clips,
        "fps": video.shown_fps,
        "full_share": video.full_share,
        "scales": {values: scale_words(video, values) for values in get_args(TokenValues)},
        "num_tokens": video.num_tokens,
        "tokens": list(video.named),
        "colours": [list(colour) for colour in (*TOKEN_COLOURS[: len(video.named)], OTHER_COLOUR)],
        "signs": [list(FOR_COLOUR), list(AGAINST_COLOUR)],
        "is_semantic": video.is_semantic,
    }
    return values, notes


def _pictures(video: VideoTokens, max_bytes: int) -> tuple[list[list[str]], list[str]]:
    """The frames of each clip as addresses that hold them; the first clips where not all fit."""
    largest = max(max(clip.frames.shape[1:3]) for clip in video.clips)
    for side in LONG_SIDES:
        pictures, is_whole = _within(video.clips, side, max_bytes)
        if is_whole:
            break
    notes = []
    if side < largest:
        notes.append(f"Frames have {side} pixels on their long side here, of {largest}, to keep the page small.")
    if not is_whole:
        notes.append(f"The player has the first {len(pictures)} of {len(video.clips)} clips, to keep the page small.")
    return pictures, notes


def _within(clips: Sequence[ClipTokens], side: int, max_bytes: int) -> tuple[list[list[str]], bool]:
    """The clips that fit, at least one, and whether these are all of them."""
    pictures: list[list[str]] = []
    for clip in clips:
        shown = [jpeg_data(_jpeg(frame, side)) for frame in clip.frames]
        max_bytes -= sum(map(len, shown))
        if max_bytes < 0 and pictures:
            return pictures, False
        pictures.append(shown)
        if max_bytes < 0:
            return pictures, False
    return pictures, True


def _jpeg(frame: np.ndarray, side: int) -> bytes:
    image = Image.fromarray(frame)
    image.thumbnail((side, side))  # never larger than it is
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()


def _clip(video: VideoTokens, clip: ClipTokens, pictures: list[str]) -> dict[str, Any]:
    shares = clip.shares / video.full_share  # (K, T', H', W')
    ranks = np.full(len(shares), len(video.named), dtype=np.uint8)
    ranks[list(video.named)] = np.arange(len(video.named))
    winners = np.where(shares.any(axis=0), ranks[shares.argmax(axis=0)], len(video.named)).astype(np.uint8)
    top, left, bottom, right = clip.seen
    height, width = clip.frames.shape[1:3]
    return {
        "frames": pictures,
        "seconds": [round(float(one), 3) for one in clip.seconds],
        "steps": [clip.frame_step(number) for number in range(len(clip.frames))],
        "seen": [left / width, top / height, (right - left) / width, (bottom - top) / height],
        "grid": list(shares.shape[1:]),
        "winners": _base64(winners),
        "strengths": _base64(_bytes(shares.max(axis=0))),
        "shares": _base64(_bytes(shares[list(video.named)])),
        **{values: _base64(_signed_bytes(video, clip, values)) for values in get_args(TokenValues)},
    }


def _signed_bytes(video: VideoTokens, clip: ClipTokens, values: TokenValues) -> np.ndarray:
    spread = clip.spread(getattr(clip, values)) / (video.full_values[values] or 1.0)
    return np.rint(MIDDLE + 127 * np.clip(spread, -1, 1)).astype(np.uint8)


def _bytes(parts: np.ndarray) -> np.ndarray:
    """Parts of a whole, 0 to 1, as bytes."""
    return np.rint(255 * parts).astype(np.uint8)


def _base64(values: np.ndarray) -> str:
    return b64encode(values.tobytes()).decode("ascii")
