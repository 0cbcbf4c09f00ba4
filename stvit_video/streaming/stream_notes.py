"""Why windows are begun anew: what happens often between two steps is counted, so that a note does not grow."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["Note", "gathered", "note_words", "seconds_words"]

Kind = Literal["connection", "clock", "size", "gap"]


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something that begins the window anew.

    Attributes:
        kind: what happened.
        words: about the last time that it did.
        seconds: the longest of its times.
        count: how often it happened.
    """

    kind: Kind
    words: str
    seconds: float = 0.0
    count: int = 1

    def __str__(self) -> str:
        if self.count == 1:
            return self.words
        longest = seconds_words(self.seconds)
        return {
            "connection": f"{self.words} (the last of {self.count} times)",
            "clock": f"its time stamps ran back {self.count} times, by {longest} at most",
            "size": f"{self.words} (the last of {self.count} changes)",
            "gap": f"{self.count} gaps, the longest {longest}",
        }[self.kind]


def gathered(*notes: Iterable[Note]) -> tuple[Note, ...]:
    """Notes one after the other as one for each kind, in the order in which the kinds came first."""
    found: dict[str, Note] = {}
    for note in (one for several in notes for one in several):
        before = found.get(note.kind)
        if before is not None:
            note = replace(note, seconds=max(before.seconds, note.seconds), count=before.count + note.count)
        found[note.kind] = note
    return tuple(found.values())


def note_words(notes: Iterable[Note]) -> str:
    """Notes as one text; "" where there are none."""
    return "; ".join(map(str, notes))


def seconds_words(seconds: float) -> str:
    """A time that is not rounded to nothing: 12.3 s, 0.16 s, 0.04 s."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"
