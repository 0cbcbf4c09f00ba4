"""A picture with its detections: NAME.png to look at, NAME.json to work with."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from stvit_video.utils.atomic_files import atomically
from stvit_video.utils.full_disk import full_disk_is_told
from stvit_video.visualization.detection_records import detection_records
from stvit_video.visualization.draw_detections import draw_detections

__all__ = ["overlay_picture"]

FULL_ADVICE = "make room, and give the same command again"


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
    png = io.BytesIO()
    Image.fromarray(drawn).save(png, format="PNG")
    png_path, json_path = folder / f"{name}.png", folder / f"{name}.json"
    _write(png_path, png.getvalue())
    _write(json_path, (json.dumps(content, ensure_ascii=False) + "\n").encode("utf-8", errors="backslashreplace"))
    return png_path, json_path


def _write(path: Path, content: bytes) -> None:
    with full_disk_is_told(path, advice=FULL_ADVICE), atomically(path) as part:
        part.write_bytes(content)
