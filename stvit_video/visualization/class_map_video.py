"""class_map.mp4: the frames of a video beside what speaks for its label in them and what against, told in two ways."""

from pathlib import Path

from stvit_video.visualization.class_map_frame import class_map_frame, sides_legend
from stvit_video.visualization.panel_video import PanelVideo, save_panel_video
from stvit_video.visualization.token_captions import agreement_words, scale_words
from stvit_video.visualization.token_record import VideoTokens
from stvit_video.visualization.token_words import asked_lines
from stvit_video.visualization.tube_frame import seen_frame, seen_title

__all__ = ["save_class_maps"]


def save_class_maps(video: VideoTokens, path: Path) -> tuple[str, ...]:
    """Write the maps of contributions and of occlusions, see `class_map_frame`.

    Args:
        video: its tokens, of a model with semantic tokens or a dense one.
        path: the file; it is written in one step. An .mp4, or a .png where `video.is_picture`.

    Returns:
        Notes on what differs from an ordinary file.

    Raises:
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    contribution, occlusion = scale_words(video, "contributions"), scale_words(video, "occlusions")
    panels = PanelVideo(
        titles=(
            seen_title(video),
            "contribution (by slopes)",
            "occlusion (without the token)",
        ),
        draw=lambda clip, frame: (
            seen_frame(clip, frame),
            class_map_frame(video, clip, frame, "contributions"),
            class_map_frame(video, clip, frame, "occlusions"),
        ),
        lines=(
            *asked_lines(video),
            agreement_words(video),
            "full colour, in parts of the label's logit in one cell:",
            f"contribution {contribution}; occlusion {occlusion}",
        ),
        legend=sides_legend(video),
    )
    return save_panel_video(video, path, panels)
