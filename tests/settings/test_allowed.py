from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from stvit_video.settings.allowed import allowed_words, takes_null
from stvit_video.settings.declare import AsTuple, Count, Counts, Numbers, Positive, Share
from stvit_video.utils.addresses import Place


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (str | None, "a word"),
        (bool, "true or false"),
        (Any, "any value"),
        (Count, "a whole number at least 1"),
        (Positive | None, "a number above 0"),
        (Place | None, "a path"),
        (Share, "a number at least 0 and at most 1"),
        (Annotated[float, Field(gt=0, lt=3)], "a number above 0 and below 3"),
        (Literal["a", "b"], "one of a, b"),
        (Literal["a", "b"] | Literal[3] | None, "one of a, b, 3"),
        (bool | Literal["fast", "slow"], "true or false, or fast or slow"),
        (Numbers, "a list of numbers above 0"),
        (Annotated[tuple[Share, Share], AsTuple], "a list of 2 numbers at least 0 and at most 1"),
        (Count | Counts, "a whole number at least 1, or a list of numbers at least 1"),
        (Annotated[tuple[str, ...], AsTuple], "a list of words"),
        (Annotated[tuple[str | dict[str, list[str]], ...], AsTuple], "a list of words or {word: [words]}"),
        (tuple[int | str, int | str], "a list of 2 whole numbers or words"),
        (Annotated[tuple[Literal["train", "val"], ...], AsTuple], "a list of words out of train, val"),
    ],
)
def test_words(annotation, words):
    assert allowed_words(annotation) == words


def test_limits_may_stand_apart():
    assert allowed_words(int, (Field(ge=2),)) == "a whole number at least 2"


def test_null():
    assert takes_null(Positive | None)
    assert not takes_null(Count | Counts)
