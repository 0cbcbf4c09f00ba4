"""Kinds of values that a setting of a command line may have: how a text is read, and the rule where it can't be."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, overload


@dataclass(frozen=True)
class Kind:
    """How the text of a setting becomes a value.

    Attributes:
        sign: what --help writes in place of a value, such as "N".
        read: the value of a text; raises ValueError with a rule, such as "must be a whole number".
        example: a text that can be read.
    """

    sign: str
    read: Callable[[str], Any]
    example: str


def whole(*, low: int | None = None, high: int | None = None) -> Kind:
    """A whole number of a range, ends included."""
    rule = f"must be a whole number{_range(low, high)}"

    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text, re.ASCII) or not _within(int(text), low, high):
            raise ValueError(rule)
        return int(text)

    return Kind("N", read, str(4 if _within(4, low, high) else low if low is not None else high))


def number(*, low: float | None = None, high: float | None = None) -> Kind:
    """A finite number of a range, ends included."""
    rule = f"must be a number{_range(low, high)}"

    def read(text: str) -> float:
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", text, re.ASCII | re.IGNORECASE):
            raise ValueError(rule)
        if not _within(float(text), low, high):
            raise ValueError(rule)
        return float(text)

    return Kind("X", read, "0.5")


def positive_number() -> Kind:
    """A finite number above 0."""
    rule = "must be a number above 0"
    any_number = number()

    def read(text: str) -> float:
        try:
            value = any_number.read(text)
        except ValueError as error:
            raise ValueError(rule) from error
        if value <= 0:
            raise ValueError(rule)
        return float(value)

    return Kind("X", read, "60")


def whole_numbers(*, low: int = 0) -> Kind:
    """Whole numbers with commas between: (0, 2) of "0,2"."""
    one = whole(low=low)

    def read(text: str) -> tuple[int, ...]:
        try:
            return tuple(one.read(part.strip()) for part in text.split(","))
        except ValueError as error:
            raise ValueError(f"must be whole numbers from {low} on with commas between") from error

    return Kind("N,N", read, f"{low},{low + 2}")


def several(one: Kind) -> Kind:
    """Values of a kind with commas between, each once: ((4, 4), (8,)) of "4x4,8" for `sizes()`."""

    def read(text: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(one.read(part.strip()) for part in text.split(",")))

    return Kind(f"{one.sign},{one.sign}", read, f"{one.example}")


def sizes(*, max_axes: int = 3) -> Kind:
    """Sizes of axes: (4, 5) of "4x5", (4,) of "4"."""
    rule = f"must be whole numbers of at least 1, at most {max_axes} with x between"

    def read(text: str) -> tuple[int, ...]:
        if not re.fullmatch(rf"[1-9]\d*(x[1-9]\d*){{0,{max_axes - 1}}}", text, re.ASCII):
            raise ValueError(rule)
        return tuple(int(size) for size in text.split("x"))

    return Kind("NxN", read, "x".join("4" * max_axes))


@overload
def count_or_grid(sizes_given: None) -> None: ...


@overload
def count_or_grid(sizes_given: tuple[int, ...]) -> int | tuple[int, ...]: ...


def count_or_grid(sizes_given: tuple[int, ...] | None) -> int | tuple[int, ...] | None:
    """Tokens as `num_tokens=` gives them: one number is a count, several are a grid."""
    return sizes_given[0] if sizes_given and len(sizes_given) == 1 else sizes_given


def one_of(choices: Iterable[str], *, sign: str | None = None) -> Kind:
    """One of some words; `sign` is for --help where they are many."""
    names = tuple(choices)

    def read(text: str) -> str:
        if text not in names:
            close = get_close_matches(text, names, n=1)
            raise ValueError(f"must be one of {', '.join(names)}{f'; did you mean {close[0]}?' if close else ''}")
        return text

    return Kind(sign or "|".join(names), read, names[0])


def _read_text(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


def _read_words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _read_yes_no(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


TEXT = Kind("TEXT", _read_text, "TEXT")
PATH = Kind("PATH", lambda text: Path(_read_text(text)), "PATH")
WORDS = Kind("NAME,NAME", _read_words, "a,b")  # ("a", "b") of "a,b"
YES_NO = Kind("true|false", _read_yes_no, "true")


def _within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" between {low} and {high}"
    return "" if low is None and high is None else f", at least {low}" if high is None else f", at most {high}"
