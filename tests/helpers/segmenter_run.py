"""A tiny trained segmenter that tests share: semantic_fpn on drawn pictures, one epoch, of seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from detector_run import TINY
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.settings.paths import CONF_DIR

OF_MAPS = TINY.replace("data=drawn_shapes", "task=semantic data=drawn_maps data.crop_size=32")
OF_HEADS = {  # small layers
    "semantic_fpn": ("head.neck_channels=8", "head.head_channels=8"),
    "upernet": ("head.head_channels=8", "head.auxiliary_channels=8"),
}


def tiny_map_overrides(root: Path | str, *overrides: str, head: str = "semantic_fpn") -> list[str]:
    """What the command line of a tiny training says; the pictures are drawn into `root` where they are not there."""
    words = [word for word in OF_MAPS.split() if not word.startswith("head.")]
    return [*words, f"head={head}", *OF_HEADS[head], f"data.root='{root}'", *overrides]


def segmenter_settings(root: Path | str, *overrides: str, head: str = "semantic_fpn") -> dict[str, Any]:
    """The settings of such a training as plain values."""
    given = tiny_map_overrides(root, *overrides, head=head)
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        values: Any = OmegaConf.to_container(compose("train", overrides=given), resolve=True)
    values.pop("sweep")
    return values


@dataclass(frozen=True)
class SegmenterRun:
    """A finished training.

    Attributes:
        root: folder of the pictures and their maps.
        folder: of the run.
        settings: plain values that it was started with.
        result: what its result.json holds.
    """

    root: Path
    folder: Path
    settings: dict[str, Any]
    result: dict[str, Any]

    @property
    def checkpoint(self) -> Path:
        """The best one."""
        return self.folder / "best.ckpt"


@pytest.fixture(scope="session")
def drawn_maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder where the pictures are drawn at first use."""
    return tmp_path_factory.mktemp("maps") / "drawn"


@pytest.fixture(scope="session")
def tiny_segmenter(tmp_path_factory: pytest.TempPathFactory, drawn_maps: Path) -> SegmenterRun:
    """The training."""
    from stvit_video.train import train  # here, as it loads much

    folder = tmp_path_factory.mktemp("tiny segmenter")
    settings = segmenter_settings(drawn_maps)
    return SegmenterRun(drawn_maps, folder, settings, train(settings, run_dir=folder))
