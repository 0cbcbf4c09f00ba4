"""A video with the label maps of its frames: NAME.mp4 to look at, NAME.jsonl to work with."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.visualization.draw_maps import class_shares, draw_map
from stvit_video.visualization.map_legend import LegendEntry, corner_legend, corner_letter_pixels
from stvit_video.visualization.overlay_frames import Find, OverlayOutcome, overlay_frames
from stvit_video.visualization.overlay_map import rounded_shares

__all__ = ["overlay_map_video"]

LEAST_SHARE = 0.005  # of a frame: a class that never had as much is not in the legend


class _Maps:
    """A `Drawing` of label maps. Its legend only grows, in the order in which classes come, so it does not flicker.

    Frames that are too small for names that can be read have none.
    """

    def __init__(self, names: Sequence[str], *, has_legend: bool = True) -> None:
        self._names, self._has_legend = tuple(names), has_legend
        self._labels = {name: label for label, name in enumerate(names)}
        self._seen: list[LegendEntry] = []

    def draw(self, frame: np.ndarray, found: Mapping[str, Any]) -> np.ndarray:
        drawn = draw_map(frame, found["labels"])
        for name, share in class_shares(found["labels"], names=self._names).items():
            entry = LegendEntry(name, self._labels[name])
            if share >= LEAST_SHARE and entry not in self._seen:
                self._seen.append(entry)
        letters = corner_letter_pixels(*drawn.shape[:2], names=self._names) if self._has_legend else None
        if letters is not None:
            corner_legend(drawn, self._seen, letter_pixels=letters)
        return drawn

    def record(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return {"classes": rounded_shares(class_shares(found["labels"], names=self._names))}


def overlay_map_video(
    source: str | os.PathLike[str],
    segment: Find,
    *,
    folder: Path,
    name: str,
    names: Sequence[str],
    every: int = 1,
    batch_size: int = 8,
    has_legend: bool = True,
    report: Callable[[int], object] = lambda num_frames: None,
) -> OverlayOutcome:
    """Draw the label map of every frame, see `overlay_frames`, and a legend in a corner.

    The lines have "classes": name -> share of the pixels of the frame, of the classes that occur, the largest first.

    Args:
        source: the video.
        segment: takes frames (H, W, 3) uint8 and gives for each "labels" (H, W) uint8.
        folder: where the files go; it must exist.
        name: of the files, without ending.
        names: of the classes, by label.
        every: 1 = look at every frame, 5 = at every fifth; its map stays drawn until the next one of these.
        batch_size: frames in one call of `segment`, at most.
        has_legend: whether the classes stand in the upper left corner, where their names can be read.
        report: called with the number of frames that were finished since the last call.

    Raises:
        ValueError: see `overlay_frames`, `draw_map` and `class_shares`.
        DecodeError: see `overlay_frames`.
        DiskFullError: likewise.
        OSError: a file can't be written.
    """
    drawing = _Maps(names, has_legend=has_legend)
    return overlay_frames(
        source, segment, drawing, folder=folder, name=name, every=every, batch_size=batch_size, report=report
    )
