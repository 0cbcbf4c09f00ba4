"""What the runs of a sweep were measured with, in words: machine, code, days, protocol, versions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stvit_video.sweeps.report.points import MEASURED, Run
from stvit_video.utils.counts import count_words

__all__ = ["fact_words", "measured_with", "versions_of"]

COMMIT_LETTERS = 10
MAX_TOLD = 3  # values of a fact; the others are counted


def measured_with(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Facts and their values over all runs; a fact that no run has is left out.

    Args:
        runs: finished ones.

    Returns:
        Pairs of name and words, such as ("hardware", "NVIDIA H200").
    """
    facts = [
        ("hardware", _few(_values(runs, "hardware"))),
        ("commit", _few(_values(runs, "commit"))),
        ("measured", _days(_values(runs, "date"))),
        ("protocol", _protocol(runs)),
        ("speed", _speed(runs)),
    ]
    return [(name, words) for name, words in facts if words]


def versions_of(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Libraries and their versions, several where the runs differ."""
    versions = [run.result["versions"] for run in runs if isinstance(run.result.get("versions"), dict)]
    names = dict.fromkeys(name for one in versions for name in one)
    return [(name, _few(sorted({str(one[name]) for one in versions if name in one}))) for name in names]


def fact_words(name: str, value: object) -> str:
    """An entry of a result in words: a commit by its first letters, no signs of dictionaries and lists.

    Args:
        name: of the entry.
        value: what JSON holds; None = "unknown".
    """
    if name == "commit" and isinstance(value, str):
        letters, plus, note = value.partition("+")
        return letters[:COMMIT_LETTERS] + plus + note
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {fact_words(key, one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return " x ".join(fact_words(name, one) for one in value)
    return "unknown" if value is None else str(value)


def _values(runs: Sequence[Run], key: str) -> list[str]:
    """The different values that runs have, in words and in order."""
    return sorted({fact_words(key, run.result[key]) for run in runs if run.result.get(key)})


def _few(texts: Iterable[str]) -> str:
    given = list(texts)
    rest = len(given) - MAX_TOLD
    return "; ".join(given[:MAX_TOLD]) + (f"; and {rest} more" if rest > 0 else "")


def _days(dates: Sequence[str]) -> str:
    """The first and the last day, or both ends of one day in hours and minutes."""
    if not dates:
        return ""
    first, last = dates[0], dates[-1]
    if first[:10] != last[:10]:
        return f"{first[:10]} to {last[:10]}"
    clocks = list(dict.fromkeys(date[11:16] for date in (first, last) if date[11:16]))
    zone = " UTC" if clocks and all(date.endswith("+00:00") for date in (first, last)) else ""
    return f"{first[:10]} {' to '.join(clocks)}".strip() + zone


def _protocol(runs: Sequence[Run]) -> str:
    """What the result lines say of all runs alike; of results without a line what their entry says."""
    told = [_parts(run.result) for run in runs]
    shared = [part for part in told[0] if all(part in parts for parts in told)]
    if shared:
        return ", ".join(shared)
    return _few(_values(runs, "protocol"))


def _parts(result: Mapping[str, Any]) -> list[str]:
    """The parts of the protocol in the line of a result, which stands in its last brackets."""
    line = str(result.get("result", ""))
    _, is_there, rest = line.partition("  (")
    return rest.rpartition(")")[0].split(", ") if is_there else []


def _speed(runs: Sequence[Run]) -> str:
    in_turn = sum(bool(run.result.get(MEASURED)) for run in runs)
    if in_turn == len(runs):
        return "of all runs, one after the other"
    alone = "at the end of each run, beside whatever else the machine did"
    return f"of {count_words(in_turn, 'run')} one after the other, else {alone}" if in_turn else alone
