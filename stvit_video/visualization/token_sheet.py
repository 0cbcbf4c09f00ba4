"""sheet.png: frames of a video in rows, and in columns what each token that counts has of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from stvit_video.visualization.class_colours import Colour, text_colour
from stvit_video.visualization.class_map_frame import class_map_frame, sides_legend
from stvit_video.visualization.map_legend import legend_strip
from stvit_video.visualization.overlay_files import write_png
from stvit_video.visualization.panel_sheet import fitted_size
from stvit_video.visualization.text_image import draw_text
from stvit_video.visualization.token_captions import (
    agreement_words,
    clip_words,
    entropy_words,
    full_words,
    scale_words,
    signed_words,
)
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of
from stvit_video.visualization.token_record import ClipTokens, TokenValues, VideoTokens
from stvit_video.visualization.token_words import label_parts
from stvit_video.visualization.tube_frame import others_share, seen_frame, share_frame

__all__ = ["save_token_sheet", "sheet_frames", "token_sheet"]

MOST_ROWS = 8
SMALL_PANEL, LARGE_PANEL = 136, 232  # the long side of a frame in pixels: beside tokens, beside two maps
LEAST_WIDE, LEAST_COLUMN = 720, 136  # pixels, so that sentences above and headings can be read
GAP_PIXELS = 8
LETTER_PIXELS, LINE_PIXELS = 12, 18
PAPER = 255
NAMES: Mapping[TokenValues, str] = {"contributions": "contribution", "occlusions": "occlusion"}
ORDER = "largest contribution first, mean of sizes over the clips; in the values for and against cancel"

Size = tuple[int, int]


class _Column(NamedTuple):
    """A heading of a few lines, each a name and a value, on a colour or on paper, and what draws a frame below it."""

    heading: tuple[tuple[str, str], ...]
    colour: Colour | None
    draw: Callable[[ClipTokens, int, Size], np.ndarray]


def save_token_sheet(video: VideoTokens, path: Path) -> None:
    """Write the sheet as a PNG, in one step.

    Args:
        video: its tokens.
        path: the file.

    Raises:
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    write_png(path, Image.fromarray(token_sheet(video)))


def token_sheet(video: VideoTokens) -> np.ndarray:
    """Draw up to 8 frames in rows, and beside each what tokens have of it.

    Semantic tokens have a column each, those that are named, and all others one together. Of a dense model it is what
    speaks for and against the label, by contributions and by occlusions.

    Args:
        video: its tokens.

    Returns:
        (H, W, 3) uint8.
    """
    columns = _token_columns(video) if video.is_semantic else _map_columns(video)
    size = fitted_size(
        *video.clips[0].frames.shape[1:3], long_side_pixels=SMALL_PANEL if video.is_semantic else LARGE_PANEL
    )
    wide = max(size[1], LEAST_COLUMN if video.is_semantic else LARGE_PANEL)
    width = max(GAP_PIXELS + len(columns) * (wide + GAP_PIXELS), LEAST_WIDE)
    blocks = [_words(video, width), _headings(columns, wide, width)]
    if not video.is_semantic:
        blocks.insert(1, legend_strip(sides_legend(video), width=width, letter_pixels=LETTER_PIXELS))
    for clip, frame in sheet_frames(video):
        row = np.full((LINE_PIXELS + size[0] + GAP_PIXELS, width, 3), PAPER, dtype=np.uint8)
        words = clip_words(video, clip, frame)
        draw_text(row, words, left=GAP_PIXELS, size_pixels=LETTER_PIXELS, max_width_pixels=width)
        for place, column in enumerate(columns):
            left = GAP_PIXELS + place * (wide + GAP_PIXELS)
            row[LINE_PIXELS : LINE_PIXELS + size[0], left : left + size[1]] = column.draw(clip, frame, size)
        blocks.append(row)
    return np.concatenate(blocks, axis=0)


