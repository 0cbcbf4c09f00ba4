"""A tiny run that the tests of the commands share: three encoded videos, their manifest, a checkpoint."""

import csv
import gc
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from real_data import pytest_collection_modifyitems  # noqa: F401 - skips tests of real files that are not there
from untrained_run import MODEL, save_untrained, write_drifting
from video_cases import case, case_folder, get_case, made_case  # noqa: F401 - fixtures

from stvit_video.config.nodes import register_nodes
from stvit_video.models import create_model

pytest_plugins = (
    "commands",
    "counting_video",
    "detector_run",
    "segmenter_run",
    "elastic_run",
    "leftovers",
    "watchdog",
)  # of tests/helpers
settings.register_profile("any_time", deadline=None)  # a busy machine is no fault of an example
settings.load_profile("any_time")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # of a shell script's background job; its children would have it
    signal.signal(signal.SIGINT, signal.default_int_handler)
register_nodes()  # for tests that compose a configuration and import no command

CLASSES = ("a, comma", "jump", "run")
PREPROCESSING = {
    "num_frames": 4,
    "frame_stride": 2,
    "short_side": 20,
    "crop_size": 16,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}
MODEL_OPTIONS = {
    "num_classes": 3,
    "num_frames": 4,
    "image_size": 16,
    "patch_size": 4,
    "embed_dim": 8,
    "num_heads": 2,
    "depth": 4,
    "generate_at": 1,
    "num_tokens": 4,
}


@dataclass(frozen=True)
class TinyRun:
    """Where the files are; videos are of 30 x 20 pixels, 25 frames, 10 frames a second."""

    checkpoint: Path
    manifest: Path
    videos: tuple[Path, ...]
    model: torch.nn.Module


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """Videos with odd names, a manifest of them, and an untrained checkpoint that was "trained" on it."""
    root = tmp_path_factory.mktemp("tiny run")
    videos = tuple(root / name for name in ("a, b.mp4", "c d.mp4", "e=f.mp4"))
    for seed, video in enumerate(videos):
        write_drifting(video, seed=seed)
    manifest = root / "list.csv"
    with manifest.open("w", newline="") as file:
        rows = [(video.name, label) for video, label in zip(videos, CLASSES, strict=True)]
        csv.writer(file).writerows([("path", "label"), *rows])
    torch.manual_seed(0)
    model = create_model(MODEL, **MODEL_OPTIONS)
    torch.nn.init.normal_(next(m for m in reversed(list(model.modules())) if isinstance(m, torch.nn.Linear)).weight)
    save_untrained(
        root / "best.ckpt",
        model,
        options=MODEL_OPTIONS,
        classes=CLASSES,
        preprocessing=PREPROCESSING,
        manifest=manifest,
    )
    return TinyRun(root / "best.ckpt", manifest, videos, model.eval())


def pytest_collection_finish() -> None:
    """Torch and all test modules are loaded by now and stay: no garbage collection has to look at them again."""
    gc.collect()
    gc.freeze()
