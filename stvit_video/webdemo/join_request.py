"""What the page may ask its server to do: the body of such a request is read, and made anew of what was checked.

Gradio takes any JSON, in which an object that looks like a file makes it copy a path or fetch an address. The page
sends numbers and the token of a clip, so anything else is refused before gradio sees it.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["WORD", "JoinRequest", "Span", "checked_join"]

Span = tuple[float, float]  # least and largest value of a slider
WORD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # the name of a session, or the token of a clip
KEYS = frozenset({"data", "event_data", "fn_index", "trigger_id", "session_hash"})
MAX_TRIGGER = 10**6


class JoinRequest(NamedTuple):
    """What is asked.

    Attributes:
        session: of the visitor.
        token: of a clip; None = none is named.
        body: JSON that says just that.
    """

    session: str
    token: str | None
    body: bytes


def checked_join(body: bytes, events: Mapping[int, Sequence[Span | None]]) -> JoinRequest:
    """Read a request of the page.

    Args:
        body: whatever was sent.
        events: of the page, by their number; for each of its values the span of the slider, or None where the page
            sends null.

    Raises:
        ValueError: the page sends no such thing; the message is a whole sentence.
    """
    values = _object(body)
    number = values.get("fn_index")
    if type(number) is not int or number not in events:  # a bool is an int, too
        raise ValueError("This page has no such event.")
    trigger, session = values.get("trigger_id"), values.get("session_hash")
    if trigger is not None and not (type(trigger) is int and 0 <= trigger <= MAX_TRIGGER):
        raise ValueError("trigger_id is null or the number of a part of the page.")
    if not isinstance(session, str) or WORD.fullmatch(session) is None:
        raise ValueError("session_hash is a word of up to 64 letters, digits, _ and -.")
    token = _token(values.get("event_data"))
    checked = {
        "data": _data(values.get("data"), events[number]),
        "event_data": None if token is None else {"token": token},
        "fn_index": number,
        "trigger_id": trigger,
        "session_hash": session,
    }
    return JoinRequest(session, token, json.dumps(checked, allow_nan=False).encode())


def _object(body: bytes) -> dict[str, Any]:
    def no_constant(name: str) -> float:
        raise ValueError(f"{name} is no JSON")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key stands there twice")
        return dict(pairs)

    try:
        values = json.loads(body.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise ValueError("The request is no JSON that the page sends.") from error
    if not isinstance(values, dict) or not values.keys() <= KEYS:
        raise ValueError(f"A request of the page is an object of {', '.join(sorted(KEYS))} alone.")
    return values


def _data(values: Any, spans: Sequence[Span | None]) -> list[float | None]:
    if not isinstance(values, list) or len(values) != len(spans):
        raise ValueError(f"data is a list of {len(spans)} values for this event.")
    for value, span in zip(values, spans, strict=True):
        if value is None:
            continue
        if span is None:
            raise ValueError("data is null for a part of the page that is no slider.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError("data is a number for a slider.")
        if not span[0] <= value <= span[1]:
            raise ValueError(f"data is {span[0]:g} to {span[1]:g} for this slider.")
    return values


def _token(event_data: Any) -> str | None:
    if event_data is None:
        return None
    if not isinstance(event_data, dict) or event_data.keys() != {"token"}:
        raise ValueError("event_data is null or the token of a clip alone.")
    token = event_data["token"]
    if not isinstance(token, str) or WORD.fullmatch(token) is None:
        raise ValueError("A token is a word of up to 64 letters, digits, _ and -.")
    return token
