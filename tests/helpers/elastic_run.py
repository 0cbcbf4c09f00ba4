"""A checkpoint that is elastic in tokens and in the place of generation, with 14 videos to validate it; untrained."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import pytest
import torch
from untrained_run import MODEL, save_untrained, write_drifting

from stvit_video.budgets.search_space import count_costs
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.models import create_model

CLASSES = ("fall", "sit", "wave")
NUM_VIDEOS = 14
OPTIONS = {
    "num_classes": 3,
    "num_frames": 4,
    "image_size": 16,
    "patch_size": 4,
    "embed_dim": 8,
    "num_heads": 2,
    "depth": 6,
    "num_tokens": 4,
    "elastic": [2, 4],
    "elastic_generate_at": [1, 2],
}
SIZES = {"num_frames": 4, "frame_stride": 2, "short_side": 20, "crop_size": 16, "mean": [0.5] * 3, "std": [0.25] * 3}


@dataclass(frozen=True)
class ElasticRun:
    """Where the files are; videos are of 30 x 20 pixels, 25 frames, 10 frames a second."""

    checkpoint: Path
    manifest: Path

    def load(self) -> Recognizer:
        """The checkpoint."""
        return load_recognizer(self.checkpoint, device="cpu")


@pytest.fixture(scope="session")
def elastic_run(tmp_path_factory: pytest.TempPathFactory) -> ElasticRun:
    """The files; copy the checkpoint before it is written to."""
    root = tmp_path_factory.mktemp("elastic run")
    rows = [(f"video {number}.mp4", CLASSES[number % 3]) for number in range(NUM_VIDEOS)]
    for seed, (name, _) in enumerate(rows):
        write_drifting(root / name, seed=seed)
    with (root / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    write_elastic_checkpoint(root / "best.ckpt", root / "list.csv")
    return ElasticRun(root / "best.ckpt", root / "list.csv")


@pytest.fixture
def quick_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search begins with costs by a formula, and measures speed for a moment; else each takes seconds."""

    def count(model: Any, size: Sequence[int]) -> float:
        tokens = model.grid.count * prod(size[1:]) / (4 * 16 * 16)
        return 1e-6 * (tokens * model.generate_at + model.token_grid.count * (6 - model.generate_at))

    monkeypatch.setattr("stvit_video.budgets.begin.count_costs", partial(count_costs, count=count))
    for module in ("stvit_video.budgets.search", "stvit_video.budget"):
        monkeypatch.setattr(f"{module}.LEAST_SECONDS", 0.0)


def write_elastic_checkpoint(path: Path, manifest: Path, *, seed: int = 0) -> None:
    """A checkpoint of random weights whose validation data are a list."""
    torch.manual_seed(seed)
    model = create_model(MODEL, **OPTIONS)
    torch.nn.init.normal_(model.head.weight)
    save_untrained(path, model, options=OPTIONS, classes=CLASSES, preprocessing=SIZES, manifest=manifest)
