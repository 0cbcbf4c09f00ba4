"""Colours of classes: the same for a label always, apart from each other, and with text that can be read."""

import itertools

from stvit_video.visualization.class_colours import class_colour, text_colour


def luminance(colour):
    """Relative luminance (WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (level / 255 for level in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_colours_differ():
    colours = [class_colour(label) for label in range(20)]
    apart = [sum(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in itertools.combinations(colours, 2)]
    assert min(apart) > 30
    assert len({class_colour(label) for label in range(300)}) == 300
    assert colours == [class_colour(label) for label in range(20)]


def test_text_on_a_colour_has_contrast():
    for label in range(300):
        colour = class_colour(label)
        assert all(0 <= level <= 255 for level in colour)
        assert contrast(colour, text_colour(colour)) > 4.5


def test_no_colour_is_lost_on_black_or_white():
    shades = [luminance(class_colour(label)) for label in range(300)]
    assert min(shades) > 0.15
    assert max(shades) < 0.75
