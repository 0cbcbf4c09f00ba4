"""Label the pixels of pictures and videos that a command line names; draw the maps, and list the shares as JSON."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stvit_video.predictions.draw_files import Drawn, check_settings, draw_files, folder_of_drawings
from stvit_video.segmentations.trained_segmenter import TrainedSegmenter, load_trained_segmenter
from stvit_video.utils.command_line import Given
from stvit_video.visualization.draw_maps import class_shares
from stvit_video.visualization.overlay_frames import OverlayOutcome
from stvit_video.visualization.overlay_map import LABELS_ENDING, overlay_map, share_text
from stvit_video.visualization.overlay_map_video import overlay_map_video
from stvit_video.visualization.overlay_names import ENDINGS

__all__ = ["draw_segments"]

BATCH_SIZE = 8
NUM_TOLD = 4  # classes in a line of the terminal
MAPS = Drawn("labels pixels", "label maps", (*ENDINGS, LABELS_ENDING))
OF_OBJECTS = ("threshold", "detections")  # settings of predict that are for checkpoints that find objects


class _Maps(NamedTuple):
    """A `Drawer` of label maps."""

    segmenter: TrainedSegmenter
    folder: Path
    every: int
    batch_size: int
    has_legend: bool

    def draw_picture(self, pixels: np.ndarray, path: str, name: str) -> str:
        labels, classes = self.segmenter(pixels)["labels"], self.segmenter.classes
        files = overlay_map(
            pixels,
            labels,
            source=path,
            folder=self.folder,
            name=name,
            names=classes,
            model=self.segmenter.model_name,
            has_legend=self.has_legend,
        )
        shares = list(class_shares(labels, names=classes).items())
        told = [f"{share_text(share)} {found}" for found, share in shares[:NUM_TOLD]]
        more = [f"{len(shares) - NUM_TOLD} more"] if len(shares) > NUM_TOLD else []
        return f"{', '.join(told + more)}, {files.drawing}"

    def draw_video(self, path: str, name: str, report: Callable[[int], object]) -> OverlayOutcome:
        return overlay_map_video(
            path,
            self.segmenter.for_video(),
            folder=self.folder,
            name=name,
            names=self.segmenter.classes,
            every=self.every,
            batch_size=self.batch_size,
            has_legend=self.has_legend,
            report=report,
        )


def draw_segments(given: Given) -> int:
    """Label pixels, write NAME.png, NAME_labels.png and NAME.json of a picture, NAME.mp4 and NAME.jsonl of a video.

    Args:
        given: the settings of stvit_video.predict.

    Returns:
        1 if some files could not be read, else 0.

    Raises:
        ValueError: CheckpointError, nothing is named, a setting that is for other checkpoints, a folder that can't be
            written.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    check_settings(given.named, OF_OBJECTS, drawn=MAPS)
    folder = folder_of_drawings(given.out, drawn=MAPS)
    segmenter = load_trained_segmenter(
        given.ckpt_path,
        device=given.device,
        short_side=given.short_side,
        long_side=given.long_side,
        key_every=given.key_every or 1,
        window=given.window,
        window_stride=given.window_stride,
    )
    has_legend = given.legend is not False
    maps = _Maps(segmenter, folder, given.every or 1, given.batch_size or BATCH_SIZE, has_legend)
    for_videos = f"key_every={given.key_every}" if (given.key_every or 1) > 1 else ""
    return draw_files(maps, given.files, checkpoint=given.ckpt_path, folder=folder, drawn=MAPS, for_videos=for_videos)
