"""Numbers as they come from callers and configurations: checked once, with a clear error, and made plain."""

import math
from collections.abc import Sequence
from operator import index
from typing import Any, TypeGuard


def is_whole(value: Any) -> TypeGuard[int]:
    """Whether `value` is a whole number by type: an int, numpy's included; not a bool, and not 2.0."""
    if isinstance(value, bool):
        return False
    try:
        index(value)
    except TypeError:
        return False
    return True


def is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is a tuple or a list, a configuration's included; not a text."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def whole_number(name: str, value: Any, *, minimum: int = 1) -> int:
    """`value` as an int.

    Args:
        name: what the caller knows the setting by.
        value: an int or a numpy integer.
        minimum: the smallest value allowed.

    Raises:
        ValueError: no whole number, or below `minimum`.
    """
    if not is_whole(value) or index(value) < minimum:
        raise ValueError(f"{name}={value!r} must be a whole number, at least {minimum}")
    return index(value)


def whole_numbers(name: str, values: Any) -> tuple[int, ...]:
    """`values` as a tuple of ints.

    Raises:
        ValueError: no list or tuple, or one of its values is no whole number of at least 1.
    """
    if not is_list(values) or not all(is_whole(value) and index(value) >= 1 for value in values):
        raise ValueError(f"{name}={values!r} must be a whole number for each axis, at least 1")
    return tuple(index(value) for value in values)


def pair(name: str, size: Any) -> tuple[int, ...]:
    """One number for both sides, or (height, width) as given.

    Raises:
        ValueError: neither one whole number nor two, or one below 1.
    """
    if is_whole(size):
        return (whole_number(name, size),) * 2
    if not is_list(size) or len(size) != 2:
        raise ValueError(f"{name}={size!r} is not possible; give one whole number for both sides, or (height, width)")
    return whole_numbers(name, size)


def flag(name: str, value: Any) -> bool:
    """`value` as a bool.

    Raises:
        ValueError: neither True nor False.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name}={value!r} is not possible; give True or False")
    return value


def number(name: str, value: Any) -> float:
    """`value` as a finite float.

    Raises:
        ValueError: no number, or not finite.
    """
    try:
        converted = math.nan if isinstance(value, (bool, str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        converted = math.nan
    if not math.isfinite(converted):
        raise ValueError(f"{name}={value!r} is not possible; give a finite number")
    return converted


def share(name: str, value: Any) -> float:
    """`value` as a float in [0, 1).

    Raises:
        ValueError: no number, or outside [0, 1).
    """
    if not 0.0 <= (converted := number(name, value)) < 1.0:
        raise ValueError(f"{name}={value!r} is not possible; it must lie in [0, 1): choose 0 to switch it off")
    return converted
