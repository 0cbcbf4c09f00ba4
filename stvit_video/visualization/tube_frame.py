"""Frames with their tokens: each cell in the colour of the token that has most of it, or the share of one token."""

from collections.abc import Collection

import numpy as np

from stvit_video.visualization.token_cells import (
    cells_to_pixels,
    draw_box,
    grey_picture,
    shown_frame,
    tinted,
)
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of, rank_of
from stvit_video.visualization.token_record import ClipTokens, VideoTokens

__all__ = ["others_share", "seen_frame", "seen_title", "share_frame", "tube_frame"]

MOST_OPACITY = 0.75  # of a full colour, so that what the token covers is still seen
OTHERS_OPACITY = 0.3  # likewise, of tokens without a colour of their own, which are not to hide the frame
DIMMED = 0.5  # what is left of the light of a frame under one share, which a bright frame would be taken for
LINE_PIXELS = 2  # of an outline, on each side of a border


def others_share(video: VideoTokens) -> float:
    """The largest share that the tokens without a name have together of an image token; 0.0 = all are named."""
    return max(float(_others(video, clip).max()) for clip in video.clips)


def seen_frame(clip: ClipTokens, frame: int, *, size: tuple[int, int] | None = None) -> np.ndarray:
    """A frame with an outline around what the model sees of it.

    Args:
        clip: that it is of.
        frame: its number, 0 to T - 1.
        size: height and width in which it is shown; None = see `shown_size`.

    Returns:
        (h, w, 3) uint8.
    """
    picture, box = shown_frame(clip, frame, size=size)
    draw_box(picture, box)
    return picture


def seen_title(video: VideoTokens) -> str:
    """What stands above the frames of `seen_frame`."""
    return "frame; the model sees all of it" if video.shows_all else "frame; the model sees what is outlined"


def tube_frame(
    video: VideoTokens,
    clip: ClipTokens,
    frame: int,
    *,
    size: tuple[int, int] | None = None,
    only: Collection[int] | None = None,
) -> np.ndarray:
    """A frame in grey, with each cell in the colour of the token that has the largest share of it.

    The colour is as full as that share is large, `video.full_share` is full; the grey of tokens that are not named is
    thinner. Outlines in full colour part the areas of tokens. What the model does not see is dark.

    Args:
        video: which chooses the colours.
        clip: of this video.
        frame: its number in the clip, 0 to T - 1.
        size: height and width in which it is shown; None = see `shown_size`.
        only: numbers of the tokens to colour; None = all.

    Returns:
        (h, w, 3) uint8.
    """
    picture, box = shown_frame(clip, frame, size=size)
    shares = clip.shares[:, clip.frame_step(frame)]  # (K, H', W')
    colours = np.array([colour_of(video, token) for token in range(len(shares))], dtype=float)  # (K, 3)
    areas = np.array([rank_of(video, token) for token in range(len(shares))])  # (K,), of one colour
    owners = shares.argmax(axis=0)  # (H', W')
    is_owned = cells_to_pixels(shares.max(axis=0) > 0, box)  # (h, w)
    is_shown = np.ones(len(shares), dtype=bool) if only is None else np.isin(np.arange(len(shares)), list(only))
    most = np.where(areas < len(video.named), MOST_OPACITY, OTHERS_OPACITY) * is_shown  # (K,)
    opacity = most[owners] * shares.max(axis=0) / video.full_share  # (H', W')
    owners = cells_to_pixels(owners, box)  # (h, w)
    lines = _lines(np.where(is_owned, areas[owners], -1)) & is_owned & is_shown[owners]
    drawn = grey_picture(picture, box)
    drawn[box.slices] = tinted(drawn[box.slices], colours[owners], np.where(lines, 1.0, cells_to_pixels(opacity, box)))
    return drawn


def share_frame(
    video: VideoTokens, clip: ClipTokens, frame: int, token: int | None, *, size: tuple[int, int] | None = None
) -> np.ndarray:
    """A dark frame with the share that one token has of each cell, in its colour.

    Args:
        video: which chooses the colours.
        clip: of this video.
        frame: its number in the clip, 0 to T - 1.
        token: its number; None = all that are not named together, for which `others_share` is full.
        size: height and width in which it is shown; None = see `shown_size`.

    Returns:
        (h, w, 3) uint8.
    """
    picture, box = shown_frame(clip, frame, size=size)
    step = clip.frame_step(frame)
    shares = _others(video, clip)[step] if token is None else clip.shares[token, step]  # (H', W')
    most = others_share(video) if token is None else video.full_share
    colour = OTHER_COLOUR if token is None else colour_of(video, token)
    opacity = cells_to_pixels(shares / most, box) if most > 0 else np.zeros((1, 1))
    drawn = grey_picture(picture, box, light_within=DIMMED)
    drawn[box.slices] = tinted(drawn[box.slices], np.array(colour), MOST_OPACITY * opacity)
    return drawn


def _others(video: VideoTokens, clip: ClipTokens) -> np.ndarray:
    """(T', H', W'): the share of all tokens together that are not named."""
    is_other = ~np.isin(np.arange(video.num_tokens), video.named)
    return clip.shares[is_other].sum(axis=0)


def _lines(areas: np.ndarray) -> np.ndarray:
    """(h, w) bool: the pixels that are near to one of another area."""
    lines = np.zeros(areas.shape, dtype=bool)
    for step in range(1, LINE_PIXELS + 1):
        across, down = areas[:, step:] != areas[:, :-step], areas[step:] != areas[:-step]
        lines[:, step:] |= across
        lines[:, :-step] |= across
        lines[step:] |= down
        lines[:-step] |= down
    return lines
