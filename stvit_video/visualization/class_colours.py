"""A colour for each class, the same in every picture, with text on it that can be read."""

import colorsys

__all__ = ["Colour", "class_colour", "text_colour"]

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255

FIRST_COLOURS: tuple[Colour, ...] = (
    (255, 105, 35), (40, 160, 255), (70, 205, 70), (235, 60, 160), (250, 205, 30), (150, 95, 235),
    (30, 205, 190), (235, 55, 55), (165, 120, 60), (150, 215, 40), (245, 140, 150), (90, 110, 255),
)  # fmt: skip
GOLDEN_RATIO = 0.6180339887
SHADES = ((0.75, 0.95), (0.55, 1.0), (0.9, 0.75))  # saturation and value, in turn
LUMA = (0.2126, 0.7152, 0.0722)  # of red, green, blue
MIN_LUMINANCE, MAX_LUMINANCE = 0.2, 0.6  # of generated colours
EVEN_LUMINANCE = 0.179  # black and white have the same contrast to it


def class_colour(label: int) -> Colour:
    """The colour of a class: chosen ones first, then hues that are far from those before.

    Args:
        label: of the class, from 0.
    """
    if label < len(FIRST_COLOURS):
        return FIRST_COLOURS[label]
    saturation, value = SHADES[label % len(SHADES)]
    red, green, blue = colorsys.hsv_to_rgb(label * GOLDEN_RATIO % 1.0, saturation, value)
    return _of_middle_light((round(255 * red), round(255 * green), round(255 * blue)))


def _of_middle_light(colour: Colour) -> Colour:
    """The colour, lightened or darkened where it would not be seen on a black or a white picture."""
    while _luminance(colour) < MIN_LUMINANCE:
        colour = _stepped(colour, towards=255)
    while _luminance(colour) > MAX_LUMINANCE:
        colour = _stepped(colour, towards=0)
    return colour


def _stepped(colour: Colour, *, towards: int) -> Colour:
    """A tenth of the way to white or black."""
    red, green, blue = (round(level + (towards - level) / 10) for level in colour)
    return red, green, blue


def text_colour(background: Colour) -> Colour:
    """Black or white, whichever has more contrast to a colour."""
    return (255, 255, 255) if _luminance(background) < EVEN_LUMINANCE else (0, 0, 0)


def _luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.1)."""
    levels = [level / 255 for level in colour]
    linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return sum(share * level for share, level in zip(LUMA, linear, strict=True))
