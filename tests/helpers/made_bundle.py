"""A bundle whose graph is a few bytes that nobody runs: for the tests of reading."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stvit_video.bundles.bundle_description import DESCRIPTION, GOLDEN, LABELS, PREPROCESSING, write_json
from stvit_video.bundles.bundle_digests import digests_of
from stvit_video.bundles.bundle_folder import write_labels

CLASSES = ("a, comma", "jump", "run\u2028 fast")
SIZES = {"num_frames": 2, "frame_stride": 3, "short_side": 7, "crop_size": 5, "mean": [0.5] * 3, "std": [0.25] * 3}
PROTOCOL = {"name": "uniform", "num_clips": 2, "num_crops": 3, "average": "prob"}


def write_made_bundle(folder: Path, *, graph: str = "clip.onnx", **changes: Any) -> Path:
    """Write a whole bundle; `changes` are of bundle.json."""
    folder.mkdir(parents=True)
    (folder / graph).parent.mkdir(exist_ok=True)
    (folder / graph).write_bytes(b"a graph")
    write_labels(folder / LABELS, CLASSES)
    write_json(folder / PREPROCESSING, {"preprocessing": SIZES, "protocol": PROTOCOL})
    frames = np.arange(2 * 2 * 5 * 5 * 3, dtype=np.uint8).reshape(2, 2, 5, 5, 3)
    logits = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.5]], dtype=np.float32)
    np.savez(folder / GOLDEN, frames=frames, logits=logits, tolerance=np.float32(1e-3))
    description = {
        "bundle": 1,
        "format": "onnx",
        "precision": "fp32",
        "task": "classification",
        "model": {"name": "stvit_video_deit_tiny", "options": {"depth": 4}},
        "num_tokens": 4,
        "generate_at": None,
        "graphs": {"clip": graph.split("/")[0]},
        "input": [None, 2, 5, 5, 3],
        "num_classes": 3,
        "multi_label": False,
        "versions": {"stvit_video": "9.9"},
        "digests": digests_of(folder),
    }
    write_json(folder / DESCRIPTION, description | changes)
    return folder


def change_description(folder: Path, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Write bundle.json anew, with the values that `change` gives in place of those that were there."""
    said = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    write_json(folder / DESCRIPTION, said | change(said))


def sign_again(folder: Path) -> None:
    """Let the digests be those of the files as they are now."""
    change_description(folder, lambda said: {"digests": digests_of(folder, without=(DESCRIPTION,))})
