"""The text and the numbers against timm's; the draw by counting."""

import random
from collections import Counter
from unittest import mock

import pytest
from timm.data import auto_augment

from stvit_video.data.transforms.pixel_ops import OPS
from stvit_video.data.transforms.rand_augment import CANDIDATES, RandAugment, op_number
from stvit_video.utils.seeding import seeded_generator

TIMM_NAMES = {
    "rotate": "Rotate",
    "posterize": "Posterize",
    "solarize": "Solarize",
    "solarize_add": "SolarizeAdd",
    "saturation": "Color",
    "contrast": "Contrast",
    "brightness": "Brightness",
    "sharpness": "Sharpness",
    "shear_x": "ShearX",
    "shear_y": "ShearY",
    "translate_x": "TranslateXRel",
    "translate_y": "TranslateYRel",
}


@pytest.mark.parametrize("text", ["rand-m7-n4-mstd0.5-inc1", "rand", "rand-inc0-m9-p0.7-n3", "rand-mstd101-mmax8-m3"])
def test_text_means_what_it_means_to_timm(text):
    ours = RandAugment.parse(text)
    theirs = auto_augment.rand_augment_transform(text, {})
    op = theirs.ops[4]
    assert (ours.num_ops, ours.probability, ours.magnitude) == (theirs.num_layers, op.prob, op.magnitude)
    assert (ours.magnitude_std > 100) == (op.magnitude_std == float("inf"))
    assert ours.magnitude_std > 100 or ours.magnitude_std == op.magnitude_std
    assert ours.magnitude_max == (op.magnitude_max or 10)
    assert ours.increasing == (op.name == "PosterizeIncreasing")
    assert len(theirs.ops) == len(CANDIDATES) <= len(OPS)


@pytest.mark.parametrize("increasing", [True, False])
@pytest.mark.parametrize("name", TIMM_NAMES)
def test_numbers_equal_timms(name, increasing):
    key = TIMM_NAMES[name]
    key += "Increasing" if increasing and f"{key}Increasing" in auto_augment.LEVEL_TO_ARG else ""
    for level in (0.0, 0.3, 2.5, 6.9, 7.0, 10.0):
        for negative in (False, True):
            with mock.patch.object(random, "random", return_value=0.9 if negative else 0.1):
                [expected] = auto_augment.LEVEL_TO_ARG[key](level, {})
            expected = max(1, expected) if name == "posterize" else expected  # Pillow refuses 0 bits
            found = op_number(name, level, increasing=increasing, negative=negative)
            assert found == pytest.approx(expected), (level, negative)


def test_operations_without_a_number():
    names = ("autocontrast", "equalize", "invert")
    assert {op_number(name, 7.0, increasing=True, negative=True) for name in names} == {0.0}


def test_draws_are_even_and_as_many_as_asked_for():
    policy = RandAugment.parse("rand-m7-n4-mstd0.5-inc1")
    generator = seeded_generator(3)
    draws = [policy.draw(generator) for _ in range(1500)]
    lengths = Counter(len(draw) for draw in draws)
    assert set(lengths) == {0, 1, 2, 3, 4}
    assert lengths[2] == pytest.approx(1500 * 6 / 16, abs=75)  # binomial, 4 times 0.5
    names = Counter(name for draw in draws for name, _ in draw)
    assert set(names) == set(CANDIDATES)
    assert all(count == pytest.approx(3000 / 15, abs=60) for count in names.values())
    angles = [number for draw in draws for name, number in draw if name == "rotate"]
    assert sum(angle > 0 for angle in angles) == pytest.approx(len(angles) / 2, abs=30)
    strengths = [abs(angle) / 3 for angle in angles]  # back to levels
    assert sum(strengths) / len(strengths) == pytest.approx(7.0, abs=0.15)
    assert 0.4 < (sum((s - 7) ** 2 for s in strengths) / len(strengths)) ** 0.5 < 0.6
    assert max(strengths) <= 10


def test_uniform_magnitudes_and_certain_operations():
    policy = RandAugment.parse("rand-m6-n3-p1-mstd101")
    generator = seeded_generator(4)
    draws = [policy.draw(generator) for _ in range(900)]
    assert {len(draw) for draw in draws} == {3}
    levels = [abs(number) / 3 for draw in draws for name, number in draw if name == "rotate"]
    assert max(levels) <= 6
    assert sum(levels) / len(levels) == pytest.approx(3.0, abs=0.5)


def test_a_draw_takes_equally_many_random_numbers_whatever_comes_out():
    policy = RandAugment.parse("rand-m7-n2")
    followers = set()
    for probability in ("0", "0.5", "1"):
        generator = seeded_generator(8)
        RandAugment.parse(f"rand-m7-n2-p{probability}").draw(generator)
        followers.add(policy.draw(generator))
    assert len(followers) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # the whole sentence, once for its family
        (
            "rand-m7-x4",
            r"^rand_augment='rand-m7-x4' can't be read; write rand-m7-n4-mstd0\.5-inc1: rand, then each at most once "
            r"and with a number behind it: m, n, p, mstd, mmax, inc \(n whole, inc 0 or 1\)$",
        ),
        ("m7-n4", "rand_augment='m7-n4' can't be read"),
        ("rand-m7-m8", "'rand-m7-m8' can't be read; .* once .*m, n, p, mstd, mmax, inc"),
        ("rand-m", "'rand-m' can't be read; .* number "),
        ("rand-n2.5", r"'rand-n2\.5' can't be read; .*n whole"),
        ("rand-inc2", "'rand-inc2' can't be read; .*inc 0 or 1"),
        ("rand-tweights", "'rand-tweights' can't be read"),
        ("rand-m11", r"'rand-m11': .*\bm=11 .*\bmmax=10\b"),
        ("rand-m7-n0", r"'rand-m7-n0': .*\bn=0 .*at least 1"),
        ("rand-p2", r"'rand-p2': .*\bp=2 .*0\.\.1\b"),
    ],
)
def test_texts_that_make_no_sense_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        RandAugment.parse(text)
