from types import SimpleNamespace

import pytest
import torch
from coco_maker import document, read_part, write_coco

from stvit_video.data.layouts.drawn_shapes import find_drawn_shapes
from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.picture_datamodule import PictureDataModule, PictureRules
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.transforms.detection_transform import DetectionTransform
from stvit_video.data.transforms.picture_sizes import PictureSizes

SIZES = PictureSizes(short_side=32, long_side=48)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    settings = {"root": str(tmp_path_factory.mktemp("shapes")), "num_train": 13, "num_val": 5, "image_size": 40}
    return [find_drawn_shapes(part, known_classes=None, **settings)() for part in ("train", "val")]


def module_of(shapes, *, masks=True, val_masks=False, **batches):
    transform = DetectionTransform(sizes=SIZES, short_sides=(24, 32), photometric_probability=0.5)
    return PictureDataModule(
        *shapes,
        sizes=SIZES,
        rules=PictureRules(transform=transform, masks=masks, val_masks=val_masks),
        batches=Batches(**({"size": 3, "val_size": 2} | batches)),
        seed=5,
    )


def epoch(loader, number):
    loader.sampler.set_epoch(number)
    return list(loader)


def same(one, other):
    assert one["names"] == other["names"]
    assert torch.equal(one["pictures"], other["pictures"])
    for ours, theirs in zip(one["targets"], other["targets"], strict=True):
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_batches_are_whole_shuffled_and_have_masks(shapes):
    module = module_of(shapes)
    batches = epoch(module.train_dataloader(), 0)
    assert len(batches) == 4
    assert len({name for batch in batches for name in batch["names"]}) == 12
    assert all(batch["pictures"].shape[2] % 32 == 0 for batch in batches)
    for batch in batches:
        for target, (height, width) in zip(batch["targets"], batch["sizes"], strict=True):
            assert target["masks"].shape[1:] == (height, width)
    assert module.classes == ("disc", "square", "triangle")


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_interrupted_epoch_goes_on_to_the_bit(shapes, num_workers):
    whole = epoch(module_of(shapes).train_dataloader(), 1)
    stopped = module_of(shapes, num_workers=num_workers)
    loader = stopped.train_dataloader()
    loader.sampler.set_epoch(1)
    batches = iter(loader)
    for expected in whole[:2]:
        same(next(batches), expected)
    state = stopped.state_dict()
    batches.close()
    loader.end()
    resumed = module_of(shapes, num_workers=num_workers)
    resumed.load_state_dict(state)
    loader = resumed.train_dataloader()
    rest = epoch(loader, 1)
    assert len(rest) == 2
    for found, expected in zip(rest, whole[2:], strict=True):
        same(found, expected)
    loader.end()


def test_validation_goes_once_through_all_pictures_in_order(shapes):
    module = module_of(shapes, val_masks=True)
    batches = list(module.val_dataloader())
    assert [name for batch in batches for name in batch["names"]] == [f"{n:06d}.png" for n in range(5)]
    assert [len(batch["errors"]) for batch in batches] == [2, 2, 1]
    assert all("masks" in target for batch in batches for target in batch["targets"])
    assert "masks" not in next(iter(module_of(shapes).val_dataloader()))["targets"][0]
    assert len(module.datasets) == 1


def test_two_processes_share_the_pictures(shapes):
    names = []
    for rank in (0, 1):
        module = module_of(shapes)
        module.trainer = SimpleNamespace(global_rank=rank, world_size=2)
        names += [name for batch in module.val_dataloader() for name in batch["names"]]
        assert len(epoch(module.train_dataloader(), 0)) == 2
    assert sorted(names) == [f"{n:06d}.png" for n in range(5)]


def test_lists_that_do_not_fit_are_refused(shapes, tmp_path):
    with pytest.raises(ValueError, match=r"batch_size=14 is more than the 13 training pictures"):
        module_of(shapes, size=14)
    renamed = [{"id": 90, "name": "pear"}, {"id": 3, "name": "fig"}]
    root = write_coco(tmp_path, documents={"val": document(categories=renamed)})
    with pytest.raises(ManifestError, match="train alone has 'apple'"):
        module_of((read_part(root), read_part(root, "val")))
