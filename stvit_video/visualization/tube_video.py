"""tubes.mp4: the frames of a video beside the same frames with a colour for each token."""

from pathlib import Path

from stvit_video.visualization.map_legend import LegendEntry
from stvit_video.visualization.panel_video import PanelVideo, save_panel_video
from stvit_video.visualization.token_captions import entropy_words, full_words, signed_words
from stvit_video.visualization.token_colours import OTHER_COLOUR, colour_of
from stvit_video.visualization.token_record import VideoTokens
from stvit_video.visualization.token_words import asked_lines
from stvit_video.visualization.tube_frame import seen_frame, seen_title, tube_frame

__all__ = ["save_tubes", "token_legend"]


def save_tubes(video: VideoTokens, path: Path) -> tuple[str, ...]:
    """Write the tubes of a video's tokens, see `tube_frame`, with their contributions in the legend.

    Args:
        video: its tokens.
        path: the file; it is written in one step. An .mp4, or a .png where `video.is_picture`.

    Returns:
        Notes on what differs from an ordinary file.

    Raises:
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    panels = PanelVideo(
        titles=(seen_title(video), f"tokens {video.where}"),
        draw=lambda clip, frame: (seen_frame(clip, frame), tube_frame(video, clip, frame)),
        lines=(
            *asked_lines(video),
            entropy_words(video.entropy),
            full_words(video.full_share, num_tokens=video.num_tokens),
            *_order_lines(video),
        ),
        legend=token_legend(video),
    )
    return save_panel_video(video, path, panels)


def token_legend(video: VideoTokens) -> list[LegendEntry]:
    """The named tokens with their contributions, those that contribute most first, then the others as one."""
    means = video.mean("contributions")
    entries = [
        LegendEntry(str(token), None, f" {signed_words(means[token])}", colour_of(video, token))
        for token in video.named
    ]
    num_others = video.num_tokens - len(video.named)
    return entries + ([LegendEntry(f"{num_others} others, paler", None, "", OTHER_COLOUR)] if num_others else [])


def _order_lines(video: VideoTokens) -> list[str]:
    """What the order and the values of the legend are of."""
    if len(video.clips) == 1:
        return ["tokens by number, the largest contribution to the logit first:"]
    return [
        "tokens by number, the largest contribution to the logit first, by the",
        "mean of sizes over the clips; in the values for and against cancel:",
    ]
