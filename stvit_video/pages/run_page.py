"""report.html of a training or evaluation: its result, course, mistakes and settings on one page."""

import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from stvit_video.evaluation.multi_label_tables import THRESHOLDS
from stvit_video.pages.class_scores import class_scores
from stvit_video.pages.confusion_part import Confusion, confusion_part
from stvit_video.pages.render import jpeg_data, png_data, render_page
from stvit_video.pages.run_curves import curve_charts
from stvit_video.pages.run_facts import run_facts
from stvit_video.pages.run_folder import RunFiles, read_run_files
from stvit_video.pages.run_headline import baseline_words, headline
from stvit_video.pages.thumbnails import Thumbnail, read_thumbnails
from stvit_video.pages.worst_videos import WorstVideo, worst_videos
from stvit_video.utils.atomic_files import write_text

__all__ = ["RUN_PAGE", "write_run_page"]

RUN_PAGE = "report.html"
MAX_UNREAD = 200  # that are named
SCORE_WORDS = {"prob": "probability", "logit": "logit"}  # what the scores of predictions.csv are
LARGE_BYTES = 150_000  # a larger PNG goes into the page as a JPEG, if that is smaller
QUALITY = 85  # of that JPEG, 0 to 100
PICTURES = {  # titles and captions, in the order of the page
    "pr_curves.png": ("Precision against recall", ""),
    "examples.png": ("Best and worst pictures", "The truth beside what was found"),
}


class PagePicture(NamedTuple):
    """A picture of the folder.

    Attributes:
        title: above it.
        src: for an `<img>`.
        caption: below it.
    """

    title: str
    src: str
    caption: str


def write_run_page(
    folder: Path,
    *,
    written: Collection[str],
    confusion: Confusion | None = None,
    read_frame: Callable[[str], np.ndarray] | None = None,
    separator: str = "|",
) -> None:
    """Write report.html into the folder of a training or evaluation, of the files that are there; whatever the task.

    An old page is gone, whether or not the new one can be written.

    Args:
        folder: with result.json, and what else the run has written.
        written: names of the files of this evaluation, see `read_run_files`.
        confusion: which classes were taken for which; None = nobody knows.
        read_frame: gives a picture (H, W, 3) uint8 of a video that predictions.csv names, see `read_thumbnails`; None
            = the worst videos have no pictures.
        separator: stands between several labels of a video in predictions.csv.

    Raises:
        MissingLibraryError: jinja2 or matplotlib is not installed.
        OSError: a file can't be read or written.
        ValueError: a file holds something else than an evaluation writes.
    """
    page = folder / RUN_PAGE
    page.unlink(missing_ok=True)
    files = read_run_files(folder, written=written)
    text = render_page(
        "run.html",
        title=f"{'Training' if files.is_training else 'Evaluation'}: {folder.resolve().name}",
        unit=files.unit,
        is_multi_label=files.has_several_labels,
        **_result_values(files, separator=separator),
        **_class_values(files, confusion),
        **_video_values(files, read_frame, separator=separator),
        pictures=_pictures(files),
        config=files.config,
    )
    write_text(page, text)


def _result_values(files: RunFiles, *, separator: str) -> dict[str, object]:
    """What run.html says of the result as a whole, and of what is not in it."""
    unread = _unread(files)
    return {
        "warnings": _warnings(files, num_unread=len(unread)),
        "figures": headline(files.result, unit=files.unit),
        "baseline": baseline_words(files, separator=separator),
        "result": files.result["result"],
        "facts": run_facts(files.result, unit=files.unit),
        "curves": curve_charts(files.metrics) if files.metrics else [],
        "unread": unread[:MAX_UNREAD],
        "num_unread": len(unread),
    }


def _class_values(files: RunFiles, confusion: Confusion | None) -> dict[str, object]:
    if confusion is not None and confusion.unit == "videos":
        confusion = replace(confusion, unit=files.unit)
    num_videos = files.result.get("num_videos_used", 0) if files.has_several_labels else 0
    return {
        "scores": class_scores(files.per_class, unit=files.unit, num_videos=num_videos),
        "confusion": None if confusion is None else confusion_part(confusion),
    }


def _video_values(
    files: RunFiles, read_frame: Callable[[str], np.ndarray] | None, *, separator: str
) -> dict[str, object]:
    worst = worst_videos(files.predictions, separator=separator)
    average = files.result.get("protocol", {}).get("average", "prob")
    return {
        "has_videos": bool(files.predictions),
        "worst": list(zip(worst, _thumbnails(worst, read_frame), strict=True)),
        "score_word": SCORE_WORDS[average],
        "threshold": f"a {SCORE_WORDS[average]} of {THRESHOLDS[average]:g}",
    }


def _thumbnails(worst: Sequence[WorstVideo], read_frame: Callable[[str], np.ndarray] | None) -> list[Thumbnail]:
    if read_frame is None:
        return [Thumbnail("", "")] * len(worst)
    return read_thumbnails([video.video for video in worst], read_frame)


def _unread(files: RunFiles) -> list[tuple[str, str]]:
    """Names and reasons of what could not be read."""
    videos = [(row["video"], row["error"]) for row in files.predictions if row["error"]]
    return videos + list(files.result.get("errors", {}).items())


def _warnings(files: RunFiles, *, num_unread: int) -> list[str]:
    """What a reader must know before the figures."""
    if not num_unread:
        return []
    listed = next((files.result[key] for key in ("num_videos_listed", "num_pictures_listed") if key in files.result), 0)
    of = f" of {listed}" if listed else ""
    return [f"{num_unread}{of} {files.unit} could not be read and {'is' if num_unread == 1 else 'are'} not counted."]


def _pictures(files: RunFiles) -> list[PagePicture]:
    return [
        PagePicture(title, _picture_data(files.folder / name), caption)
        for name, (title, caption) in PICTURES.items()
        if name in files.pictures
    ]


def _picture_data(path: Path) -> str:
    """The picture in an address, as small as it is clear."""
    png = path.read_bytes()
    if len(png) < LARGE_BYTES:
        return png_data(png)
    content = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(content, format="JPEG", quality=QUALITY)
    jpeg = content.getvalue()
    return jpeg_data(jpeg) if len(jpeg) < len(png) else png_data(png)