def sheet_frames(video: VideoTokens) -> list[tuple[ClipTokens, int]]:
    """Up to 8 frames of the video, with their clips: the middles of equal parts of all frames of all clips."""
    frames = [(clip, frame) for clip in video.clips for frame in range(len(clip.frames))]
    count = min(MOST_ROWS, len(frames))
    return [frames[(2 * place + 1) * len(frames) // (2 * count)] for place in range(count)]


def _token_columns(video: VideoTokens) -> list[_Column]:
    means = {name: video.mean(values) for values, name in NAMES.items()}
    columns = [_seen_column(video)]
    for token in video.named:
        values = [(name, signed_words(mean[token])) for name, mean in means.items()]
        columns.append(_share_column(video, token, ((f"token {token}", ""), *values)))
    is_other = ~np.isin(np.arange(video.num_tokens), video.named)
    if is_other.any():  # they were never left out together, so their values have no sum
        name = f"{is_other.sum()} others", f"full = {others_share(video):.2g}"
        most = [("each at most", f"±{np.abs(mean[is_other]).max():.2g}") for mean in means.values()]
        columns.append(_share_column(video, None, (name, *most)))
    return columns


def _share_column(video: VideoTokens, token: int | None, heading: tuple[tuple[str, str], ...]) -> _Column:
    """The column of a token; None = of all that are not named."""
    colour = OTHER_COLOUR if token is None else colour_of(video, token)
    return _Column(heading, colour, lambda clip, frame, size: share_frame(video, clip, frame, token, size=size))


def _map_columns(video: VideoTokens) -> list[_Column]:
    def of_values(values: TokenValues, how: str) -> _Column:
        heading = ((NAMES[values], ""), (how, ""), ("full colour:", ""), (scale_words(video, values), ""))
        return _Column(heading, None, lambda clip, frame, size: class_map_frame(video, clip, frame, values, size=size))

    return [
        _seen_column(video),
        of_values("contributions", "by slopes of the logit"),
        of_values("occlusions", "logit less that without the token"),
    ]


def _seen_column(video: VideoTokens) -> _Column:
    seen = "all of it" if video.shows_all else "what is outlined"
    heading = (("frame", ""), ("the model sees", ""), (seen, ""))
    return _Column(heading, None, lambda clip, frame, size: seen_frame(clip, frame, size=size))


def _words(video: VideoTokens, width: int) -> np.ndarray:
    """(h, width, 3) uint8: what the sheet is of, and how far it can be trusted."""
    softness = f"; {entropy_words(video.entropy)}" if video.is_semantic else ""
    lines = [
        (video.name, ""),
        *label_parts(video),
        (f"tokens: {video.where}{softness}", ""),
    ]
    if video.is_semantic:
        lines.append((full_words(video.full_share, num_tokens=video.num_tokens), ""))
        lines += [(ORDER, "")] * (len(video.clips) > 1)
    lines.append((agreement_words(video), ""))
    block = np.full((LINE_PIXELS * len(lines) + GAP_PIXELS, width, 3), PAPER, dtype=np.uint8)
    _write_lines(block, lines, left=GAP_PIXELS, width=width - 2 * GAP_PIXELS)
    return block


def _headings(columns: list[_Column], wide: int, width: int) -> np.ndarray:
    """(h, width, 3) uint8: the heading of each column, on its colour."""
    num_lines = max(len(column.heading) for column in columns)
    block = np.full((LINE_PIXELS * num_lines + GAP_PIXELS, width, 3), PAPER, dtype=np.uint8)
    for place, column in enumerate(columns):
        left = GAP_PIXELS + place * (wide + GAP_PIXELS)
        if column.colour is not None:
            block[: LINE_PIXELS * num_lines, left : left + wide] = column.colour
        ink = 0 if column.colour is None else text_colour(column.colour)[0]
        _write_lines(block, column.heading, left=left, width=wide, ink=ink)
    return block


def _write_lines(canvas: np.ndarray, lines: Sequence[tuple[str, str]], *, left: int, width: int, ink: int = 0) -> None:
    """Names and values, one below the other."""
    for row, (name, value) in enumerate(lines):
        sizes = {"size_pixels": LETTER_PIXELS, "max_width_pixels": width}
        draw_text(canvas, name, value=value, top=row * LINE_PIXELS + 1, left=left, ink=ink, **sizes)
