"""Events of a stream as files: JSON lines that grow while it runs, and a WebVTT track for players at its end.

An event that has begun is a line whose `end_seconds` is null. Once it is over, it is another line of the same `event`,
and of several lines of one number the last counts.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stvit_video.streaming.events import Event

__all__ = ["clock_words", "event_record", "event_words", "read_event_records", "same_event", "webvtt"]

KEYS = ("event", "label", "start_seconds", "end_seconds", "decided_seconds", "probability")
TIME_DIGITS, PROBABILITY_DIGITS = 3, 4
LEAST_CUE_SECONDS = 0.001  # a cue must end behind its start


def clock_words(seconds: float, *, has_tenths: bool = True) -> str:
    """1:05.2, 1:02:05.0; without tenths 1:05."""
    tenths = round(10 * seconds)
    whole, tenth = divmod(abs(tenths), 10)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    text = f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
    return f"{'-' * (tenths < 0)}{text}{f'.{tenth}' * has_tenths}"


def event_words(event: Event) -> str:
    """The line of an event in a terminal, once it is sure or over."""
    if event.end_seconds is None:
        since = f"since {clock_words(event.start_seconds)}, probability {event.probability:.2f}"
        return f"{clock_words(event.decided_seconds)}  {event.label}: {since}"
    lasted = f"over after {event.end_seconds - event.start_seconds:.1f} s, probability {event.probability:.2f}"
    return f"{clock_words(event.end_seconds)}  {event.label}: {lasted}"


def same_event(event: Event) -> tuple[str, float]:
    """What the begin and the end of one event have in common, and no other event has."""
    return event.label, event.start_seconds


def event_record(number: int, event: Event) -> dict[str, Any]:
    """The values of a line.

    Args:
        number: of the event, from 1 in the order in which they began to be sure.
        event: its begin or its end.
    """
    return {
        "event": number,
        "label": event.label,
        "start_seconds": round(event.start_seconds, TIME_DIGITS),
        "end_seconds": None if event.end_seconds is None else round(event.end_seconds, TIME_DIGITS),
        "decided_seconds": round(event.decided_seconds, TIME_DIGITS),
        "probability": round(float(event.probability), PROBABILITY_DIGITS),
    }


def read_event_records(path: Path) -> list[dict[str, Any]]:
    """The events of an events.jsonl, each once and in their order; a last line that was cut short is left out.

    Raises:
        ValueError: a line is no event.
        OSError: the file can't be read.
    """
    found: dict[int, dict[str, Any]] = {}
    text = path.read_bytes().decode("utf-8", errors="replace")
    for line, written in enumerate(text[: text.rfind("\n") + 1].split("\n")[:-1], start=1):
        try:
            record = json.loads(written)
        except ValueError:
            record = None
        if not isinstance(record, dict) or tuple(record) != KEYS:
            raise ValueError(
                f"line {line} of {path} is no event; it must be an object with {', '.join(KEYS)}: correct or delete it"
            )
        found[record["event"]] = record
    return list(found.values())


def webvtt(records: Iterable[dict[str, Any]], *, end_seconds: float) -> str:
    """The track of the events, a cue each, in the order of their begin.

    Args:
        records: of `read_event_records`.
        end_seconds: of the stream, where events end that were going on.

    Source: W3C, WebVTT: The Web Video Text Tracks Format, section 4.
    """
    cues = []
    for record in sorted(records, key=lambda one: (one["start_seconds"], one["event"])):
        start = max(record["start_seconds"], 0.0)
        end = end_seconds if record["end_seconds"] is None else record["end_seconds"]
        times = f"{_stamp(start)} --> {_stamp(max(end, start + LEAST_CUE_SECONDS))}"
        cues.append(f"{record['event']}\n{times}\n{_cue_text(record['label'])}\n")
    return "\n".join(["WEBVTT\n", *cues])


def _stamp(seconds: float) -> str:
    """00:01:02.345, with as many digits of hours as it needs."""
    milliseconds = round(1000 * seconds)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"


def _cue_text(label: str) -> str:
    """A label in one line, in which no sign has a meaning."""
    text = " ".join(label.split()) or "-"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
