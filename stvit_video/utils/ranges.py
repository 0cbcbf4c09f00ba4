"""Counts and rates that a caller gives."""

import math
from numbers import Real


def require_positive(**counts: int) -> None:
    """Raise unless every count is at least 1; the keyword is the count's name in the message.

    Raises:
        ValueError: one is below 1.
    """
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}={count} must be at least 1")


def require_rate(name: str, rate: float) -> None:
    """Raise unless the rate is a finite number above 0.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(rate, Real) or not (math.isfinite(rate) and rate > 0):
        raise ValueError(f"{name}={rate!r} must be a finite number above 0")
