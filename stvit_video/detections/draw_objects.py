"""Find the objects of pictures and videos that a command line names; draw them, and list them as JSON."""

import os
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stvit_video.data.decoding.pictures import decode_picture, is_picture_file
from stvit_video.data.decoding.request import DecodeError
from stvit_video.detections.frame_progress import frame_progress
from stvit_video.detections.trained_detector import TrainedDetector, load_trained_detector, picture_bytes
from stvit_video.predictions.inputs import VideoList, read_inputs
from stvit_video.predictions.label_table import LABEL_ENDINGS
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.predictions.progress_bar import duration
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.utils.command_line import Given
from stvit_video.visualization.overlay_names import overlay_names, prepare_folder, remove_empty
from stvit_video.visualization.overlay_picture import overlay_picture
from stvit_video.visualization.overlay_video import overlay_video

__all__ = ["draw_objects"]

THRESHOLD, BATCH_SIZE = 0.5, 8
DEEP = "it has more than 8 bits a channel; values above 255 become white: scale it to 8 bits"
FOLDER = Path("outputs", "predict")
# settings of predict that are for checkpoints that label videos
OF_LABELS = (
    *("features", "extend", "retry_errors", "top_k", "num_tokens", "generate_at", "protocol", "num_clips", "num_crops"),
    *("average", "num_frames", "frame_stride", "crop_size", "gmacs", "clips_per_second", "latency_ms"),
    *("num_workers", "time_limit_seconds"),
)


class _Work(NamedTuple):
    """What all files have in common."""

    detector: TrainedDetector
    folder: Path
    threshold: float
    every: int
    batch_size: int


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
    if foreign := [name for name in OF_LABELS if name in given.named]:
        raise ValueError(f"{', '.join(foreign)}: for checkpoints that label videos, and this one finds objects")
    if given.out is not None and given.out.suffix.lower() in LABEL_ENDINGS and not given.out.is_dir():
        raise ValueError(f"out={given.out}: found objects are drawn into a folder; give its name, out={given.out.stem}")
    detector = load_trained_detector(
        given.ckpt_path,
        device=given.device,
        short_side=given.short_side,
        long_side=given.long_side,
        detections=given.detections,
    )
    inputs = _inputs(given.files)
    folder = FOLDER if given.out is None else given.out
    made = prepare_folder(folder)
    try:
        return _draw_all(given, detector, inputs, folder)
    finally:
        remove_empty(made)


def _draw_all(given: Given, detector: TrainedDetector, inputs: VideoList, folder: Path) -> int:
    """Draw every file; 1 if some could not be read, else 0."""
    names = overlay_names([video.path for video in inputs.videos], folder=folder)
    threshold = THRESHOLD if given.threshold is None else given.threshold
    work = _Work(detector, folder, threshold, given.every or 1, given.batch_size or BATCH_SIZE)
    start, num_failed = time.monotonic(), 0
    try:
        with sigterm_ends():
            for video, name in zip(inputs.videos, names, strict=True):
                num_failed += not _draw(work, video, name)
    except (KeyboardInterrupt, Terminated):
        print(f"stopped; what is drawn is in {folder}", file=sys.stderr)
        raise
    done = len(names) - num_failed
    failed = f", {num_failed} could not be read" if num_failed else ""
    what = "file with its objects" if done == 1 else "files with their objects"
    print(f"{folder}: {done} {what}{failed}; {duration(time.monotonic() - start)}")
    return int(num_failed > 0)


def _inputs(words: Sequence[str]) -> VideoList:
    """Pictures and videos; a folder or pattern gives both."""
    found: dict[str, ListedVideo] = {}
    notices: list[str] = []
    errors: list[ValueError] = []
    for of_pictures in (True, False):
        try:
            listed = read_inputs(words, of_pictures=of_pictures)
        except ValueError as error:
            errors.append(error)
            continue
        for video in listed.videos:
            found.setdefault(os.fspath(video.path), video)
        notices = list(listed.notices)
    if len(errors) == 2:
        raise errors[1]
    return VideoList(tuple(found.values()), tuple(notices))


def _draw(work: _Work, video: ListedVideo, name: str) -> bool:
    """Whether the objects of a file could be drawn; if not, the reason is printed."""
    path = os.fspath(video.path)
    try:
        if is_picture_file(path):
            _draw_picture(work, path, name)
            return True
        return _draw_video(work, path, name)
    except DecodeError as error:
        print(error, file=sys.stderr)
        return False


def _draw_picture(work: _Work, path: str, name: str) -> None:
    with decode_picture(picture_bytes(path), name=path) as picture:
        pixels = picture.read([0])[0]
        if not picture.has_8_bits:
            print(f"note: {path}: {DEEP}", file=sys.stderr)
    found = work.detector(pixels)
    classes, folder = work.detector.classes, work.folder
    png, _ = overlay_picture(
        pixels, found, source=path, folder=folder, name=name, names=classes, threshold=work.threshold
    )
    print(f"{path}: {_counted(work, found)}, {png}")


def _draw_video(work: _Work, path: str, name: str) -> bool:
    with frame_progress(path) as report:
        outcome = overlay_video(
            path,
            work.detector.detect,
            folder=work.folder,
            name=name,
            names=work.detector.classes,
            threshold=work.threshold,
            every=work.every,
            batch_size=work.batch_size,
            report=report,
        )
    for note in outcome.notes:
        print(f"note: {path}: {note}", file=sys.stderr)
    print(f"{path}: {outcome.num_frames} of {outcome.num_listed} frames, {outcome.video_path}")
    if outcome.error:
        print(f"{path}: {outcome.error}", file=sys.stderr)
    return not outcome.error


def _counted(work: _Work, found: Mapping[str, np.ndarray]) -> str:
    """How many objects of which classes are drawn, such as "2 cat, 1 dog"."""
    shown = found["labels"][found["scores"] >= work.threshold]
    counts = Counter(work.detector.classes[label] for label in shown)
    return ", ".join(f"{count} {name}" for name, count in counts.most_common()) or "no objects"
