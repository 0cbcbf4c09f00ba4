"""A picture with its detections: NAME.png to look at, NAME.json to work with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.visualization.detection_records import detection_records
from stvit_video.visualization.draw_detections import draw_detections
from stvit_video.visualization.overlay_files import write_json_line, write_png

__all__ = ["overlay_picture"]


def overlay_picture(
    picture: np.ndarray,
    detections: Mapping[str, Any],
    *,
    source: str,
    folder: Path,
    name: str,
    names: Sequence[str],
    threshold: float = 0.5,
) -> tuple[Path, Path]:
    """Write the drawn picture and its detections, each file in one step.

    Args:
        picture: (H, W, 3) uint8, RGB.
        detections: see `drawn_objects`.
        source: what the file of the picture is called.
        folder: where the files go; it must exist.
        name: of the files, without ending.
        names: of the classes, by label.
        threshold: detections with a lower score are left out.

    Returns:
        The paths of NAME.png and NAME.json.

    Raises:
        ValueError: see `draw_detections`.
        DiskFullError: there is no room.
        OSError: a file can't be written.
    """
    drawn = draw_detections(picture, detections, names=names, threshold=threshold)
    height, width = drawn.shape[:2]
    content = {
        "picture": source,
        "width": width,
        "height": height,
        "threshold": threshold,
        "detections": detection_records(detections, names=names, threshold=threshold),
    }
    png_path, json_path = folder / f"{name}.png", folder / f"{name}.json"
    write_png(png_path, Image.fromarray(drawn))
    write_json_line(json_path, content)
    return png_path, json_path
