"""From what a label map holds, values or colours, to the labels of classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["IGNORED", "LabelMapError", "LabelRules", "colour_codes", "colour_text"]

IGNORED = 255  # label of pixels that are neither learned nor scored
MAX_CLASSES = 255  # of a map, whose labels are 0 to 254
NUM_VALUES = 2**16
UNKNOWN = -1
NUM_NAMED = 3


class LabelMapError(ValueError):
    """A label map can't be used; the message names it and says why."""


@dataclass(frozen=True)
class LabelRules:
    """Which label each value, or each colour, of a map has.

    Attributes:
        labels: value (0 to 65535) -> label, or colour (0xRRGGBB) -> label; IGNORED = not counted.
        of_colours: whether maps are read as colours.
        others_ignored: what any other value is: True = not counted, False = a fault of the map. 255 is not counted
            unless it has a label.
    """

    labels: Mapping[int, int]
    of_colours: bool = False
    others_ignored: bool = False

    def labels_of(self, stored: NDArray[np.integer], *, name: str) -> NDArray[np.uint8]:
        """The labels (H, W) of a stored map.

        Args:
            stored: (H, W) values, or (H, W, 3) colours.
            name: of the map, for messages.

        Raises:
            LabelMapError: it has colours in place of values, or a value that has no label.
        """
        self.require_kind(stored, name=name)
        labels = self._looked_up(stored)
        if (labels == UNKNOWN).any():
            raise LabelMapError(self._unknown_text(self.unknown(self.counted(stored)), name=name))
        return labels.astype(np.uint8)

    def counted(self, stored: NDArray[np.integer]) -> dict[int, int]:
        """The values, or codes of colours, of a stored map -> their pixels."""
        if not self.of_colours:
            counts = np.bincount(stored.ravel())
            return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
        codes, counts = np.unique(colour_codes(stored), return_counts=True)
        return dict(zip(codes.tolist(), counts.tolist(), strict=True))

    def unknown(self, counted: Mapping[int, int]) -> dict[int, int]:
        """Of values or colours with their pixels those that are faults, see `labels_of`."""
        if self.others_ignored:
            return {}
        known = set(self.labels) | (set() if self.of_colours else {IGNORED})
        return {code: count for code, count in counted.items() if code not in known}

    def require_kind(self, stored: NDArray[np.integer], *, name: str) -> None:
        """Refuse colours where values are wanted.

        Raises:
            LabelMapError: see `labels_of`.
        """
        if stored.ndim == 3 and not self.of_colours:
            raise LabelMapError(
                f"the label map {name!r} has colours, {colours_text(stored)}, and no values of classes; give the "
                "colour of each class as data.palette=FILE, with lines such as 'road 128 64 128'"
            )

    def named(self, codes: Iterable[int]) -> str:
        """The first three of some values or colours, for a sentence."""
        found = list(codes)
        shown = [f"({colour_text(code)})" if self.of_colours else str(code) for code in found[:NUM_NAMED]]
        more = len(found) - NUM_NAMED
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")

    def _unknown_text(self, unknown: Mapping[int, int], *, name: str) -> str:
        what, where = ("colours", "data.palette") if self.of_colours else ("values", "the file of classes")
        return (
            f"the label map {name!r} has {sum(unknown.values())} pixels of {what} that are those of no class, "
            f"{self.named(unknown)}; name them in {where}, or correct the map"
        )

    def _looked_up(self, stored: NDArray[np.integer]) -> NDArray[np.int16]:
        """(H, W) labels, UNKNOWN where there is none."""
        if not self.of_colours:
            return self._values[stored]
        known, labels = self._colours
        codes = colour_codes(stored)
        places = np.searchsorted(known, codes).clip(max=len(known) - 1)
        other = IGNORED if self.others_ignored else UNKNOWN
        return np.where(known[places] == codes, labels[places], np.int16(other))

    @cached_property
    def _values(self) -> NDArray[np.int16]:
        """(65536,) the label of each value."""
        table = np.full(NUM_VALUES, IGNORED if self.others_ignored else UNKNOWN, dtype=np.int16)
        table[IGNORED] = IGNORED
        table[list(self.labels)] = list(self.labels.values())
        return table

    @cached_property
    def _colours(self) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """The known colours in order, and the label of each."""
        known = np.array(sorted(self.labels), dtype=np.int64)
        return known, np.array([self.labels[int(code)] for code in known], dtype=np.int16)


def colour_codes(stored: NDArray[np.integer]) -> NDArray[np.int64]:
    """Colours (H, W, 3) as 0xRRGGBB, (H, W); of values (H, W) those of the greys."""
    wide = stored.astype(np.int64)
    if wide.ndim == 2:
        return wide * 0x010101
    return (wide[..., 0] << 16) + (wide[..., 1] << 8) + wide[..., 2]


def colour_text(code: int) -> str:
    """A colour as files of colours have it: "120 120 80"."""
    return f"{code >> 16} {code >> 8 & 255} {code & 255}"


def colours_text(stored: NDArray[np.integer]) -> str:
    """The three colours that most pixels have, for a sentence."""
    codes, counts = np.unique(colour_codes(stored), return_counts=True)
    first = codes[np.argsort(-counts, kind="stable")][:NUM_NAMED].tolist()
    return f"for example {', '.join(map(colour_text, first))} (red green blue)"
