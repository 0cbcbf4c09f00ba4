"""Text of any script as pixels: each letter from the first installed font that has it, else its escape."""

from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from stvit_video.utils.plot_text import font_with, plot_text

__all__ = ["draw_text", "letter_pixels", "name_fits", "named_value_image", "text_image"]

PIXELS_A_LETTER = 56  # of the mean side of a picture: so many for each pixel of the size of the letters on it
LETTER_SIZES = (11, 64)  # smallest and largest
ELLIPSIS = "…"
MAX_NAME_LENGTH = 40
MAX_LINE_LENGTH = 160
PADDING = 0.15  # of the size, at each side


def letter_pixels(height: int, width: int) -> int:
    """The size of the letters on a picture, which grows with it.

    Args:
        height: of the picture, in pixels.
        width: likewise.
    """
    smallest, largest = LETTER_SIZES
    return min(max(round((height + width) / 2 / PIXELS_A_LETTER), smallest), largest)


@lru_cache(maxsize=4096)  # a video shows the same labels in every frame
def text_image(text: str, *, size_pixels: int, max_width_pixels: int, max_length: int = 60) -> np.ndarray:
    """How much of each pixel a line of text covers.

    Args:
        text: of any script. What no font has stands as an escape, such as \\u4f60.
        size_pixels: of the font.
        max_width_pixels: a longer text ends in "…".
        max_length: letters at most, likewise.

    Returns:
        (h, w) uint8, 255 = ink. It is shared between calls and can't be written to. (h, 0) where not even "…" fits.
    """
    (shown,), families = plot_text([text], max_length=max_length)
    padding = _padding(size_pixels)
    shown = _fitted(shown, tuple(families), size_pixels, max_width_pixels - 2 * padding)
    ascent, descent = _font(families[0], size_pixels).getmetrics()
    width = _width(shown, tuple(families), size_pixels) + 2 * padding if shown else 0
    image = Image.new("L", (width, ascent + descent))
    draw, left = ImageDraw.Draw(image), float(padding)
    for run, font in _runs(shown, tuple(families), size_pixels):
        draw.text((left, ascent), run, fill=255, font=font, anchor="ls")
        left += font.getlength(run)
    pixels = np.asarray(image)
    pixels.setflags(write=False)
    return pixels


def draw_text(
    canvas: np.ndarray,
    text: str,
    *,
    value: str = "",
    top: int = 0,
    left: int = 0,
    size_pixels: int,
    max_width_pixels: int,
    ink: int = 0,
) -> int:
    """Write a line of text.

    Args:
        canvas: (H, W, 3) uint8, which is changed. What does not fit below or on the right is cut off.
        text: of any script, see `text_image`.
        value: what stands behind the text and is never cut, see `named_value_image`.
        top: of the line, in pixels.
        left: likewise.
        size_pixels: of the font.
        max_width_pixels: a longer text ends in "…".
        ink: level of grey of the letters.

    Returns:
        Where the line ends, in pixels from the left of the canvas.
    """
    sizes = {"size_pixels": size_pixels, "max_width_pixels": max_width_pixels}
    pixels = named_value_image(text, value, **sizes) if value else text_image(text, max_length=MAX_LINE_LENGTH, **sizes)
    part = canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    share = pixels[: part.shape[0], : part.shape[1], None].astype(np.float32) / 255  # (h, w, 1)
    part[:] = (part * (1 - share) + ink * share).astype(np.uint8)
    return left + pixels.shape[1]


def name_fits(name: str, *, size_pixels: int, max_width_pixels: int, least_letters: int) -> bool:
    """Whether `named_value_image` would show a name as a whole, or at least its first letters.

    Args:
        name: of any script.
        size_pixels: of the font.
        max_width_pixels: of the name.
        least_letters: which must be seen of a name that is cut.
    """
    width = max_width_pixels - 2 * _padding(size_pixels)
    (whole,), families = plot_text([name], max_length=MAX_NAME_LENGTH)
    shown = _fitted(whole, tuple(families), size_pixels, width)
    return shown == whole or len(shown) >= least_letters + len(ELLIPSIS)


def named_value_image(name: str, value: str, *, size_pixels: int, max_width_pixels: int) -> np.ndarray:
    """As `text_image`, of a name with a value behind it: a long name is cut, the value never.

    Args:
        name: of any script.
        value: such as "0.83"; "" = there is none.
        size_pixels: of the font.
        max_width_pixels: of both together; a value alone may be twice as wide.
    """
    tail = text_image(value, size_pixels=size_pixels, max_width_pixels=2 * max_width_pixels)
    if not tail.size:
        return text_image(name, size_pixels=size_pixels, max_width_pixels=max_width_pixels, max_length=MAX_NAME_LENGTH)
    left = max(max_width_pixels - tail.shape[1], 0)
    head = text_image(name, size_pixels=size_pixels, max_width_pixels=left, max_length=MAX_NAME_LENGTH)
    return np.concatenate([head, tail], axis=1)


def _padding(size_pixels: int) -> int:
    return max(1, round(PADDING * size_pixels))


def _fitted(text: str, families: tuple[str, ...], size: int, width: int) -> str:
    """The longest beginning that fits, with "…" where something is cut off."""
    if _width(text, families, size) <= width:
        return text
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if _width(text[:middle] + ELLIPSIS, families, size) <= width:
            fits = middle
        else:
            too_long = middle
    cut = text[:fits] + ELLIPSIS
    return cut if _width(cut, families, size) <= width else ""


def _width(text: str, families: tuple[str, ...], size: int) -> int:
    return int(np.ceil(sum(font.getlength(run) for run, font in _runs(text, families, size))))


def _runs(text: str, families: tuple[str, ...], size: int) -> list[tuple[str, Any]]:
    """The text in pieces of one font each."""
    pieces = groupby(text, key=lambda letter: font_with(letter, families))
    return [("".join(letters), _font(family, size)) for family, letters in pieces]


@lru_cache(maxsize=64)
def _font(family: str, size: int) -> Any:
    from matplotlib.font_manager import FontProperties, findfont

    return ImageFont.truetype(findfont(FontProperties(family=[family])), size)
