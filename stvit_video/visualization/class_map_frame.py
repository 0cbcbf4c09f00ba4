"""Frames with what speaks for a label and what against it: values of tokens, spread over what the tokens come from."""

import numpy as np

from stvit_video.visualization.map_legend import LegendEntry
from stvit_video.visualization.token_cells import cells_to_pixels, grey_picture, shown_frame, tinted
from stvit_video.visualization.token_colours import AGAINST_COLOUR, FOR_COLOUR
from stvit_video.visualization.token_record import ClipTokens, TokenValues, VideoTokens

__all__ = ["class_map_frame", "sides_legend"]

MOST_OPACITY = 0.85  # of a full colour
DIMMED = 0.6  # what is left of the light of the frame, so that faint colours are seen on bright pictures


def class_map_frame(
    video: VideoTokens, clip: ClipTokens, frame: int, values: TokenValues, *, size: tuple[int, int] | None = None
) -> np.ndarray:
    """A frame in dark grey, with each cell in FOR_COLOUR or AGAINST_COLOUR, as full as its value is large.

    Args:
        video: whose `full_values` and all beyond are full.
        clip: of this video.
        frame: its number in the clip, 0 to T - 1.
        values: of the tokens; they are shared out over the cells that the tokens come from.
        size: height and width in which it is shown; None = see `shown_size`.

    Returns:
        (h, w, 3) uint8. What the model does not see is dark.
    """
    picture, box = shown_frame(clip, frame, size=size)
    cells = clip.spread(getattr(clip, values))[clip.frame_step(frame)]  # (H', W')
    most = video.full_values[values]
    opacity = MOST_OPACITY * np.minimum(np.abs(cells) / most, 1) if most > 0 else np.zeros_like(cells)
    colours = np.where((cells > 0)[:, :, None], FOR_COLOUR, AGAINST_COLOUR)  # (H', W', 3)
    drawn = grey_picture(picture, box, light_within=DIMMED)
    drawn[box.slices] = tinted(drawn[box.slices], cells_to_pixels(colours, box), cells_to_pixels(opacity, box))
    return drawn


def sides_legend(video: VideoTokens) -> list[LegendEntry]:
    """The two colours: for the label of the video, and against it."""
    name = video.classes[video.label]
    return [
        LegendEntry(f"for {name}", None, "", FOR_COLOUR),
        LegendEntry(f"against {name}", None, "", AGAINST_COLOUR),
    ]
