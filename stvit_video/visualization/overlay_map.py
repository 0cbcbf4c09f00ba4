"""A picture with its label map: NAME.png to look at, NAME_labels.png and NAME.json to work with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from stvit_video.visualization.draw_maps import class_shares, draw_map
from stvit_video.visualization.map_colours import map_colours
from stvit_video.visualization.map_legend import LegendEntry, legend_strip
from stvit_video.visualization.overlay_files import write_json_line, write_png
from stvit_video.visualization.text_image import letter_pixels

__all__ = ["LABELS_ENDING", "MapFiles", "map_with_legend", "overlay_map", "rounded_shares", "share_text"]

LABELS_ENDING = "_labels.png"
LEAST_WIDE = 240  # pixels of a legend; a narrower picture has paper beside it
MOST_NAMED = 24  # classes in a legend
PAPER = 255
SHARE_DIGITS = 6


class MapFiles(NamedTuple):
    """What was written.

    Attributes:
        drawing: NAME.png.
        labels: NAME_labels.png.
        values: NAME.json.
    """

    drawing: Path
    labels: Path
    values: Path


def overlay_map(
    picture: np.ndarray,
    labels: np.ndarray,
    *,
    source: str,
    folder: Path,
    name: str,
    names: Sequence[str],
    model: str,
    has_legend: bool = True,
) -> MapFiles:
    """Write the drawn picture with its legend, the labels, and how much of the picture each class has.

    NAME_labels.png has the size of the picture and one byte a pixel, the label; its palette has the colours of the
    drawing. NAME.json has "picture", "width", "height", "model", "classes" (name -> share of the pixels, those that
    occur, the largest first), "labels_file", and "names" of all classes by label.

    Args:
        picture: (H, W, 3) uint8, RGB.
        labels: (H, W) uint8.
        source: what the file of the picture is called.
        folder: where the files go; it must exist.
        name: of the files, without ending.
        names: of the classes, by label.
        model: what found the labels.
        has_legend: whether the classes stand below the drawn picture.

    Raises:
        ValueError: see `draw_map` and `class_shares`.
        DiskFullError: there is no room.
        OSError: a file can't be written.
    """
    shares = class_shares(labels, names=names)
    drawn = map_with_legend(picture, labels, names=names) if has_legend else draw_map(picture, labels)
    height, width = labels.shape
    content: dict[str, Any] = {
        "picture": source,
        "width": width,
        "height": height,
        "model": model,
        "classes": rounded_shares(shares),
        "labels_file": f"{name}{LABELS_ENDING}",
        "names": list(names),
    }
    indexed = Image.fromarray(labels, mode="L")
    indexed.putpalette(map_colours().tobytes())  # makes it a picture of palette numbers
    files = MapFiles(folder / f"{name}.png", folder / f"{name}{LABELS_ENDING}", folder / f"{name}.json")
    write_png(files.drawing, Image.fromarray(drawn))
    write_png(files.labels, indexed)
    write_json_line(files.values, content)
    return files


def map_with_legend(picture: np.ndarray, labels: np.ndarray, *, names: Sequence[str]) -> np.ndarray:
    """The drawn picture, and below it the 24 largest classes with their shares.

    Args:
        picture: (H, W, 3) uint8, RGB.
        labels: (H, W) uint8.
        names: of the classes, by label.

    Returns:
        (H + h, max(W, 240), 3) uint8.

    Raises:
        ValueError: see `draw_map` and `class_shares`.
    """
    drawn, height, width = draw_map(picture, labels), *labels.shape
    places = {name: label for label, name in enumerate(names)}
    shares = class_shares(labels, names=names)
    entries = [LegendEntry(name, places[name], share_text(share)) for name, share in shares.items()]
    wide = max(width, LEAST_WIDE)
    strip = legend_strip(entries, width=wide, letter_pixels=letter_pixels(height, width), most=MOST_NAMED)
    sheet = np.full((height + len(strip), wide, 3), PAPER, dtype=np.uint8)
    sheet[:height, :width], sheet[height:] = drawn, strip
    return sheet


def rounded_shares(shares: dict[str, float]) -> dict[str, float]:
    """Shares as JSON holds them."""
    return {name: round(share, SHARE_DIGITS) for name, share in shares.items()}


def share_text(share: float) -> str:
    """A share of a picture in percent, as people read it."""
    return "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"
