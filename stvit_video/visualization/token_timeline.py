"""timeline.png: how much of the video each token has over time, what it says for the label, and the probabilities."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.figures import new_figure, save_figure
from stvit_video.utils.full_disk import full_disk_is_told
from stvit_video.utils.optional import load_optional
from stvit_video.utils.plot_text import plot_text, write_literally
from stvit_video.visualization.overlay_files import FULL_ADVICE
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of, hex_colour
from stvit_video.visualization.token_record import ClipTokens, VideoTokens

__all__ = ["area_shares", "save_token_timeline", "step_contributions"]

WIDTH_INCHES, HEIGHT_INCHES, DPI = 10.0, 6.6, 120
GAP_SHARE = 0.12  # of the time of a mean clip: a longer gap between clips is drawn as short as that
MAX_NAME_LENGTH, MAX_TITLE_NAME_LENGTH = 28, 50
MOST_TICKS = 12
NUM_LABELS = 3
LABEL_LINES = (("black", "-"), ("0.45", "--"), ("0.65", ":"))  # grey and dashes: colours belong to tokens


class _Place(NamedTuple):
    """Where a clip is drawn: its left edge and its width, in seconds of the axis; its steps share it evenly."""

    left: float
    width: float

    def edges(self, num_steps: int) -> np.ndarray:
        """(n,) left edges of the steps."""
        return self.left + self.width * np.arange(num_steps) / num_steps


def save_token_timeline(video: VideoTokens, path: Path) -> None:
    """Draw the timeline as a PNG, in one step.

    Times between clips are blank, and long ones are shortened; the ticks say when clips begin, and when the last ends.
    Clips of one frame stand side by side.

    Args:
        video: its tokens.
        path: the file.

    Raises:
        MissingLibraryError: matplotlib is not installed.
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    load_optional("matplotlib", needed_for=path.name, install="pip install matplotlib")
    figure = new_figure(WIDTH_INCHES, HEIGHT_INCHES, dpi=DPI, layout="constrained")
    places = _places(video)
    areas, contributions, chances = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 2))
    contributions.use_sticky_edges = False  # leaves a margin above
    for clip, place in zip(video.clips, places, strict=True):
        _draw_stacked(areas, video, place, area_shares(clip))
        _draw_stacked(contributions, video, place, step_contributions(clip))
    areas.set(ylabel="share of area", ylim=(0, 1))
    contributions.set_ylabel("contribution\nto the logit")
    contributions.axhline(0, color="black", linewidth=0.7)
    _draw_probabilities(chances, video, places)
    _mark_time(chances, video, places)
    _add_legend(areas, video)
    _add_title(areas, video)
    with full_disk_is_told(path, advice=FULL_ADVICE), atomically(path) as part, part.open("wb") as file:
        save_figure(figure, file)


def area_shares(clip: ClipTokens) -> np.ndarray:
    """(K, T'): the share of each token in the image tokens of a step, mean over the step; they sum to 1."""
    return clip.shares.mean(axis=(2, 3))


def step_contributions(clip: ClipTokens) -> np.ndarray:
    """(K, T'): the part of each token's contribution that comes from a step; they sum to its contribution."""
    return clip.contributions[:, None] * clip.sources.sum(axis=(2, 3))


def _places(video: VideoTokens) -> list[_Place]:
    """Clips in a row, with the times between them, which are short where they are long; overlaps are pulled apart."""
    widths = [_clip_seconds(video, clip) for clip in video.clips]
    most = GAP_SHARE * float(np.mean(widths))
    places, left, end = [], 0.0, float(video.clips[0].seconds[0])
    for clip, width in zip(video.clips, widths, strict=True):
        gap = float(clip.seconds[0]) - end
        is_next = abs(gap) <= width / len(clip.frames) / 2
        left += 0.0 if is_next else most if gap < 0 else min(gap, most)
        places.append(_Place(left, width))
        left, end = left + width, float(clip.seconds[0]) + width
    return places


def _clip_seconds(video: VideoTokens, clip: ClipTokens) -> float:
    """From the beginning of the earliest frame to the end of the latest, which of a short video may not be the last."""
    between = float(np.ptp(clip.seconds))
    if between == 0:
        return 1.0 if video.is_picture else 1 / video.fps
    return between * len(clip.frames) / (len(clip.frames) - 1)


