"""A tiny trained detector that tests share: faster_rcnn on drawn pictures, one epoch, of seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.settings.paths import CONF_DIR

TINY = """data=drawn_shapes data.num_train=6 data.num_val=5 data.image_size=64 data.short_side=48 data.long_side=64
    data.batch_size=2 data.num_workers=0 model=casvit_xs model.depths=[1,1,1,1] model.embed_dims=[16,16,16,16]
    head.neck_channels=8 optim.warmup_epochs=0 trainer.accelerator=cpu trainer.enable_progress_bar=false
    trainer.max_epochs=1"""
OF_REGIONS = ("head.head_channels=16", "head.region_samples=32")
OF_MASKS = (*OF_REGIONS, "head.mask_channels=8")
OF_HEADS = {  # task and small layers
    "faster_rcnn": ("task=detection", *OF_REGIONS),
    "mask_rcnn": ("task=instance", *OF_MASKS),
    "cascade_mask_rcnn": ("task=instance", *OF_MASKS),
    "retinanet": ("task=detection",),
}


def tiny_overrides(root: Path | str, *overrides: str, head: str = "faster_rcnn") -> list[str]:
    """What the command line of a tiny training says; the pictures are drawn into `root` where they are not there."""
    return [*OF_HEADS[head], f"head={head}", *TINY.split(), f"data.root='{root}'", *overrides]


def detector_settings(root: Path | str, *overrides: str, head: str = "faster_rcnn") -> dict[str, Any]:
    """The settings of such a training as plain values."""
    given = tiny_overrides(root, *overrides, head=head)
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        values: Any = OmegaConf.to_container(compose("train", overrides=given), resolve=True)
    values.pop("sweep")
    return values


def as_coco_folders(values: dict[str, Any], root: Path) -> dict[str, Any]:
    """The same settings for pictures in COCO's layout that may have been changed, which nothing is to draw again."""
    own = ("num_train", "num_val", "image_size", "generation_seed", "root")
    data = {name: value for name, value in values["data"].items() if name not in own}
    for part in ("train", "val"):
        data[f"{part}_json"] = str(root / "annotations" / f"instances_{part}.json")
        data[f"{part}_images"] = str(root / part)
    return {**values, "data": {**data, "source": "coco_folders"}}


@dataclass(frozen=True)
class DetectorRun:
    """A finished training.

    Attributes:
        root: folder of the pictures, in COCO's layout; the classes are disc, square, triangle.
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

    @property
    def pictures(self) -> list[Path]:
        """The validation pictures, of 64 x 48 or 48 x 64 pixels."""
        return sorted((self.root / "val").iterdir())


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder where the pictures are drawn at first use."""
    return tmp_path_factory.mktemp("shapes") / "drawn"


@pytest.fixture(scope="session")
def tiny_detector(tmp_path_factory: pytest.TempPathFactory, shapes: Path) -> DetectorRun:
    """The training."""
    from stvit_video.train import train  # here, as it loads much

    folder = tmp_path_factory.mktemp("tiny detector")
    settings = detector_settings(shapes)
    return DetectorRun(shapes, folder, settings, train(settings, run_dir=folder))
