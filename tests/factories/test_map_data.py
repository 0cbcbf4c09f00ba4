import pytest
from hydra import compose, initialize_config_dir
from map_maker import map_settings, write_maps
from omegaconf import OmegaConf

from stvit_video.config.layout_options import read_with_layout
from stvit_video.config.nodes import register_nodes
from stvit_video.factories.map_data import build_map_data, build_map_sizes, build_map_transform
from stvit_video.settings.map_augment_settings import MapAugmentSettings
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


@pytest.mark.parametrize("source", ["ade", "label_maps", "voc_segments"])
def test_pictures_have_the_sizes_of_published_segmenters(source):
    data = settings_of(f"data={source}").data
    sizes = build_map_sizes(data)
    assert (sizes.short_side, sizes.long_side, sizes.divisor, sizes.antialias) == (512, 2048, 32, True)
    assert data.crop_size == 512


def test_the_published_augmentation():
    transform = build_map_transform(settings_of("data=ade", "augment=semantic_ade"))
    assert (transform.scale_range, transform.max_class_share, transform.crop_size) == ((0.5, 2.0), 0.75, 512)
    assert (transform.flip_probability, transform.photometric_probability) == (0.5, 0.5)


MAPS = {"scale_range": (0.25, 3.0), "max_class_share": 0.5}


def test_every_setting_of_maps_arrives():
    given = ("data.long_side=900", "data.antialias=false", "data.size_divisor=16", "data.crop_size=77")
    settings = settings_of("data=ade", *given)
    assert set(MapAugmentSettings.model_fields) == set(MAPS)
    augment = {"flip_probability": 0.1, "photometric_probability": 0.75}
    changed = settings.with_changes(augment=settings.augment.model_copy(update=MAPS | augment))
    transform = build_map_transform(changed)
    assert {name: getattr(transform, name) for name in (*MAPS, *augment)} == MAPS | augment
    sizes = transform.sizes
    assert (sizes.long_side, sizes.antialias, sizes.divisor, transform.crop_size) == (900, False, 16, 77)


def test_settings_reach_the_loaders(tmp_path):
    places = [f"data.{name}={place}" for name, place in map_settings(write_maps(tmp_path)).items()]
    settings = settings_of(
        *("data=label_maps", *places, "augment=semantic_ade", "data.short_side=48", "data.long_side=96"),
        *("data.crop_size=32", "data.batch_size=2", "data.val_batch_size=3", "data.num_workers=0", "seed=9"),
        "data.keep_classes=[car,{ground: [sky, road]}]",
    )
    module = build_map_data(settings)
    assert module.classes == ("car", "ground")
    batch = next(iter(module.train_dataloader()))
    assert batch["pictures"].shape[0] == 2
    assert max(max(size) for size in batch["sizes"]) <= 32
    [val] = module.val_dataloader()
    assert val["names"] == ["a.jpg", "b.jpg", "c.jpg"]
    assert module.seed == 9
    assert module.sizes.short_side == 48
