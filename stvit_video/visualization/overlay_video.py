"""A video with its detections: NAME.mp4 to look at, NAME.jsonl to work with."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.visualization.detection_records import detection_records
from stvit_video.visualization.draw_detections import draw_detections
from stvit_video.visualization.overlay_frames import Find, OverlayOutcome, overlay_frames

__all__ = ["overlay_video"]


@dataclass(frozen=True)
class _Detections:
    """A `Drawing` of boxes and masks."""

    names: Sequence[str]
    threshold: float

    def draw(self, frame: np.ndarray, found: Mapping[str, Any]) -> np.ndarray:
        return draw_detections(frame, found, names=self.names, threshold=self.threshold)

    def record(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return {"detections": detection_records(found, names=self.names, threshold=self.threshold)}


def overlay_video(
    source: str | os.PathLike[str],
    detect: Find,
    *,
    folder: Path,
    name: str,
    names: Sequence[str],
    threshold: float = 0.5,
    every: int = 1,
    batch_size: int = 8,
    report: Callable[[int], object] = lambda num_frames: None,
) -> OverlayOutcome:
    """Draw the detections of every frame, see `overlay_frames`; lines have "detections", see `detection_records`.

    Args:
        source: the video.
        detect: takes frames (H, W, 3) uint8 and gives for each what `drawn_objects` takes.
        folder: where the files go; it must exist.
        name: of the files, without ending.
        names: of the classes, by label.
        threshold: detections with a lower score are left out.
        every: 1 = look at every frame, 5 = at every fifth; its detections stay drawn until the next one of these.
        batch_size: frames in one call of `detect`, at most.
        report: called with the number of frames that were finished since the last call.

    Raises:
        ValueError: see `overlay_frames` and `draw_detections`.
        DecodeError: see `overlay_frames`.
        DiskFullError: likewise.
        OSError: a file can't be written.
    """
    drawing = _Detections(names, threshold)
    return overlay_frames(
        source, detect, drawing, folder=folder, name=name, every=every, batch_size=batch_size, report=report
    )
