"""What a setting may be: its type, its range, the words that are allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from typing import Any

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """What a setting may be.

    Args:
        kind: int, float (whole numbers too), bool or str.
        low: smallest allowed number.
        high: largest allowed number.
        above: whether `low` itself is excluded.
        below: whether `high` is.
        length: how many such values in a list, 0 = any number of them; None = one value and no list.
        optional: whether null is allowed.
        choices: the words that are allowed; empty = any.
        or_words: words that are allowed in place of a number, a list or true and false.
    """

    kind: type
    low: float = -inf
    high: float = inf
    above: bool = False
    below: bool = False
    length: int | None = None
    optional: bool = False
    choices: tuple[str, ...] = ()
    or_words: tuple[str, ...] = ()

    def fault(self, value: Any) -> str | None:
        """What is wrong with `value`, in words; None = nothing."""
        if value is None:
            return None if self.optional else f"must be {self.words()}"
        if isinstance(value, str) and value in self.or_words:
            return None
        values = list(value) if self.length is not None and isinstance(value, (list, tuple)) else [value]
        as_list = isinstance(value, (list, tuple))
        fits = as_list == (self.length is not None) and (self.length == 0 or len(values) == (self.length or 1))
        return None if fits and all(self._fits(v) for v in values) else f"must be {self.words()}"

    def _fits(self, value: Any) -> bool:
        if self.kind in (bool, str):
            return isinstance(value, self.kind) and (not self.choices or value in self.choices)
        allowed = (int, float) if self.kind is float else (int,)
        if isinstance(value, bool) or not isinstance(value, allowed) or not isfinite(value):
            return False
        above = self.low < value if self.above else self.low <= value
        return above and (value < self.high if self.below else value <= self.high)

    def words(self) -> str:
        """The rule for a reader."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}
        parts = [names[self.kind]] if self.length is None else [f"a list of {self.length} numbers"]
        parts = ["a list of numbers"] if self.length == 0 else parts
        if self.low > -inf:
            parts.append(f"{'above' if self.above else 'at least'} {self.low}")
        if self.high < inf:
            parts.append(f"{'below' if self.below else 'at most'} {self.high}")
        others = f", or {' or '.join(self.or_words)}" if self.or_words else ""
        return " ".join(parts[:1]) + (" " + " and ".join(parts[1:]) if parts[1:] else "") + others


PRECISIONS = (  # what Lightning takes, and auto
    *("auto", "32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true", "32", "bf16", "16", "64"),
    *("transformer-engine", "transformer-engine-float16"),
)
PROTOCOL_PARTS = ("name", "num_clips", "num_crops", "average")
COUNT = Rule(int, 1)
SHARE = Rule(float, 0, 1)


def chosen_protocol(settings: Settings) -> dict[str, Any]:
    """The `protocol` settings; where they name none, uniform, and for pictures single.

    Args:
        settings: the resolved training configuration as plain values.
    """
    protocol = settings["protocol"]
    usual = "single" if settings["data"]["source"] == "image_folder" else "uniform"
    return {key: protocol.get(key) for key in PROTOCOL_PARTS} | {"name": protocol.get("name") or usual}
