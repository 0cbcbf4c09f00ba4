"""Find the objects of pictures and videos that a command line names; draw them, and list them as JSON."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stvit_video.detections.trained_detector import TrainedDetector, load_trained_detector
from stvit_video.predictions.draw_files import Drawn, check_settings, draw_files, folder_of_drawings
from stvit_video.utils.command_line import Given
from stvit_video.visualization.overlay_frames import OverlayOutcome
from stvit_video.visualization.overlay_names import ENDINGS
from stvit_video.visualization.overlay_picture import overlay_picture
from stvit_video.visualization.overlay_video import overlay_video

__all__ = ["draw_objects"]

THRESHOLD, BATCH_SIZE = 0.5, 8
OBJECTS = Drawn("finds objects", "objects", ENDINGS)
OF_MAPS = ("window", "window_stride", "legend")  # settings of predict that are for checkpoints that label pixels


class _Objects(NamedTuple):
    """A `Drawer` of boxes and masks."""

    detector: TrainedDetector
    folder: Path
    threshold: float
    every: int
    batch_size: int

    def draw_picture(self, pixels: np.ndarray, path: str, name: str) -> str:
        found, classes = self.detector(pixels), self.detector.classes
        png, _ = overlay_picture(
            pixels, found, source=path, folder=self.folder, name=name, names=classes, threshold=self.threshold
        )
        return f"{self._counted(found)}, {png}"

    def draw_video(self, path: str, name: str, report: Callable[[int], object]) -> OverlayOutcome:
        return overlay_video(
            path,
            self.detector.for_video(),
            folder=self.folder,
            name=name,
            names=self.detector.classes,
            threshold=self.threshold,
            every=self.every,
            batch_size=self.batch_size,
            report=report,
        )

    def _counted(self, found: Mapping[str, np.ndarray]) -> str:
        """How many objects of which classes are drawn, such as "2 cat, 1 dog"."""
        shown = found["labels"][found["scores"] >= self.threshold]
        counts = Counter(self.detector.classes[label] for label in shown)
        return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "no objects"


def draw_objects(given: Given) -> int:
    """Find objects, write NAME.png and NAME.json of a picture, NAME.mp4 and NAME.jsonl of a video.

    Args:
        given: the settings of stvit_video.predict.

    Returns:
        1 if some files could not be read, else 0.

    Raises:
        ValueError: CheckpointError, nothing is named, a setting that is for other checkpoints, a folder that can't be
            written.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    check_settings(given.named, OF_MAPS, drawn=OBJECTS)
    folder = folder_of_drawings(given.out, drawn=OBJECTS)
    detector = load_trained_detector(
        given.ckpt_path,
        device=given.device,
        short_side=given.short_side,
        long_side=given.long_side,
        key_every=given.key_every or 1,
        detections=given.detections,
    )
    threshold = THRESHOLD if given.threshold is None else given.threshold
    objects = _Objects(detector, folder, threshold, given.every or 1, given.batch_size or BATCH_SIZE)
    for_videos = f"key_every={given.key_every}" if (given.key_every or 1) > 1 else ""
    return draw_files(
        objects, given.files, checkpoint=given.ckpt_path, folder=folder, drawn=OBJECTS, for_videos=for_videos
    )
