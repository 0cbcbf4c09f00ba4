"""Colours of tokens: far apart for every kind of eyes and on every ground, and chosen by rank."""

from itertools import combinations

import numpy as np
import pytest
from made_tokens import three_clips

from stvit_video.visualization.class_colours import text_colour
from stvit_video.visualization.token_colours import (
    AGAINST_COLOUR,
    FOR_COLOUR,
    OTHER_COLOUR,
    TOKEN_COLOURS,
    colour_of,
    hex_colour,
    rank_of,
)

# how linear red, green and blue look without one kind of cones: Machado, Oliveira, Fernandes, "A Physiologically-based
# Model for Simulation of Color Vision Deficiency", 2009, severity 1.0
EYES = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
LEAST = {"all cones": 45.0, "protanopia": 24.0, "deuteranopia": 24.0, "tritanopia": 24.0}  # CIE76; 2.3 is just seen
LEAST_TO_GROUND = 22.0  # of the pages: white, and nearly black
GROUNDS = ((255, 255, 255), (18, 18, 18))


def lab(colour, eyes):
    """CIE L*a*b* (white D65) of an sRGB colour as these eyes see it."""
    levels = np.array(colour) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    x, y, z = XYZ @ np.clip(EYES[eyes] @ linear, 0, 1) / XYZ.sum(axis=1)
    fx, fy, fz = (np.cbrt(v) if v > (6 / 29) ** 3 else v / (3 * (6 / 29) ** 2) + 4 / 29 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def distance(one, other, eyes):
    return float(np.linalg.norm(lab(one, eyes) - lab(other, eyes)))


def test_lab_agrees_with_known_values():
    """Of sRGB red, green and blue, as published for D65."""
    for colour, expected in (
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((255, 255, 255), (100.0, 0.0, 0.0)),
    ):
        np.testing.assert_allclose(lab(colour, "all cones"), expected, atol=0.05)


def test_simulated_eyes_take_red_for_green_where_they_should():
    """Colours that differ for all cones and not for those without red or green cones, and the other way round."""
    red, green = (200, 80, 60), (128, 128, 54)
    assert distance(red, green, "all cones") > 40
    assert distance(red, green, "deuteranopia") < distance(red, green, "tritanopia") / 2


@pytest.mark.parametrize("eyes", EYES)
def test_every_pair_of_tokens_is_told_apart(eyes):
    for one, other in combinations((*TOKEN_COLOURS, OTHER_COLOUR), 2):
        assert distance(one, other, eyes) >= (LEAST[eyes] if OTHER_COLOUR not in (one, other) else 20), (one, other)


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_colours_are_seen_on_light_and_dark_ground(eyes, ground):
    for colour in (*TOKEN_COLOURS, OTHER_COLOUR, FOR_COLOUR, AGAINST_COLOUR):
        assert distance(colour, ground, eyes) >= LEAST_TO_GROUND, colour


@pytest.mark.parametrize("eyes", EYES)
def test_for_and_against_are_told_apart_also_where_they_are_faint(eyes):
    """At a quarter of their strength, on grey."""
    grey = np.array([128.0, 128.0, 128.0])
    faint = [0.75 * grey + 0.25 * np.array(colour) for colour in (FOR_COLOUR, AGAINST_COLOUR)]
    assert distance(FOR_COLOUR, AGAINST_COLOUR, eyes) > 80
    assert distance(*faint, eyes) > 15


def test_letters_on_a_colour_have_contrast():
    """At least 4.5 : 1 (WCAG 2.1), by the formula of its relative luminance."""

    def luminance(colour):
        levels = np.array(colour) / 255
        linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    for colour in (*TOKEN_COLOURS, OTHER_COLOUR):
        low, high = sorted((luminance(colour), luminance(text_colour(colour))))
        assert (high + 0.05) / (low + 0.05) >= 4.5, colour


def test_the_rank_of_a_token_chooses_its_colour():
    video = three_clips(num_tokens=16)
    assert [colour_of(video, token) for token in video.named] == list(TOKEN_COLOURS)
    assert [rank_of(video, token) for token in video.named] == list(range(8))
    unnamed = set(range(16)) - set(video.named)
    assert {colour_of(video, token) for token in unnamed} == {OTHER_COLOUR}
    assert {rank_of(video, token) for token in unnamed} == {8}


def test_few_tokens_all_have_colours_of_their_own():
    video = three_clips(num_tokens=5)
    assert sorted(colour_of(video, token) for token in range(5)) == sorted(TOKEN_COLOURS[:5])


def test_hex_of_a_colour():
    assert hex_colour((255, 0, 10)) == "#ff000a"
