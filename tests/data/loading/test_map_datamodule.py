from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from map_maker import read_part, write_maps

from stvit_video.data.layouts.drawn_maps import find_drawn_maps
from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.map_datamodule import MapDataModule, MapRules
from stvit_video.data.manifests.class_choice import choose_classes
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.segmentation_transform import SegmentationTransform

SIZES = MapSizes(short_side=32, long_side=48)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    settings = {"root": str(tmp_path_factory.mktemp("maps")), "num_train": 13, "num_val": 5, "image_size": 40}
    lists = [find_drawn_maps(part, known_classes=None, **settings)() for part in ("train", "val")]
    chosen = choose_classes(lists[0].names)
    return [replace(pictures, classes=chosen.classes, rules=chosen.rules) for pictures in lists]


def module_of(lists, **batches):
    transform = SegmentationTransform(sizes=SIZES, crop_size=24, scale_range=(0.5, 2.0), photometric_probability=0.5)
    return MapDataModule(
        *lists,
        sizes=SIZES,
        rules=MapRules(transform=transform),
        batches=Batches(**({"size": 3, "val_size": 2} | batches)),
        seed=5,
    )


def epoch(loader, number):
    loader.sampler.set_epoch(number)
    return list(loader)


def same(one, other):
    assert one["names"] == other["names"]
    assert torch.equal(one["pictures"], other["pictures"])
    assert torch.equal(one["maps"], other["maps"])


def test_training_batches_have_maps_of_the_size_of_the_pictures(drawn):
    module = module_of(drawn)
    batches = epoch(module.train_dataloader(), 0)
    assert len(batches) == 4
    assert module.classes == ("ground", "disc", "square", "triangle")
    for batch in batches:
        assert batch["maps"].dtype == torch.int64
        assert batch["maps"].shape == (3, *batch["pictures"].shape[2:])
        assert all(side % 32 == 0 for side in batch["maps"].shape[1:])
        for row, (height, width) in enumerate(batch["sizes"]):
            inside = batch["maps"][row, :height, :width]
            assert int(inside.max()) < 4
            outside = batch["maps"][row].clone()
            outside[:height, :width] = 255
            assert bool((outside == 255).all())
            assert not batch["pictures"][row, :, height:].any()
            assert not batch["pictures"][row, ..., width:].any()
        assert set(batch) == {
            *("pictures", "sizes", "maps", "names", "picture_ids", "original_sizes", "sequences", "frame_places"),
            *("index", "num_skipped", "skipped"),
        }


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_interrupted_epoch_goes_on_to_the_bit(drawn, num_workers):
    whole = epoch(module_of(drawn).train_dataloader(), 1)
    stopped = module_of(drawn, num_workers=num_workers)
    loader = stopped.train_dataloader()
    loader.sampler.set_epoch(1)
    batches = iter(loader)
    for expected in whole[:2]:
        same(next(batches), expected)
    state = stopped.state_dict()
    batches.close()
    loader.end()
    resumed = module_of(drawn, num_workers=num_workers)
    resumed.load_state_dict(state)
    loader = resumed.train_dataloader()
    rest = epoch(loader, 1)
    assert len(rest) == 2
    for found, expected in zip(rest, whole[2:], strict=True):
        same(found, expected)
    loader.end()


def test_validation_goes_once_through_all_pictures_in_order(drawn):
    batches = list(module_of(drawn).val_dataloader())
    assert [name for batch in batches for name in batch["picture_ids"]] == [f"{n:06d}" for n in range(5)]
    maps = [labels for batch in batches for labels in batch["true_maps"]]
    sizes = [size for batch in batches for size in batch["original_sizes"]]
    for index, (labels, size) in enumerate(zip(maps, sizes, strict=True)):
        assert tuple(labels.shape) == size
        assert torch.equal(labels, torch.from_numpy(drawn[1].read_map(index)))
    assert [batch["errors"] for batch in batches] == [["", ""], ["", ""], [""]]
    assert "maps" not in batches[0]


def test_two_processes_share_the_pictures(drawn):
    names = []
    for rank in (0, 1):
        module = module_of(drawn)
        module.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        names += [name for batch in module.val_dataloader() for name in batch["picture_ids"]]
        assert len(epoch(module.train_dataloader(), 0)) == 2
    assert sorted(names) == [f"{n:06d}" for n in range(5)]


def test_lists_that_do_not_fit_are_refused(drawn, tmp_path):
    with pytest.raises(ValueError, match="batch_size=14 is more than the 13 training pictures"):
        module_of(drawn, size=14)
    with pytest.raises(ManifestError, match="train alone has 'ground'"):
        module_of((drawn[0], read_part(write_maps(tmp_path), "val")))
