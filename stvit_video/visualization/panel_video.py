"""Clips as a video of panels that stand side by side, with captions, a strip of time and a legend below them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.full_disk import full_disk_is_told
from stvit_video.visualization.map_legend import LegendEntry, legend_strip
from stvit_video.visualization.overlay_files import FULL_ADVICE, write_png
from stvit_video.visualization.text_image import draw_text, named_value_image
from stvit_video.visualization.token_captions import clip_words, probability_words
from stvit_video.visualization.token_record import ClipTokens, VideoTokens
from stvit_video.visualization.video_writer import video_writer

__all__ = ["PanelVideo", "panel_picture", "save_panel_video"]

PAPER, INK, PALE, CLIP_GREY = 255, 0, 222, 160  # levels of grey
GAP_PIXELS, LEGEND_LEFT = 10, 5  # a legend has a gap of its own
LETTER_PIXELS, LINE_PIXELS = 13, 19
STRIP_PIXELS, CURSOR_PIXELS = 8, 3
LEAST_WIDE = 560  # pixels, so that captions can be read under narrow panels, too
CUT_SECONDS = 0.5  # how long a picture says that time is left out
CUT_LIGHT = 0.25  # what is left of the panels' contrast meanwhile
SAME_TIME = 0.5  # of the time of a frame: clips nearer to each other have no cut between them


@dataclass(frozen=True)
class PanelVideo:
    """What is drawn of a video.

    Attributes:
        titles: of the panels, from left to right.
        draw: a frame of a clip as panels (h, w, 3) uint8, as many as there are titles and all of one size.
        lines: sentences below, the same in all frames.
        legend: below them.
    """

    titles: Sequence[str]
    draw: Callable[[ClipTokens, int], Sequence[np.ndarray]]
    lines: Sequence[str]
    legend: Sequence[LegendEntry]


def save_panel_video(video: VideoTokens, path: Path, panels: PanelVideo) -> tuple[str, ...]:
    """Write all clips, one after the other, at `video.shown_fps`; a picture as a PNG.

    Where time is left out between two clips, a pale picture says how much.

    Args:
        video: its tokens.
        path: the file; it is written in one step. An .mp4, or a .png where `video.is_picture`.
        panels: what is drawn.

    Returns:
        Notes on what differs from an ordinary file.

    Raises:
        DiskFullError: there is no room.
        OSError: the file can't be written.
    """
    if video.is_picture:
        write_png(path, Image.fromarray(panel_picture(video, video.clips[0], 0, panels)))
        return ()
    height, width = panel_picture(video, video.clips[0], 0, panels).shape[:2]
    times = FrameTimes.constant(sum(len(clip.frames) for clip in video.clips), video.shown_fps)  # without the cuts
    with (
        full_disk_is_told(path, advice=FULL_ADVICE),
        atomically(path) as part,
        video_writer(part, height=height, width=width, times=times) as writer,
    ):
        for picture in _pictures(video, panels):
            writer.write(picture)
    return tuple(writer.notes)


def panel_picture(video: VideoTokens, clip: ClipTokens, frame: int, panels: PanelVideo) -> np.ndarray:
    """A frame as it stands in the video: (H, W, 3) uint8, both sides even.

    Args:
        video: its tokens.
        clip: of this video.
        frame: its number in the clip, 0 to T - 1.
        panels: what is drawn.
    """
    drawn = panels.draw(clip, frame)
    width = max(len(drawn) * (drawn[0].shape[1] + GAP_PIXELS) + GAP_PIXELS, LEAST_WIDE)
    legend = legend_strip(panels.legend, width=width - LEGEND_LEFT, letter_pixels=LETTER_PIXELS)
    blocks = [
        _panel_row(panels.titles, drawn, width),
        _words(video, clip, frame, panels.lines, width),
        np.pad(legend, ((0, GAP_PIXELS), (LEGEND_LEFT, 0), (0, 0)), constant_values=PAPER),
    ]
    canvas = np.concatenate(blocks, axis=0)
    odd = [side % 2 for side in canvas.shape[:2]]
    return np.pad(canvas, ((0, odd[0]), (0, odd[1]), (0, 0)), constant_values=PAPER)


def _panel_row(titles: Sequence[str], drawn: Sequence[np.ndarray], width: int) -> np.ndarray:
    """(h, width, 3) uint8: panels side by side, each below its title."""
    high, wide = drawn[0].shape[:2]
    top = LINE_PIXELS + GAP_PIXELS // 2
    block = np.full((top + high + GAP_PIXELS // 2, width, 3), PAPER, dtype=np.uint8)
    for place, (title, panel) in enumerate(zip(titles, drawn, strict=True)):
        left = GAP_PIXELS + place * (wide + GAP_PIXELS)
        draw_text(block, title, top=3, left=left, size_pixels=LETTER_PIXELS, max_width_pixels=wide)
        block[top : top + high, left : left + wide] = panel
    return block


def _words(video: VideoTokens, clip: ClipTokens, frame: int, lines: Sequence[str], width: int) -> np.ndarray:
    """(h, width, 3) uint8: the strip of time, the line of the frame, and the lines of the video."""
    strip = 0 if video.is_picture else STRIP_PIXELS + GAP_PIXELS // 2
    block = np.full((strip + LINE_PIXELS * (1 + len(lines)), width, 3), PAPER, dtype=np.uint8)
    within = block[:, GAP_PIXELS:-GAP_PIXELS]
    if strip:
        _draw_time(within[:STRIP_PIXELS], video, clip.seconds[frame])
    _draw_caption(within[strip:], video, clip, frame)
    for row, line in enumerate(lines, start=1):
        top = strip + row * LINE_PIXELS
        draw_text(within, line, top=top, size_pixels=LETTER_PIXELS, max_width_pixels=within.shape[1])
    return block


def _pictures(video: VideoTokens, panels: PanelVideo) -> Iterator[np.ndarray]:
    """All frames, with cuts between the clips."""
    frame_seconds, last = 1 / video.fps, None
    for clip in video.clips:
        if last is not None:
            left_out = float(clip.seconds[0]) - last[0] - frame_seconds
            if abs(left_out) > SAME_TIME * frame_seconds:
                yield from [_cut(last[1], left_out)] * max(round(CUT_SECONDS * video.shown_fps), 1)
        for frame in range(len(clip.frames)):
            last = float(clip.seconds[frame]), panel_picture(video, clip, frame, panels)
            yield last[1]


def _cut(picture: np.ndarray, left_out_seconds: float) -> np.ndarray:
    """A pale copy of a picture that says how much time is left out behind it."""
    pale = (PAPER - (PAPER - picture.astype(np.float32)) * CUT_LIGHT).astype(np.uint8)
    words = f"{left_out_seconds:.1f} s later" if left_out_seconds > 0 else f"{-left_out_seconds:.1f} s back"
    size = 2 * LETTER_PIXELS
    ink = named_value_image(words, "", size_pixels=size, max_width_pixels=picture.shape[1])
    top, left = (len(pale) - len(ink)) // 3, (pale.shape[1] - ink.shape[1]) // 2
    pale[top : top + len(ink), left : left + ink.shape[1]] = PAPER
    draw_text(pale, words, top=top, left=left, size_pixels=size, max_width_pixels=picture.shape[1])
    return pale


def _draw_time(strip: np.ndarray, video: VideoTokens, seconds: float) -> None:
    """The whole video as a pale bar, the clips grey, and the frame that is shown as a black line."""
    strip[:] = PALE
    end = max(video.seconds, float(video.clips[-1].seconds.max()) + 1 / video.fps)
    scale = strip.shape[1] / end
    for clip in video.clips:
        start, stop = float(clip.seconds[0]), float(clip.seconds.max()) + 1 / video.fps
        strip[:, int(start * scale) : max(int(np.ceil(stop * scale)), int(start * scale) + 1)] = CLIP_GREY
    left = min(int(seconds * scale), strip.shape[1] - CURSOR_PIXELS)
    strip[:, left : left + CURSOR_PIXELS] = INK


def _draw_caption(canvas: np.ndarray, video: VideoTokens, clip: ClipTokens, frame: int) -> None:
    """The line of the frame: its clip and time, and the probability of the label there."""
    words, width = clip_words(video, clip, frame), canvas.shape[1]
    name, value = probability_words(video, clip)
    left = draw_text(canvas, f"{words}:   ", size_pixels=LETTER_PIXELS, max_width_pixels=width) if words else 0
    draw_text(canvas, name, value=value, left=left, size_pixels=LETTER_PIXELS, max_width_pixels=width - left)
