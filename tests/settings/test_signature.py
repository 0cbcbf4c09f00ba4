from typing import Literal

from stvit_video.settings.reading import read_settings
from stvit_video.settings.signature import settings_of


def find(part: str, *, known: int, place: str | None = None, kind: Literal["a", "b"] = "a", need: int) -> None:
    """Find it.

    Args:
        part: which.
        known: or not.
        place: where it is; None = here.
        kind: of it.
        need: how many.
    """


def read_it(part: str, *, place: int = 3, speed: float = 0.5) -> None:
    """Read it.

    Args:
        part: which.
        place: another one.
        speed: of reading.
    """


def test_keyword_arguments_are_settings():
    kind = settings_of(find, read_it, name="Found", without=("known",))
    assert list(kind.model_fields) == ["place", "kind", "need", "speed"]
    assert kind.model_fields["place"].description == "where it is; null = here"
    assert (kind.__name__, kind.__doc__) == ("Found", "Find it.")
    read = read_settings(kind, {"kind": "c", "speed": 2})
    assert dict(read.wrong) == {
        "need": "need is missing; give it, for example need=VALUE",
        "kind": "kind='c' must be one of a, b",
    }
    assert read.settings.plain() == {"place": None, "kind": "a", "need": "???", "speed": 2}


def test_types_can_be_given():
    kind = settings_of(read_it, name="Typed", types={"place": str | None})
    assert dict(read_settings(kind, {"place": 4}).wrong) == {"place": "place=4 must be a word; write it as '\"4\"'"}
