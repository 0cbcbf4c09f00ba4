"""Kinds of values: what each reads, and what it refuses with which rule."""

from pathlib import Path

import pytest

from stvit_video.utils.value_kinds import (
    PATH,
    TEXT,
    WORDS,
    YES_NO,
    count_or_grid,
    number,
    one_of,
    positive_number,
    several,
    sizes,
    whole,
    whole_numbers,
)

ALL = [
    PATH,
    TEXT,
    WORDS,
    YES_NO,
    number(low=0, high=1),
    one_of("abc"),
    sizes(),
    whole(low=7),
    whole_numbers(low=1),
    several(sizes()),
    positive_number(),
]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (whole(), "-3", -3),
        (whole(low=1), "12", 12),
        (number(), "-1e3", -1000.0),
        (positive_number(), "1e-3", 0.001),
        (number(low=0, high=1), ".25", 0.25),
        (whole_numbers(), "0, 2", (0, 2)),
        (sizes(), "4x10x2", (4, 10, 2)),
        (sizes(), "64", (64,)),
        (several(sizes()), "4x4, 8,4x4", ((4, 4), (8,))),
        (several(one_of("abc")), "b", ("b",)),
        (one_of(("prob", "logit")), "logit", "logit"),
        (WORDS, "a*, b,", ("a*", "b")),
        (WORDS, "", ()),
        (YES_NO, "True", True),
        (YES_NO, "false", False),
        (PATH, "a b/c", Path("a b/c")),
        (TEXT, "|", "|"),
    ],
)
def test_values(kind, text, value):
    assert kind.read(text) == value


@pytest.mark.parametrize("text", ["", "0", "4x", "4x0", "-3", "2.5", "4,4", "x", "2x3x5x7"])
def test_other_texts_are_no_sizes(text):
    with pytest.raises(ValueError, match="whole numbers of at least 1, at most 3 with x between"):
        sizes().read(text)


@pytest.mark.parametrize(
    ("kind", "texts", "rule"),
    [
        (whole(low=1), ["0", "-1", "2.5", "two", ""], "^must be a whole number, at least 1$"),
        (whole(low=0, high=51), ["52"], "^must be a whole number between 0 and 51$"),
        (whole(high=3), ["4"], "^must be a whole number, at most 3$"),
        (number(low=0, high=1), ["1.5", "half", "nan", "inf", ""], "^must be a number between 0 and 1$"),
        (positive_number(), ["0", "-1", "-0.5", "half", "nan", ""], "^must be a number above 0$"),
        (whole_numbers(), ["a", "1,", "1;2", "-1", ""], "^must be whole numbers from 0 on with commas between$"),
        (one_of(("prob", "logit")), ["logits"], "^must be one of prob, logit; did you mean logit.$"),
        (one_of(("prob", "logit")), ["sum", ""], "^must be one of prob, logit$"),
        (YES_NO, ["yes", "1", ""], "^must be true or false$"),
        (PATH, [""], "^must not be empty$"),
        (TEXT, [""], "^must not be empty$"),
    ],
)
def test_rules(kind, texts, rule):
    for text in texts:
        with pytest.raises(ValueError, match=rule):
            kind.read(text)


@pytest.mark.parametrize("kind", ALL)
def test_the_example_can_be_read(kind):
    kind.read(kind.example)


def test_one_size_is_a_count_and_several_are_a_grid():
    assert [count_or_grid(given) for given in (None, (16,), (4, 5))] == [None, 16, (4, 5)]
