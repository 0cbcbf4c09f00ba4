"""Pictures and videos that a command line names, each drawn with what a checkpoint finds in it."""

import os
import sys
import time
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from stvit_video.data.decoding.given_pictures import picture_bytes
from stvit_video.data.decoding.pictures import decode_picture
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.manifests.picture_endings import is_picture_file
from stvit_video.predictions.drawn_by import drawn_by
from stvit_video.predictions.frame_progress import frame_progress
from stvit_video.predictions.inputs import VideoList, read_inputs
from stvit_video.predictions.label_table import LABEL_ENDINGS
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.predictions.progress_bar import duration
from stvit_video.predictions.stopping import Terminated, sigterm_ends
from stvit_video.visualization.overlay_frames import OverlayOutcome
from stvit_video.visualization.overlay_names import overlay_names, prepare_folder, remove_empty

__all__ = ["OF_LABELS", "Drawer", "Drawn", "check_settings", "draw_files", "folder_of_drawings"]

DEEP = "it has more than 8 bits a channel; values above 255 become white: scale it to 8 bits"
FOLDER = Path("outputs", "predict")
# settings of predict that are for checkpoints that label videos
OF_LABELS = (
    *("features", "extend", "retry_errors", "top_k", "num_tokens", "generate_at", "protocol", "num_clips", "num_crops"),
    *("average", "num_frames", "frame_stride", "crop_size", "gmacs", "clips_per_second", "latency_ms"),
    *("num_workers", "time_limit_seconds"),
)


class Drawn(NamedTuple):
    """What is drawn, in the words of messages.

    Attributes:
        verb: what the checkpoint does, such as "finds objects".
        noun: what it finds, such as "objects".
        endings: of the files of a picture or video, behind its name.
    """

    verb: str
    noun: str
    endings: tuple[str, ...]


class Drawer(Protocol):
    """Writes the files of a picture or video into a folder."""

    def draw_picture(self, pixels: np.ndarray, path: str, name: str) -> str:
        """Write the files of a picture (H, W, 3) uint8 with this name; what is to be said of it, in a line."""
        ...

    def draw_video(self, path: str, name: str, report: Callable[[int], object]) -> OverlayOutcome:
        """Write those of a video; `report` is called with the number of frames that were finished since the last."""
        ...


def check_settings(named: Container[str], foreign: Sequence[str], *, drawn: Drawn) -> None:
    """Raise where settings are named that the checkpoint does not take.

    Args:
        named: of the command line.
        foreign: settings of predict that are for other checkpoints than these and those that label videos.
        drawn: what is drawn.

    Raises:
        ValueError: such a setting.
    """
    if found := [name for name in OF_LABELS if name in named]:
        raise ValueError(f"{', '.join(found)}: for checkpoints that label videos, and this one {drawn.verb}")
    if found := [name for name in foreign if name in named]:
        raise ValueError(f"{', '.join(found)}: not for a checkpoint that {drawn.verb}; leave it out")


def folder_of_drawings(out: Path | None, *, drawn: Drawn) -> Path:
    """The folder for results.

    Args:
        out: that is named; None = none is.
        drawn: what is drawn.

    Raises:
        ValueError: it is the name of a table.
    """
    if out is not None and out.suffix.lower() in LABEL_ENDINGS and not out.is_dir():
        raise ValueError(f"out={out}: found {drawn.noun} are drawn into a folder; give its name, out={out.stem}")
    return FOLDER if out is None else out


def draw_files(
    drawer: Drawer, words: Sequence[str], *, checkpoint: Path, folder: Path, drawn: Drawn, for_videos: str = ""
) -> int:
    """Draw every file that is named; one that can't be read is told and passed over.

    What the same checkpoint drew before is written over, and what another one drew is not.

    Args:
        drawer: draws them into `folder`.
        words: files, folders, patterns and lists.
        checkpoint: of the drawer.
        folder: made where it is missing, and removed again where nothing was written.
        drawn: what is drawn.
        for_videos: a setting that is given and has no meaning for pictures, such as "key_every=4".

    Returns:
        1 if some files could not be read, else 0.

    Raises:
        ValueError: nothing is named, `for_videos` and no video, the folder can't be written, or it holds what another
            checkpoint found in files of these names.
        OSError: a file can't be written; DiskFullError = there is no room.
    """
    inputs = _inputs(words)
    if for_videos and all(is_picture_file(os.fspath(video.path)) for video in inputs.videos):
        raise ValueError(f"{for_videos} is for videos, and only pictures are named; name a video, or leave it out")
    made = prepare_folder(folder)
    try:
        names = overlay_names([video.path for video in inputs.videos], folder=folder, endings=drawn.endings)
        with drawn_by(checkpoint, names, folder=folder, endings=drawn.endings):
            return _draw_all(drawer, inputs, names, folder, drawn)
    finally:
        remove_empty(made)


def _draw_all(drawer: Drawer, inputs: VideoList, names: Sequence[str], folder: Path, drawn: Drawn) -> int:
    """Draw every file; 1 if some could not be read, else 0."""
    start, num_failed = time.monotonic(), 0
    try:
        with sigterm_ends():
            for video, name in zip(inputs.videos, names, strict=True):
                num_failed += not _draw(drawer, os.fspath(video.path), name)
    except (KeyboardInterrupt, Terminated):
        print(f"stopped; what is drawn is in {folder}", file=sys.stderr)
        raise
    done = len(names) - num_failed
    failed = f", {num_failed} could not be read" if num_failed else ""
    what = "file" if done == 1 else "files"
    print(f"{folder}: {drawn.noun} of {done} {what}{failed}; {duration(time.monotonic() - start)}")
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


def _draw(drawer: Drawer, path: str, name: str) -> bool:
    """Whether a file could be drawn; if not, the reason is printed."""
    try:
        if not is_picture_file(path):
            return _draw_video(drawer, path, name)
        with decode_picture(picture_bytes(path), name=path) as picture:
            pixels = picture.read([0])[0]
            if not picture.has_8_bits:
                print(f"note: {path}: {DEEP}", file=sys.stderr)
        print(f"{path}: {drawer.draw_picture(pixels, path, name)}")
        return True
    except DecodeError as error:
        print(error, file=sys.stderr)
        return False


def _draw_video(drawer: Drawer, path: str, name: str) -> bool:
    with frame_progress(path) as report:
        outcome = drawer.draw_video(path, name, report)
    for note in outcome.notes:
        print(f"note: {path}: {note}", file=sys.stderr)
    print(f"{path}: {outcome.num_frames} of {outcome.num_listed} frames, {outcome.video_path}")
    if outcome.error:
        print(f"{path}: {outcome.error}", file=sys.stderr)
    return not outcome.error