def _draw_stacked(axes: Any, video: VideoTokens, place: _Place, values: np.ndarray) -> None:
    """Bars of the steps (K, T'): what is above 0 stands on 0, what is below hangs from it; named tokens come first."""
    num_steps = values.shape[1]
    is_other = ~np.isin(np.arange(len(values)), video.named)
    others = values[is_other]
    rows = [(values[token], hex_colour(colour_of(video, token))) for token in video.named]
    rows += [(np.clip(others, 0, None).sum(axis=0), hex_colour(OTHER_COLOUR))]
    rows += [(np.clip(others, None, 0).sum(axis=0), hex_colour(OTHER_COLOUR))]
    above, below = np.zeros(num_steps), np.zeros(num_steps)
    for row, colour in rows:
        bottom = np.where(row >= 0, above, below)
        axes.bar(place.edges(num_steps), row, place.width / num_steps, bottom, align="edge", color=colour, linewidth=0)
        above, below = above + np.clip(row, 0, None), below + np.clip(row, None, 0)


def _draw_probabilities(axes: Any, video: VideoTokens, places: Sequence[_Place]) -> None:
    """The label and the two likeliest others, each a line over the time of a clip."""
    order = [int(number) for number in np.argsort(-video.probabilities, kind="stable") if number != video.label]
    numbers = [video.label, *order[: NUM_LABELS - 1]]
    names, families = plot_text([video.classes[number] for number in numbers], max_length=MAX_NAME_LENGTH)
    for number, name, (colour, dashes) in zip(numbers, names, LABEL_LINES, strict=False):
        for clip, place in zip(video.clips, places, strict=True):
            ends, value = [place.left, place.left + place.width], float(clip.probabilities[number])
            label = name if place is places[0] else None
            axes.plot(ends, [value, value], color=colour, linestyle=dashes, linewidth=2, label=label)
    axes.set(ylabel="probability", ylim=(-0.04, 1.04))
    axes.grid(alpha=0.3, axis="y")
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)
    write_literally(legend.get_texts(), families)


def _mark_time(axes: Any, video: VideoTokens, places: Sequence[_Place]) -> None:
    """Where each clip begins, and the last one ends, in seconds of the video; stills have no end."""
    axes.set_xlim(places[0].left, places[-1].left + places[-1].width)
    if video.is_picture:
        axes.set_xticks([])
        return
    starts = [(place.left, float(clip.seconds[0])) for clip, place in zip(video.clips, places, strict=True)]
    end = places[-1].left + places[-1].width, starts[-1][1] + places[-1].width
    ticks = starts[:: math.ceil(len(starts) / MOST_TICKS)] + [end] * (not video.is_stills)
    axes.set_xticks([place for place, _ in ticks], labels=[f"{seconds:.2f}" for _, seconds in ticks], fontsize=9)
    gaps = [after.left - place.left - place.width for place, after in pairwise(places)]
    times = [float(after.seconds[0] - clip.seconds[0]) for clip, after in pairwise(video.clips)]
    is_linear = np.allclose([gap + place.width for gap, place in zip(gaps, places, strict=False)], times)
    stretched = "" if is_linear else "; times between clips are shortened"
    axes.set_xlabel("seconds of the video" + ("; frames stand side by side" if video.is_stills else stretched))


def _add_legend(axes: Any, video: VideoTokens) -> None:
    """The tokens by number, beside the panel."""
    from matplotlib.patches import Patch

    handles = [Patch(color=hex_colour(colour_of(video, token)), label=f"token {token}") for token in video.named]
    if num_others := video.num_tokens - len(video.named):
        handles.append(Patch(color=hex_colour(OTHER_COLOUR), label=f"{num_others} others"))
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)


def _add_title(axes: Any, video: VideoTokens) -> None:
    (name, label), families = plot_text([video.name, video.classes[video.label]], max_length=MAX_TITLE_NAME_LENGTH)
    title = axes.set_title(f"{name}: tokens, and what they contribute to {label}", fontsize=10, loc="left")
    write_literally([title], families)
