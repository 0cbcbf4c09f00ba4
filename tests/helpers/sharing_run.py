"""Checkpoints of models that share semantic tokens over frames, untrained, and annotated clips to try them on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from stvit_video.dense.create_dense import build_described
from stvit_video.models.checkpoints.files import read_checkpoint
from stvit_video.models.checkpoints.metadata import METADATA_KEY, dense_description

SHARING = {
    "name": "stvit_r_casvit_xs",
    "options": {"embed_dims": (8, 8, 16, 16), "depths": (1, 1, 4, 1), "layer_scale_init": 0.5},
}
HEIGHT, WIDTH = 48, 64


def save_sharing(trained: Path, path: Path) -> Path:
    """A checkpoint like that of a training, around a backbone with semantic tokens and with weights of chance."""
    metadata = dict(read_checkpoint(trained)[METADATA_KEY]) | {"model": SHARING}
    torch.manual_seed(0)
    model = build_described(dense_description(metadata))
    torch.save(
        {METADATA_KEY: metadata, "state_dict": {f"model.{name}": value for name, value in model.state_dict().items()}},
        path,
    )
    return path


def frames_of(clip: int, num_frames: int) -> list[np.ndarray]:
    """Frames (H, W, 3) of a bright square that moves over a ground of noise."""
    noise = np.random.default_rng(clip).integers(0, 120, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    frames = []
    for number in range(num_frames):
        frame = noise.copy()
        frame[10:26, 4 + 7 * number : 20 + 7 * number] = (250, 40 * clip, 90)
        frames.append(frame)
    return frames


def write_clips(folder: Path, lengths: dict[str, int], *, classes: tuple[str, ...]) -> dict[str, Any]:
    """Clips of these lengths as COCO's annotations tell them; the settings `data` of an evaluation on them."""
    document: dict[str, list] = {"images": [], "annotations": []}
    document["categories"] = [{"id": i + 1, "name": name} for i, name in enumerate(classes)]
    for clip, (name, num_frames) in enumerate(lengths.items()):
        (folder / "frames" / name).mkdir(parents=True)
        (folder / "maps" / name).mkdir(parents=True)
        for number, frame in enumerate(frames_of(clip, num_frames)):
            row = len(document["images"]) + 1
            Image.fromarray(frame).save(folder / "frames" / name / f"{number:04d}.png")
            labels = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
            labels[10:26, 4 + 7 * number : 20 + 7 * number] = 1
            Image.fromarray(labels).save(folder / "maps" / name / f"{number:04d}.png")
            image = {"id": row, "file_name": f"{name}/{number:04d}.png", "height": HEIGHT, "width": WIDTH}
            document["images"].append(image | {"video": name, "frame_index": number})
            box = {"bbox": [4 + 7 * number, 10, 16, 16], "area": 256, "iscrowd": 0}
            document["annotations"].append({"id": row, "image_id": row, "category_id": 1} | box)
    (folder / "clips.json").write_text(json.dumps(document))
    return {"source": "coco_folders", "val_json": str(folder / "clips.json"), "val_images": str(folder / "frames")}
