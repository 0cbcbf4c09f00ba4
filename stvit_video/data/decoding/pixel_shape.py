"""Pixels that are not square: frames are handed out as stored, and this says what shape they are shown in.

Everybody's frames are the stored ones (torchcodec, decord, and the ffmpeg command, which notes the shape of the pixels
beside them), and published weights were trained on those. So reading leaves them alone, a prepared copy notes the shape
as its original does, and the doctor names the file.

The functions are pure.
"""

from fractions import Fraction

__all__ = ["NOT_SQUARE", "SQUARE", "aspect_remark", "pixel_aspect", "resized_aspect", "turned_aspect"]

SQUARE = (1, 1)
MAX_TERM = 65535  # what H.264 can state
NOT_SQUARE = (  # how the remark on it begins
    "its pixels are not square, and frames are read as stored, as torchcodec and ffmpeg give them; for square pixels "
    "convert it first: ffmpeg -i FILE -vf scale=iw*sar:ih,setsar=1 COPY"
)
ROUNDING = 0.02  # of 1; so little comes from sides that were rounded to whole or even pixels


def pixel_aspect(stated: Fraction | None) -> tuple[int, int]:
    """Width : height of a stored pixel from what PyAV says of the stream; where nothing is said, square."""
    return (stated.numerator, stated.denominator) if stated is not None and stated > 0 else SQUARE


def turned_aspect(aspect: tuple[int, int], *, quarter_turns: int) -> tuple[int, int]:
    """Width : height of a pixel after the frame has been turned for display."""
    return (aspect[1], aspect[0]) if quarter_turns % 2 else aspect


def resized_aspect(aspect: tuple[int, int], *, before: tuple[int, int], after: tuple[int, int]) -> Fraction:
    """Width : height of a pixel after a resize that shows the same picture in the same shape.

    Args:
        aspect: before it.
        before: (height, width) in pixels.
        after: the same.
    """
    exact = Fraction(*aspect) * Fraction(before[1] * after[0], before[0] * after[1])
    return 1 / (1 / exact).limit_denominator(MAX_TERM) if exact > 1 else exact.limit_denominator(MAX_TERM)


def aspect_remark(aspect: tuple[int, int], *, height: int, width: int) -> str:
    """What to tell of a file whose pixels are not square, and what to do; "" where they are.

    Args:
        aspect: width : height of a pixel, as displayed.
        height: of the displayed frames, in pixels.
        width: the same.
    """
    if abs(Fraction(*aspect) - 1) <= ROUNDING:
        return ""
    shown = f"{round(width * Fraction(*aspect))}x{height}"
    return f"{NOT_SQUARE} ({aspect[0]}:{aspect[1]}; players show its {width}x{height} as {shown})"
