"""timeline.png: a lane for each class, with its smoothed probability over time and its events as bands below."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.streaming.event_tracks import clock_words
from stvit_video.streaming.time_bins import TimeBins
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.figures import new_figure, save_figure
from stvit_video.utils.optional import load_optional
from stvit_video.utils.plot_text import plot_text, write_literally
from stvit_video.visualization.class_colours import class_colour

__all__ = ["gaps_of", "lane_classes", "save_timeline"]

WIDTH_INCHES, LANE_INCHES, FRAME_INCHES, DPI = 14.0, 0.55, 1.1, 120
FEW_LANES, MOST_LANES = 8, 24  # so many where few classes have events, and at most
MAX_NAME_LENGTH = 28
BAND, CURVE = (0.06, 0.24), (0.34, 0.94)  # of a lane, from its bottom to its top: where they are drawn
GAP_BINS, GAP_STEPS = 8, 3  # a gap is longer than so many bins, and so many usual distances of steps
TICK_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
MAX_TICKS = 13


def save_timeline(
    path: Path, bins: TimeBins, records: Sequence[dict[str, Any]], *, classes: Sequence[str], enter: float
) -> None:
    """Draw the picture; a time without steps is grey.

    Args:
        path: the PNG; it is written in one step.
        bins: smoothed probabilities of the classes; the highest of a bin is drawn.
        records: events, see `read_event_records`.
        classes: names in the order of the probabilities.
        enter: probability from which on an event begins, drawn as a line.

    Raises:
        MissingLibraryError: matplotlib is not installed.
        OSError: it can't be written.
    """
    load_optional("matplotlib", needed_for=path.name, install="pip install matplotlib")
    times, peaks = bins.peaks()
    is_filled = ~np.isnan(peaks).all(axis=1)
    times, peaks = times[is_filled], peaks[is_filled]
    lanes = lane_classes(peaks, records, classes)
    figure = new_figure(WIDTH_INCHES, FRAME_INCHES + LANE_INCHES * len(lanes), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    gaps = gaps_of(times, bin_seconds=bins.bin_seconds)
    for start, end in gaps:
        axes.axvspan(start, end, color="0.93", linewidth=0)
    for row, number in enumerate(lanes):
        base, colour = float(len(lanes) - 1 - row), tuple(level / 255 for level in class_colour(number))
        _draw_curve(axes, times, peaks[:, number], gaps, base=base, colour=colour, enter=enter)
        own = [one for one in records if one["label"] == classes[number]]
        _draw_band(axes, own, end_seconds=float(times[-1]) if len(times) else 0.0, base=base, colour=colour)
    _name_lanes(axes, [classes[number] for number in lanes])
    some = f", {len(lanes)} of {len(classes)} classes" if len(lanes) < len(classes) else ""
    axes.set_title(f"smoothed probabilities (dotted: {enter:g}, where an event begins) and events{some}", fontsize=10)
    _mark_time(axes, start=bins.start_seconds, end=_end(times, bins, records))
    with atomically(path) as part, part.open("wb") as file:
        save_figure(figure, file)


def lane_classes(peaks: np.ndarray, records: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[int]:
    """Numbers of the classes that have lanes, in their order.

    Those with most events come first, up to 24; where fewer than 8 have any, the likeliest others fill up.

    Args:
        peaks: (n, num_classes) of bins that have a step.
        records: events.
        classes: names.
    """
    counts = [0] * len(classes)
    for record in records:
        counts[classes.index(record["label"])] += 1
    highest = np.fmax.reduce(peaks, axis=0, initial=0.0)  # (num_classes,)
    order = sorted(range(len(classes)), key=lambda number: (-counts[number], -highest[number], number))
    num_seen = sum(count > 0 for count in counts)
    return sorted(order[: min(max(num_seen, FEW_LANES), MOST_LANES)])


def gaps_of(times: np.ndarray, *, bin_seconds: float) -> list[tuple[float, float]]:
    """Start and end of each long time without a step.

    Args:
        times: middles of the bins that have one (n,).
        bin_seconds: width of a bin.
    """
    distances = np.diff(times)
    if not len(distances):
        return []
    longest = max(GAP_BINS * bin_seconds, GAP_STEPS * float(np.median(distances)))
    return [(float(times[place]), float(times[place + 1])) for place in np.flatnonzero(distances > longest)]


def _draw_curve(
    axes: Any,
    times: np.ndarray,
    peaks: np.ndarray,
    gaps: Sequence[tuple[float, float]],
    *,
    base: float,
    colour: tuple[float, ...],
    enter: float,
) -> None:
    low, high = (base + place for place in CURVE)
    breaks = np.searchsorted(times, [end for _, end in gaps])
    times, peaks = np.insert(times, breaks, np.nan), np.insert(peaks, breaks, np.nan)
    curve = low + (high - low) * peaks
    axes.fill_between(times, low, curve, color=colour, alpha=0.3, linewidth=0)
    axes.plot(times, curve, color=colour, linewidth=1.0)
    axes.axhline(low + (high - low) * enter, color="0.5", linestyle=":", linewidth=0.7)
    axes.axhline(base, color="0.8", linewidth=0.7)


def _draw_band(
    axes: Any, records: Sequence[dict[str, Any]], *, end_seconds: float, base: float, colour: tuple[float, ...]
) -> None:
    spans = []
    for record in records:
        end = end_seconds if record["end_seconds"] is None else record["end_seconds"]
        spans.append((record["start_seconds"], end - record["start_seconds"]))
    # an edge of its own colour: an event of a second is seen within hours, too
    place = (base + BAND[0], BAND[1] - BAND[0])
    axes.broken_barh(spans, place, facecolor=colour, edgecolor=colour, linewidth=0.8)


def _name_lanes(axes: Any, names: Sequence[str]) -> None:
    shown, families = plot_text(names, max_length=MAX_NAME_LENGTH)
    places = [len(names) - 1 - row + sum(CURVE) / 2 for row in range(len(names))]
    axes.set_yticks(places, labels=shown, fontsize=9)
    write_literally(axes.get_yticklabels(), families)
    axes.set_ylim(0, len(names))


def _end(times: np.ndarray, bins: TimeBins, records: Sequence[dict[str, Any]]) -> float:
    steps = [float(times[-1]) + bins.bin_seconds / 2] if len(times) else []
    return max([*steps, *(one["end_seconds"] or 0.0 for one in records), bins.start_seconds])


def _mark_time(axes: Any, *, start: float, end: float) -> None:
    """Ticks at whole seconds, minutes or hours."""
    length = max(end - start, TICK_SECONDS[0])
    step = next((step for step in TICK_SECONDS if length / step <= MAX_TICKS), length / MAX_TICKS)
    places = np.arange(np.ceil(start / step - 1e-9) * step, start + length + 1e-9, step)
    axes.set_xticks(places, labels=[clock_words(float(place), has_tenths=step < 1) for place in places])
    axes.set(xlim=(start, start + length), xlabel="time of the stream")
    axes.grid(alpha=0.3, axis="x")
