import pytest
from coco_maker import write_coco
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.nodes import register_nodes
from stvit_video.factories.picture_data import build_detection_transform, build_picture_data, build_picture_sizes
from stvit_video.settings.box_augment_settings import BoxAugmentSettings
from stvit_video.settings.paths import CONF_DIR
from stvit_video.settings.train_settings import TrainSettings

register_nodes()


def settings_of(*overrides):
    with initialize_config_dir(CONF_DIR, version_base="1.3"):
        values = OmegaConf.to_container(compose("train", overrides=list(overrides)), resolve=True)
    read = read_with_layout(TrainSettings, {key: value for key, value in values.items() if key != "sweep"})
    assert not read.wrong
    assert not read.unknown
    return read.settings


@pytest.mark.parametrize("source", ["coco", "coco_folders", "voc_boxes"])
def test_pictures_have_the_sizes_of_published_detectors(source):
    sizes = build_picture_sizes(settings_of(f"data={source}").data)
    assert (sizes.short_side, sizes.long_side, sizes.antialias) == (800, 1333, True)


def test_published_augmentations():
    short = build_detection_transform(settings_of("data=coco", "augment=detection_1x"))
    assert (short.flip_probability, short.short_sides, short.crop_probability) == (0.5, (), 0.0)
    long = build_detection_transform(settings_of("data=coco", "augment=detection_3x"))
    assert long.short_sides == tuple(range(480, 801, 32))
    assert (long.crop_probability, long.crop_short_sides, long.crop_sides) == (0.5, (400, 500, 600), (384, 600))
    assert (long.scale_jitter, long.photometric_probability) == (None, 0.0)


BOXES = {
    "short_sides": (30, 40),
    "crop_probability": 0.25,
    "crop_short_sides": (20,),
    "crop_sides": (10, 15),
    "scale_jitter": None,
    "photometric_probability": 0.75,
}


def test_every_setting_of_boxes_arrives():
    settings = settings_of("data=coco", "data.long_side=900", "data.antialias=false")
    assert set(BoxAugmentSettings.model_fields) == set(BOXES)
    changed = settings.with_changes(augment=settings.augment.model_copy(update=BOXES | {"flip_probability": 0.1}))
    transform = build_detection_transform(changed)
    assert {name: getattr(transform, name) for name in BOXES} == BOXES
    assert transform.flip_probability == 0.1
    assert (transform.sizes.long_side, transform.sizes.antialias) == (900, False)
    jittered = settings.augment.model_copy(update={"scale_jitter": (0.1, 2.0)})
    assert build_detection_transform(settings.with_changes(augment=jittered)).scale_jitter == (0.1, 2.0)


def test_settings_reach_the_loaders(tmp_path):
    root = write_coco(tmp_path)
    settings = settings_of(
        *("data=coco", f"data.root={root}", "augment=detection_1x", "data.short_side=32", "data.long_side=48"),
        *("data.batch_size=2", "data.val_batch_size=3", "data.num_workers=0", "data.max_objects=1", "seed=9"),
    )
    module = build_picture_data(settings, masks=True)
    batch = next(iter(module.train_dataloader()))
    assert batch["pictures"].shape[0] == 2
    assert max(max(size) for size in batch["sizes"]) <= 48
    assert all(len(target["labels"]) <= 1 for target in batch["targets"])
    assert all("masks" in target for target in batch["targets"])
    [val] = module.val_dataloader()
    assert val["names"] == ["a.png", "b.png", "c.png"]
    assert module.seed == 9
