"""What the untrained runs of the tests are made of: small videos, and a checkpoint that was "trained" on them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.models.checkpoints.grids import position_grid
from stvit_video.models.checkpoints.metadata import checkpoint_metadata

MODEL = "stvit_video_deit_tiny"


def write_drifting(path: Path, *, seed: int, num_frames: int = 25) -> None:
    """Encode a drifting random texture, 30 x 20 pixels at 10 frames a second."""
    texture = np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    frames = np.stack([np.roll(texture, shift, axis=1) for shift in range(num_frames)])
    encode_video(path, frames, fps=10)


def save_untrained(
    path: Path,
    model: torch.nn.Module,
    *,
    options: dict[str, Any],
    classes: tuple[str, ...],
    preprocessing: dict[str, Any],
    manifest: Path,
) -> None:
    """Write a checkpoint of MODEL with its weights as they are and a list as its data; it tests 2 clips x 3 crops."""
    metadata = checkpoint_metadata(
        model_name=MODEL,
        model_options=options,
        classes=classes,
        preprocessing=preprocessing,
        protocol={"num_clips": 2, "num_crops": 3, "average": "prob"},
        config={"data": {"source": "csv", "train": str(manifest), "val": str(manifest), "root": None}},
        position_grid=position_grid(model),
    )
    state = {f"model.{key}": value for key, value in model.state_dict().items()}
    torch.save({"state_dict": state, "stvit_video": metadata}, path)
