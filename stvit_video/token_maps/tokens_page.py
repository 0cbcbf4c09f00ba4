"""The page of a video's tokens: a player with tubes and class maps, a table of the tokens, and what that is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np

from stvit_video.pages.page_table import PageTable
from stvit_video.pages.render import png_data, render_page
from stvit_video.token_maps.player_data import player_data
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.counts import count_words
from stvit_video.visualization.token_captions import agreement_words, entropy_words, signed_words
from stvit_video.visualization.token_colours import AGAINST_COLOUR, FOR_COLOUR, OTHER_COLOUR, colour_of, hex_colour
from stvit_video.visualization.token_record import TokenValues, VideoTokens
from stvit_video.visualization.token_words import doubts, label_words, place_words

__all__ = ["tokens_page", "write_tokens_page"]

PAGE_BYTES = 6_000_000  # about what a page has at most
LEAST_FRAME_BYTES = 1_000_000  # for frames, however large the pictures are
NUM_LABELS = 5
AXES = {1: ("place",), 2: ("row", "column"), 3: ("time", "row", "column")}  # of a grid of tokens
TIPS = {
    "token": "its number, from 0; a click shows it alone",
    "area": "its share of the frames, mean over the clips",
    "size": "of its contributions, for or against: mean of the sizes over the clips, by which tokens are ordered",
    "contribution": "slopes of the logit along the token, times the token less the mean of the others; clips' mean",
    "occlusion": "the logit less what it is without the token, mean over the clips",
}
PLACE_TIP = "on the grid of the tokens, from 1; what the token comes from may lie elsewhere"


def write_tokens_page(
    path: Path, video: VideoTokens, *, pictures: Mapping[str, bytes], made_with: Mapping[str, str]
) -> None:
    """Write the page in one step; see `tokens_page`.

    Raises:
        MissingLibraryError: jinja2 is not installed.
        OSError: the file can't be written.
    """
    write_text(path, tokens_page(video, pictures=pictures, made_with=made_with))


def tokens_page(video: VideoTokens, *, pictures: Mapping[str, bytes], made_with: Mapping[str, str]) -> str:
    """The page, which needs no other file.

    Args:
        video: its tokens.
        pictures: PNGs by "sheet" and "timeline"; what is missing is left out.
        made_with: how it was made: command, checkpoint and the like, in the order in which they are shown.

    Raises:
        MissingLibraryError: jinja2 is not installed.
    """
    left = PAGE_BYTES - sum(len(png) * 4 // 3 for png in pictures.values())
    player, cuts = player_data(video, max_bytes=max(left, LEAST_FRAME_BYTES))
    bars, marked = _bars(video)
    return render_page(
        "tokens.html",
        name=video.name,
        label=video.classes[video.label],
        headline=label_words(video),
        where=f"{place_words(video)} of {video.model_name}",
        doubts=doubts(video),
        notes=[*video.notes, *cuts],
        player=player,
        legend=[
            {"token": token, "colour": hex_colour(colour_of(video, token)), "area": _percent(area)}
            for token, area in ((token, _areas(video)[token]) for token in video.named)
        ],
        other_colour=hex_colour(OTHER_COLOUR) if len(video.named) < video.num_tokens else None,
        signs={"for": hex_colour(FOR_COLOUR), "against": hex_colour(AGAINST_COLOUR)},
        bars=bars,
        marked=marked,
        multi_label=video.multi_label,
        shows_all=video.shows_all,
        clips_shown=None if video.is_picture else len(video.clips),
        views=_view_words(video),
        worth=[
            ("Softness", entropy_words(video.entropy) if video.is_semantic else None),
            ("Agreement", agreement_words(video)),
        ],
        left_out=video.left_out,
        table=_token_table(video),
        num_tokens=video.num_tokens,
        pictures={key: png_data(png) for key, png in pictures.items()},
        cost=[(name, _short(value)) for name, value in video.cost.items()],
        made_with=[*_video_facts(video), *made_with.items()],
    )


def _bars(video: VideoTokens) -> tuple[list[tuple[str, float, str]], int]:
    """Name, probability and its text of the likeliest labels, and of the one asked about; and the row of that one."""
    order = np.argsort(-video.probabilities, kind="stable")[:NUM_LABELS].tolist()
    if video.label not in order:
        order.append(video.label)
    rows = [(video.classes[one], float(video.probabilities[one]), f"{video.probabilities[one]:.3f}") for one in order]
    return rows, order.index(video.label)


def _token_table(video: VideoTokens) -> PageTable:
    axes = AXES[len(video.token_grid)]
    areas = _areas(video)
    means = [video.mean(values) for values in get_args(TokenValues)]
    rows = [
        [
            _token_cell(video, token),
            *(int(place) + 1 for place in np.unravel_index(token, video.token_grid)),
            _percent(areas[token]),
            f"{video.sizes[token]:.3g}",
            *(signed_words(float(values[token])) for values in means),
        ]
        for token in np.argsort(-video.sizes, kind="stable").tolist()
    ]
    heads = ["token", *axes, "area", "size", "contribution", "occlusion"]
    tips = {**TIPS, **dict.fromkeys(axes, PLACE_TIP)}
    return PageTable(heads=heads, rows=rows, numbers=heads, tips=tips, label="tokens")


def _token_cell(video: VideoTokens, token: int) -> Any:
    """The number of a token, and for a named one its colour, as a button that shows it alone."""
    from markupsafe import Markup

    if token not in video.named or not video.is_semantic:
        return token
    swatch = Markup('<span class="swatch" style="background: {}"></span>').format(hex_colour(colour_of(video, token)))
    return Markup('<button type="button" class="token" data-token="{0}">{1}{0}</button>').format(token, swatch)


def _areas(video: VideoTokens) -> np.ndarray:
    """(K,) the share of each token in all places of the clips."""
    return np.mean([clip.shares.mean(axis=(1, 2, 3)) for clip in video.clips], axis=0)


def _video_facts(video: VideoTokens) -> Sequence[tuple[str, str]]:
    model = ("Model", f"{video.model_name}, {place_words(video)}")
    if video.is_picture:
        return [("Picture", video.name), model]
    frames = count_words(len(video.clips[0].frames), "frame")
    clips = f"{len(video.clips)}, each of {frames}, {_short(video.fps)} frames a second"
    return [
        ("Video", f"{video.name}, {video.seconds:.2f} s"),
        ("Clips shown", clips),
        ("Probabilities", f"of the whole video, {_view_words(video)}: {video.protocol}"),
        model,
    ]


def _view_words(video: VideoTokens) -> str:
    return f"the mean over {video.num_views} views" if video.num_views > 1 else "of one view"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
